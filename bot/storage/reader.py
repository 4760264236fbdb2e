"""Reads of what is committed. The WAL lets them go on while the writer writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TypeVar

from bot.storage.connection import named_errors, open_connection

T = TypeVar("T")
Query = Callable[[sqlite3.Connection], T]


class Reader:
    """Runs queries, each on one snapshot of the database."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._db = _open(path)

    def read(self, query: Query[T]) -> T:
        """Run a short query at once, on the caller's thread, which is always the same.

        A few rows by key take 10 microseconds; a hop to another thread takes ten times that.
        """
        return _snapshot(self._db, query)

    async def read_long(self, query: Query[T]) -> T:
        """Run a query that may take long on a thread and a connection of its own."""
        return await asyncio.to_thread(self._read_apart, query)

    def close(self) -> None:
        self._db.close()

    def _read_apart(self, query: Query[T]) -> T:
        with closing(_open(self._path)) as db:
            return _snapshot(db, query)


def _open(path: Path) -> sqlite3.Connection:
    with named_errors():
        db = open_connection(path)
        db.execute("PRAGMA query_only = ON")
        return db


def _snapshot(db: sqlite3.Connection, query: Query[T]) -> T:
    with named_errors():
        db.execute("BEGIN")
        try:
            return query(db)
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")
