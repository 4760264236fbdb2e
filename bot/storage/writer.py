"""One thread owns the only connection that writes, and commits in groups.

A commit that survives a power cut waits for the disk; one commit for everybody who waits
costs the same wait. While the disk works, the next group gathers. Each job stands in a
savepoint of its own, so that one that fails does not undo its neighbours.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, NamedTuple, TypeVar

from bot.storage.connection import open_connection, storage_error
from bot.storage.store import StorageError, StorageFull

T = TypeVar("T")
Job = Callable[[sqlite3.Connection], T]

MAX_GROUP = 256
"""Bounds the time a job waits for its neighbours, about 10 ms."""
MAX_WAITING = 4096
"""Further callers wait their turn to queue."""

_log = logging.getLogger(__name__)


class _Waiting(NamedTuple):
    job: Job[Any]
    future: Future[Any]


class _Outcome(NamedTuple):
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs jobs that write. `close` has to be awaited."""

    def __init__(self, path: Path) -> None:
        self._db = open_connection(path)
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._places = asyncio.Semaphore(MAX_WAITING)
        self._closed = False
        self._failing = False
        # A daemon: a program that dies without closing must not hang; the WAL keeps the rest.
        self._thread = threading.Thread(target=self._work, name="storage-writer", daemon=True)
        self._thread.start()

    async def run(self, job: Job[T]) -> T:
        """Run ``job`` in a transaction; return its result when that is on disk.

        Whatever ``job`` raises undoes all it did. A cancelled caller's job is dropped if it
        has not begun and finished otherwise. Raises `StorageFull` and `StorageError`.
        """
        async with self._places:
            if self._closed:
                raise StorageError("数据库已经关闭，不能再写入。")
            future: Future[T] = Future()
            self._queue.put(_Waiting(job, future))
            return await asyncio.wrap_future(future)

    async def close(self) -> None:
        """Finish what is queued, then close the connection. May be called again."""
        if not self._closed:
            self._closed = True
            self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    # -- below runs on the writer's thread --

    def _work(self) -> None:
        closing = False
        while not closing:
            group = self._take()
            closing = group[-1] is None  # nothing is queued after it
            begun = [w for w in group if w and w.future.set_running_or_notify_cancel()]
            if begun:
                self._write(begun)
        self._db.close()

    def _take(self) -> list[_Waiting | None]:
        """Wait for one, then take all that wait."""
        group = [self._queue.get()]
        with suppress(Empty):
            while len(group) < MAX_GROUP:
                group.append(self._queue.get_nowait())
        return group

    def _write(self, group: list[_Waiting]) -> None:
        try:
            self._db.execute("BEGIN IMMEDIATE")
            outcomes = [self._run(waiting.job) for waiting in group]
            self._db.execute("COMMIT")
        except Exception as error:  # whatever it is: every caller has to hear, the thread go on
            with suppress(sqlite3.Error):
                self._db.execute("ROLLBACK")
            outcomes = [_Outcome(error=_named(error)) for _ in group]
            self._report(outcomes[0].error)
        else:
            full = (o.error for o in outcomes if isinstance(o.error, StorageFull))
            self._report(next(full, None))
        for waiting, outcome in zip(group, outcomes, strict=True):
            if outcome.error is None:
                waiting.future.set_result(outcome.result)
            else:
                waiting.future.set_exception(outcome.error)

    def _run(self, job: Job[Any]) -> _Outcome:
        self._db.execute("SAVEPOINT job")
        try:
            result = job(self._db)
        except Exception as error:
            if not self._db.in_transaction:
                raise  # SQLite gave up the whole transaction: a full or failing disk
            self._db.execute("ROLLBACK TO job")
            self._db.execute("RELEASE job")
            return _Outcome(error=_named(error))
        self._db.execute("RELEASE job")
        return _Outcome(result)

    def _report(self, failure: Exception | None) -> None:
        """Log when storing begins to fail and when it works again, not each time between."""
        if failure and not self._failing:
            _log.error("nothing can be stored: %s", failure)
        elif self._failing and not failure:
            _log.warning("storing works again")
        self._failing = failure is not None


def _named(error: Exception) -> Exception:
    return storage_error(error) if isinstance(error, sqlite3.Error) else error
