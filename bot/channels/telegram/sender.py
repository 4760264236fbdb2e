"""Messages out: from the outbox to Telegram, each at least once and normally once.

A message ends sent or dead, with the reason where staff see it. All else is tried again.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.channels.telegram.bot_api import (
    BotApi,
    BotApiError,
    RateLimitedError,
    Refusal,
    RefusedError,
    TokenRejectedError,
    told,
)
from bot.channels.telegram.pace import Pacer, Timing
from bot.channels.telegram.parse import CHANNEL
from bot.channels.telegram.render import Say, render_reply
from bot.storage.store import OutboxItem, Store

log = logging.getLogger(__name__)

MAX_IN_FLIGHT = 30
"""Messages claimed at a time; also how many a crash can double."""
MAX_REMEMBERED = 10_000
"""Messages whose accepted pieces are remembered: many more than can wait for a second try."""
MAX_BROKEN = 10
"""Tries of a message that fails by a mistake of ours before it is given up."""


class Sender:
    """Empties the outbox. `wake` tells it that there is something."""

    def __init__(
        self,
        api: BotApi,
        store: Store,
        *,
        say: Say,
        timing: Timing,
        clock: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._store = store
        self._say = say
        self._timing = timing
        self._clock = clock
        self._pacer = Pacer(timing.between, timing.between_same)
        self._news = asyncio.Event()
        self._free = MAX_IN_FLIGHT
        self._closing = False
        # How many pieces of a message were accepted, for the latest messages: a second try
        # goes on behind them, also when only its outcome could not be stored in time.
        self._accepted: dict[tuple[int, int], int] = {}
        self._last_accepted = -math.inf

    def wake(self) -> None:
        self._news.set()

    def stop(self) -> None:
        """Claim nothing more; `run` returns when what is in flight has arrived."""
        self._closing = True
        self._news.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as flights:
            while not self._closing:
                self._news.clear()
                items = await self._claim()
                for item in items:
                    self._free -= 1
                    flights.create_task(self._deliver(item))
                if not items:
                    await self._wait_for_news()

    async def _claim(self) -> list[OutboxItem]:
        if not self._free:
            return []
        try:
            return await self._store.claim_outbox(
                CHANNEL, self._clock(), self._timing.lease, self._free
            )
        except Exception as error:  # whatever it is, the next look may work
            log.error("Telegram: the outbox cannot be read: %s", told(error))
            return []

    async def _wait_for_news(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._timing.look):
                await self._news.wait()

    async def _deliver(self, item: OutboxItem) -> None:
        """Send one message and report on it; never raises."""
        try:
            await self._attempt(item)
        except Exception as error:
            # Its lease runs out; what was accepted is remembered and not sent again.
            log.error("Telegram: the outcome of a message was not stored: %s", told(error))
        finally:
            self._free += 1
            self._news.set()  # the next message of this conversation may go now

    async def _attempt(self, item: OutboxItem) -> None:
        try:
            remote_id = await self._send(item)
        except RefusedError as error:
            await self._kill(item, error.refusal, error.detail)
        except BotApiError as error:
            await self._retry(item, error)
        except Exception as error:  # a mistake of ours must not stop the others
            if item.attempts >= MAX_BROKEN:
                await self._kill(item, "broken", told(error))
            else:
                await self._retry(item, error)
        else:
            await self._store.finish_outbox(item.id, remote_id)

    async def _send(self, item: OutboxItem) -> str:
        """Send the pieces that were not accepted before; return the id of the last one."""
        done = self._accepted.get((item.conversation, item.seq), 0)
        loop = asyncio.get_running_loop()
        # Behind this, a piece could outlast the lease and be sent by two at once.
        latest = loop.time() + self._timing.lease - self._timing.call
        remote_id = ""
        for number, payload in enumerate(render_reply(item.message, self._say), 1):
            if number <= done:
                continue
            await self._pacer.wait(item.sender)
            if loop.time() > latest:
                raise BotApiError("there is no time left for the next piece")
            sent = await self._api.call("sendMessage", {"chat_id": item.sender, **payload})
            self._note_accepted((item.conversation, item.seq), number)
            remote_id = str(sent.get("message_id", "")) if isinstance(sent, dict) else ""
        return remote_id

    def _note_accepted(self, message: tuple[int, int], pieces: int) -> None:
        self._last_accepted = asyncio.get_running_loop().time()
        self._accepted.pop(message, None)  # the newest stands last
        self._accepted[message] = pieces
        if len(self._accepted) > MAX_REMEMBERED:
            del self._accepted[next(iter(self._accepted))]

    async def _retry(self, item: OutboxItem, error: Exception) -> None:
        failures = item.attempts + 1
        if asyncio.get_running_loop().time() - self._last_accepted < self._timing.recent:
            # The server is up. Most of the failures were those of an outage, which is over.
            failures = (failures + 1) // 2
        wait = self._timing.retry_after(failures)
        if isinstance(error, RateLimitedError):
            wait = error.seconds
        elif isinstance(error, TokenRejectedError):
            # Not this message's fault: it waits until the operator has put it right.
            wait = self._timing.longest_retry
        log.warning("Telegram: a message waits %.0f s: %s", wait, told(error))
        at = self._clock() + timedelta(seconds=wait)
        await self._store.retry_outbox(item.id, at, told(error))

    async def _kill(self, item: OutboxItem, reason: Refusal | str, detail: str) -> None:
        log.warning("Telegram: a message cannot be delivered: %s (%s)", reason, detail)
        said = self._say(f"telegram.undelivered.{reason}", detail=detail)
        await self._store.kill_outbox(item.id, said)
