"""How much one visitor may ask of the server: messages a minute, polls at a time.

Kept in memory and bounded; a restart forgets it, which harms nobody.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

MINUTE = 60.0
MAX_KEYS = 20_000
"""Visitors remembered; beyond that the one that was silent longest is forgotten."""


class RateLimit:
    """At most ``most`` uses by one key in any minute."""

    def __init__(self, most: int, max_keys: int = MAX_KEYS) -> None:
        self._most = most
        self._max_keys = max_keys
        self._uses: OrderedDict[str, deque[float]] = OrderedDict()

    def use(self, key: str, now: float) -> float:
        """Count a use at ``now`` (seconds); return 0, or the seconds to wait if it is too many."""
        uses = self._uses.setdefault(key, deque())
        self._uses.move_to_end(key)
        if len(self._uses) > self._max_keys:
            self._uses.popitem(last=False)
        while uses and uses[0] <= now - MINUTE:
            uses.popleft()
        if len(uses) >= self._most:
            return uses[0] + MINUTE - now
        uses.append(now)
        return 0.0


class Polls:
    """The requests that wait for messages. Each is held by the task that does the waiting;
    releasing a poll cancels that task, and the request is answered with nothing."""

    def __init__(self, each: int, overall: int) -> None:
        self._each = each
        self._overall = overall
        self._count = 0
        self._waiting: dict[str, list[asyncio.Task[Any]]] = {}

    def is_full(self) -> bool:
        return self._count >= self._overall

    @contextmanager
    def held(self, sender: str, task: asyncio.Task[Any]) -> Iterator[None]:
        """Hold a poll of ``sender``; its oldest is released if there are too many: the newest
        is the one that somebody looks at."""
        own = self._waiting.setdefault(sender, [])
        own.append(task)
        self._count += 1
        if len(own) > self._each:
            own.pop(0).cancel()
        try:
            yield
        finally:
            task.cancel()
            if task in own:
                own.remove(task)
            self._count -= 1
            if not own:
                self._waiting.pop(sender, None)

    def release_all(self) -> None:
        """Answer every poll now, so that a server that stops need not wait for them."""
        for own in self._waiting.values():
            for task in own:
                task.cancel()
