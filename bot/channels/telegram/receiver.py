"""Updates in: each is on disk before Telegram is told that we have it.

An update is recognised by its id alone, wherever that id lies: after a quiet week Telegram
counts on from a random number, so "newer than the last" would drop what people wrote.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.channels.telegram.bot_api import (
    BotApi,
    BotApiError,
    RateLimitedError,
    UnreachableError,
    told,
)
from bot.channels.telegram.pace import Timing
from bot.channels.telegram.parse import ALLOWED_UPDATES, callback_id, parse_update, update_id
from bot.turns import Turns

log = logging.getLogger(__name__)

BATCH = 100
"""Updates of one poll; the most that Telegram gives."""
MAX_ANSWERING = 200
"""Pressed buttons being answered at a time; those beyond lose only their spinning circle."""


class Receiver:
    """Stores updates and has their turns run."""

    def __init__(
        self,
        api: BotApi,
        turns: Turns,
        *,
        account: str,
        commands: Mapping[str, str],
        clock: Callable[[], datetime],
    ) -> None:
        self._api = api
        self._turns = turns
        self._account = account
        self._commands = commands
        self._clock = clock
        self._answering: set[asyncio.Task[None]] = set()

    async def take(self, updates: Sequence[tuple[object, bytes]]) -> None:
        """Store ``updates``, each as parsed and as received; they are on disk on return.

        Raises `StorageError`; then none of them may be acknowledged.
        """
        at = self._clock()
        messages = []
        for update, raw in updates:
            message = parse_update(update, account=self._account, at=at, commands=self._commands)
            if message is not None:
                messages.append((message, raw))
        await self._turns.accept(messages)
        for update, _ in updates:
            query = callback_id(update)
            if query is not None and len(self._answering) < MAX_ANSWERING:
                task = asyncio.create_task(self._stop_spinning(query))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)

    async def _stop_spinning(self, query: str) -> None:
        """Tell the person's app that the button was pressed; the reply comes on its own."""
        try:
            await self._api.call("answerCallbackQuery", {"callback_query_id": query})
        except BotApiError as error:  # too old, or no network: only a circle turns longer
            log.debug("a pressed button was not answered: %s", error)

    async def close(self) -> None:
        for task in self._answering:
            task.cancel()
        await asyncio.gather(*self._answering, return_exceptions=True)


async def poll_updates(api: BotApi, receiver: Receiver, timing: Timing) -> None:
    """Fetch updates for ever. Whatever fails is tried again, later and later."""
    offset: int | None = None
    ready = False
    failures = 0
    while True:
        try:
            if not ready:  # a webhook left from before would keep every update from us
                await api.call("deleteWebhook")
                ready = True
            offset = await _poll_once(api, receiver, timing, offset)
            failures = 0
        except Exception as error:  # a mistake of ours must not end the channel either
            failures += 1
            await pause_after(error, failures, timing, "getting updates")


async def pause_after(error: Exception, failures: int, timing: Timing, doing: str) -> None:
    """Log a failure of ``doing`` and wait before the next try."""
    wait = timing.retry_after(failures)
    if isinstance(error, RateLimitedError):
        wait = max(wait, error.seconds)
    transient = isinstance(error, UnreachableError | RateLimitedError)
    level = logging.WARNING if transient else logging.ERROR
    log.log(level, "Telegram: %s failed (%s); again in %.0f s", doing, told(error), wait)
    await asyncio.sleep(wait)


async def _poll_once(
    api: BotApi, receiver: Receiver, timing: Timing, offset: int | None
) -> int | None:
    """Store one batch; return the offset that acknowledges it with the next call."""
    params = {"timeout": timing.poll, "limit": BATCH, "allowed_updates": ALLOWED_UPDATES}
    if offset is not None:
        params["offset"] = offset
    updates = await api.call("getUpdates", params, waiting=timing.poll)
    if not isinstance(updates, list):
        raise UnreachableError("getUpdates: the answer is no list")
    if not updates:
        # All is acknowledged. The next id may be any, even a lower one: see above.
        return None
    updates.sort(key=lambda update: update_id(update) or 0)
    await receiver.take([(update, json.dumps(update).encode()) for update in updates])
    newest = update_id(updates[-1])
    if newest is None:
        raise UnreachableError("getUpdates: updates without ids cannot be acknowledged")
    return newest + 1
