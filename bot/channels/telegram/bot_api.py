"""Calls to the Bot API through python-telegram-bot, with errors that say what to do next.

This is the only module that imports telegram. It takes raw calls and returns raw results:
an update that the library cannot read must not hide the whole batch it came in. Nothing
that leaves this module, as an error or in a log, holds the token or people's words.
"""

from __future__ import annotations

import asyncio
import json
import logging
import warnings
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from typing import Any

from telegram import Bot
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    Forbidden,
    InvalidToken,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest
from telegram.warnings import PTBDeprecationWarning, PTBUserWarning

from bot.storage.store import StorageError

PUBLIC_SERVER = "https://api.telegram.org"
CALL_SECONDS = 40.0
"""For one call. Longer than a server that hangs for half a minute: giving up early on a
message that is then accepted after all sends it twice."""
CONNECTIONS = 64
DETAIL_LENGTH = 120


class BotApiError(Exception):
    """A call failed; the message is safe to log."""


class UnreachableError(BotApiError):
    """Network, time-out, 5xx or a broken answer: try again. The call may have had its effect."""


class RateLimitedError(BotApiError):
    """Too many calls: try again after ``seconds``, not earlier."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"asked to wait {seconds:g} s")
        self.seconds = seconds


class ConflictError(BotApiError):
    """Somebody else receives with this token."""


class TokenRejectedError(BotApiError):
    """The server does not know this token; the operator has to check it."""


class Refusal(StrEnum):
    """Why a message can never be delivered."""

    BLOCKED = "blocked"
    """The person stopped the bot, or their account is gone."""
    NO_CHAT = "no_chat"
    REFUSED = "refused"


class RefusedError(BotApiError):
    """The server understood the call and refuses it for good. ``detail`` is its own text."""

    def __init__(self, refusal: Refusal, detail: str) -> None:
        super().__init__(f"{refusal}: {detail}")
        self.refusal = refusal
        self.detail = detail


def told(error: Exception) -> str:
    """What of ``error`` may be logged or stored: its text if it is ours or the store's, of
    others only the kind, since their text may hold people's words."""
    known = isinstance(error, BotApiError | StorageError)
    return str(error) if known else type(error).__name__


class BotApi:
    """Calls for one bot. `close` has to be awaited."""

    def __init__(self, token: str, server: str = "", seconds: float = CALL_SECONDS) -> None:
        """``server`` is the address of another Bot API server, `http://127.0.0.1:8081`.

        ``seconds`` limits every call, long polls apart.
        """
        _silence()
        self._seconds = seconds
        self._calls = _Request(connection_pool_size=CONNECTIONS, pool_timeout=seconds)
        self._polls = _Request(connection_pool_size=1, pool_timeout=seconds)
        self._bot = Bot(
            token,
            base_url=(server or PUBLIC_SERVER).rstrip("/").removesuffix("/bot") + "/bot",
            request=self._calls,
            get_updates_request=self._polls,
        )

    async def call(
        self, method: str, params: Mapping[str, Any] | None = None, *, waiting: float = 0.0
    ) -> Any:
        """Return the result of ``method`` as plain data. Raises `BotApiError`.

        ``waiting`` seconds are how long the server may hold the call back on purpose.
        """
        seconds = self._seconds + waiting
        try:
            async with asyncio.timeout(seconds):
                return await self._bot.do_api_request(
                    method, api_kwargs=dict(params or {}), read_timeout=seconds
                )
        except TimeoutError:
            raise UnreachableError(f"{method}: no answer within {seconds:g} s") from None
        except TelegramError as error:
            # `from None`: the causes of a PTB error may print the address with the token.
            raise _own_error(method, error) from None

    async def close(self) -> None:
        await self._calls.shutdown()
        await self._polls.shutdown()


class _Request(HTTPXRequest):
    """PTB writes an answer that is no JSON into the log, with all the words in it."""

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        try:
            data = json.loads(payload)
        except ValueError:  # UnicodeDecodeError is one
            data = None
        if isinstance(data, dict) and ("result" in data or "description" in data):
            return data
        raise TelegramError("Invalid server response")


def _own_error(method: str, error: TelegramError) -> BotApiError:
    match error:
        case RetryAfter(retry_after=wait):
            return RateLimitedError(wait.total_seconds() if isinstance(wait, timedelta) else wait)
        case Forbidden():
            return RefusedError(Refusal.BLOCKED, _detail(error))
        case BadRequest() | ChatMigrated():  # before its parent class, the network errors
            missing = "chat not found" in error.message.lower()
            return RefusedError(Refusal.NO_CHAT if missing else Refusal.REFUSED, _detail(error))
        case Conflict():
            return ConflictError(f"{method}: {_detail(error)}")
        case InvalidToken():
            return TokenRejectedError(f"{method}: the token or the method is unknown")
        case _:
            return UnreachableError(f"{method}: {_detail(error)}")


def _detail(error: TelegramError) -> str:
    """What the server or the network said, without the bodies and addresses that PTB adds."""
    if error.message.startswith("Unknown error in HTTP implementation"):
        return type(error).__name__
    return error.message.partition(". Parsing the server response")[0][:DETAIL_LENGTH]


def _silence() -> None:
    """Keep the token and people's words out of logs, whatever level the operator has set."""
    # httpx logs every address, and the address holds the token; the others log parameters.
    for name in ("httpx", "httpcore", "telegram"):
        logging.getLogger(name).setLevel(logging.WARNING)
    # PTB advises its typed methods; why raw calls are used stands at the top.
    warnings.filterwarnings("ignore", message="Please use 'Bot", category=PTBUserWarning)
    # Both the old and the new type of the value are understood.
    warnings.filterwarnings("ignore", message=".*retry_after", category=PTBDeprecationWarning)
