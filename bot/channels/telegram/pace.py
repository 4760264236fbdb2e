"""How long to wait: between two messages, and after a failure."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable

from kb.value import value


@value
class Timing:
    """Waiting times in seconds. The defaults suit Telegram; tests shorten them."""

    poll: int = 25
    """How long the server may hold a poll that has no update yet."""
    call: float = 40.0
    """Limit of any other call; see `bot_api.CALL_SECONDS`."""
    lease: float = 120.0
    """How long a claimed message is ours; it has to hold for one call at least. After a crash
    those in flight are sent again when it has run out."""
    look: float = 1.0
    """How often the outbox is looked at unasked: for messages whose time has come."""
    between: float = 1 / 30
    """Between two messages to anybody. Telegram's limit is 30 a second."""
    between_same: float = 1.0
    """Between two messages to the same chat."""
    first_retry: float = 1.0
    longest_retry: float = 300.0
    recent: float = 10.0
    """A server that has accepted a message so lately is up."""
    closing: float = 10.0
    """How long messages in flight may take when the program stops."""

    def retry_after(self, failures: int, chance: Callable[[], float] = random.random) -> float:
        """Return the wait after so many failures (1 is the first): doubled each time, ±20 %."""
        doubled = self.first_retry * 2.0 ** min(max(failures, 1) - 1, 30)
        return min(doubled, self.longest_retry) * (0.8 + 0.4 * chance())


class Pacer:
    """Spaces messages so that neither a chat nor the bot gets more than Telegram allows."""

    MANY = 4096
    """Chats remembered before those that have waited long enough are forgotten."""

    def __init__(self, between: float, between_same: float) -> None:
        self._between = between
        self._between_same = between_same
        self._next = 0.0
        self._next_in: dict[str, float] = {}

    async def wait(self, chat: str) -> None:
        """Return when ``chat`` may be sent to. Not called twice at a time for one chat."""
        now = asyncio.get_running_loop().time
        # The chat's own pause first: while it lasts, others go ahead.
        await asyncio.sleep(self._next_in.get(chat, 0.0) - now())
        at = max(now(), self._next)
        self._next = at + self._between
        if len(self._next_in) >= self.MANY:
            self._next_in = {c: t for c, t in self._next_in.items() if t > at}
        self._next_in[chat] = at + self._between_same
        await asyncio.sleep(at - now())
