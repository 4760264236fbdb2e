"""Stores to test. The tests that take ``store`` are the contract of every backend: another
one is added to `open_store` by name."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.storage import sqlite
from bot.storage.store import Store


class Place(NamedTuple):
    """Where the SQLite store of a test lies."""

    database: Path
    key: Path

    def contents(self) -> bytes:
        """Return all bytes of the database and its side files."""
        return b"".join(file.read_bytes() for file in self.database.parent.iterdir())


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path / "data" / "suifawen.db", tmp_path / "keys" / "contact.key")


@pytest.fixture(params=["sqlite"])
async def open_store(
    request: pytest.FixtureRequest, place: Place
) -> AsyncIterator[Callable[[], Store]]:
    """Opens one and the same store as often as it is called, and closes all at the end."""
    backends: dict[str, Callable[[], Store]] = {
        "sqlite": lambda: sqlite.open_store(place.database, place.key)
    }
    opened: list[Store] = []

    def open_() -> Store:
        opened.append(backends[request.param]())
        return opened[-1]

    yield open_
    for store in opened:
        await store.close()


@pytest.fixture
async def store(open_store: Callable[[], Store]) -> Store:
    return open_store()
