"""Removing the traces of what was deleted from the files.

`secure_delete` overwrites a row when it is deleted. But older states of its page stand in the
WAL until that is cut; and SQLite moves rows between pages when it deletes or inserts others,
leaving copies in unused parts of pages (seen: a name in 1 of 27 databases of 1,500 turns).
Only writing the whole file anew removes those.
"""

from __future__ import annotations

import asyncio
import logging
import time
from contextlib import closing
from pathlib import Path

from bot.storage.connection import named_errors, open_connection
from bot.storage.store import StorageError

REBUILD_BYTES = 256 * 2**20
"""Up to this size a database is rebuilt: it takes 2 seconds, in which nobody can write, and as
much memory."""
CUT_PATIENCE_SECONDS = 0.2
"""While the WAL waits to be cut, everybody who writes waits; so it is rather tried again."""

_log = logging.getLogger(__name__)


class Scrubber:
    """Scrubs a database at once, or a little later if that was done just now.

    At most ``share`` of the time is spent on it, however many people delete their words.
    ``tries``: how often to try to cut the WAL while somebody reads.
    """

    def __init__(self, path: Path, *, share: float = 0.01, tries: int = 50) -> None:
        self._path = path
        self._share = share
        self._tries = tries
        self._lock = asyncio.Lock()
        self._rest_until = time.monotonic()
        self._later: asyncio.Task[None] | None = None

    async def scrub(self) -> None:
        """Leave no trace, or have it done when the rest after the last time is over.

        Raises `StorageError` if a long read stands in the way; call again.
        """
        async with self._lock:
            rest = self._rest_until - time.monotonic()
            if rest <= 0:
                await self._scrub()
            elif self._later is None:
                self._later = asyncio.create_task(self._scrub_later(rest))

    async def close(self) -> None:
        """Do what was put off."""
        async with self._lock:
            if self._later is not None:
                self._later.cancel()
                self._later = None
                await self._scrub()

    async def _scrub_later(self, rest: float) -> None:
        await asyncio.sleep(rest)
        async with self._lock:
            self._later = None
            try:
                await self._scrub()
            except StorageError as error:  # nobody awaits this task; the next scrub does it all
                _log.warning("traces of deleted rows are still in the files: %s", error)

    async def _scrub(self) -> None:
        begun = time.monotonic()
        await asyncio.to_thread(_rebuild, self._path)
        for _ in range(self._tries):
            if await asyncio.to_thread(_cut_wal, self._path):
                break
            await asyncio.sleep(CUT_PATIENCE_SECONDS)
        else:
            raise StorageError("有一个长时间的读取还没结束，暂时清除不了删除的痕迹，请稍后再试。")
        ended = time.monotonic()
        self._rest_until = ended + (ended - begun) / self._share


def _rebuild(path: Path) -> None:
    if path.stat().st_size > REBUILD_BYTES:
        _log.warning("%s is too large to be rebuilt while people wait", path.name)
        return
    with named_errors(), closing(open_connection(path)) as db:
        db.execute("VACUUM")


def _cut_wal(path: Path) -> bool:
    """Move the WAL into the database and cut it to nothing; False if a reader is in the way."""
    with named_errors(), closing(open_connection(path, CUT_PATIENCE_SECONDS)) as db:
        [busy, *_] = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy
