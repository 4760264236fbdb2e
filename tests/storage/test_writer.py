"""The writer: one transaction for all who wait, and nobody fails for another's mistake."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from bot.storage.connection import open_connection
from bot.storage.store import StorageError, StorageFull
from bot.storage.writer import Writer


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    path = tmp_path / "test.db"
    db = open_connection(path)
    db.execute("CREATE TABLE numbers (number INTEGER PRIMARY KEY, filler BLOB) STRICT")
    db.close()
    return path


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    writer = Writer(path)
    yield writer
    await writer.close()


def put(db: sqlite3.Connection, number: int, size: int = 0) -> int:
    db.execute("INSERT INTO numbers VALUES (?, zeroblob(?))", (number, size))
    return number


def stored(path: Path) -> list[int]:
    db = sqlite3.connect(path)
    try:
        return [number for (number,) in db.execute("SELECT number FROM numbers ORDER BY number")]
    finally:
        db.close()


@pytest.mark.parametrize(
    ("pragma", "value"),
    [("journal_mode", "wal"), ("synchronous", 2), ("secure_delete", 1), ("foreign_keys", 1)],
)
async def test_what_the_promises_rest_on(writer: Writer, pragma: str, value: str | int) -> None:
    assert await writer.run(lambda db: db.execute(f"PRAGMA {pragma}").fetchone()[0]) == value


async def test_those_who_wait_share_commits(writer: Writer, path: Path) -> None:
    statements: list[str] = []
    await writer.run(lambda db: db.set_trace_callback(statements.append))
    results = await asyncio.gather(*(writer.run(partial(put, number=n)) for n in range(500)))
    await writer.run(lambda db: db.set_trace_callback(None))
    assert results == stored(path) == list(range(500))
    assert statements.count("SAVEPOINT job") >= 500
    assert statements.count("COMMIT") < 50


async def test_one_that_fails_undoes_only_itself(writer: Writer, path: Path) -> None:
    def fail(db: sqlite3.Connection) -> None:
        put(db, 100)
        raise RuntimeError("mine")

    outcomes = await asyncio.gather(
        writer.run(lambda db: put(db, 1)),
        writer.run(fail),
        writer.run(lambda db: put(db, 1)),  # the key is taken
        writer.run(lambda db: put(db, 2)),
        return_exceptions=True,
    )
    assert (outcomes[0], outcomes[3]) == (1, 2)
    assert isinstance(outcomes[1], RuntimeError)
    assert isinstance(outcomes[2], StorageError)
    assert stored(path) == [1, 2]


async def test_cancelled_callers(writer: Writer, path: Path) -> None:
    tasks = [asyncio.create_task(writer.run(partial(put, number=n))) for n in range(50)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    assert outcomes[1::2] == list(range(1, 50, 2))
    await writer.run(lambda db: put(db, 99))
    assert {99, *range(1, 50, 2)} <= set(stored(path))


async def test_close_finishes_what_is_queued(path: Path) -> None:
    writer = Writer(path)
    tasks = [asyncio.create_task(writer.run(partial(put, number=n))) for n in range(50)]
    await asyncio.sleep(0)
    await writer.close()
    assert await asyncio.gather(*tasks) == list(range(50))
    assert stored(path) == list(range(50))
    with pytest.raises(StorageError, match="已经关闭"):
        await writer.run(lambda db: put(db, 50))


async def test_full_database_refuses_and_recovers(
    writer: Writer, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await writer.run(lambda db: put(db, 0))
    [pages] = await writer.run(lambda db: db.execute("PRAGMA page_count").fetchone())
    await writer.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 10}").fetchone())
    with caplog.at_level(logging.WARNING, "bot.storage.writer"):
        for number in (1, 2):
            with pytest.raises(StorageFull, match="磁盘已满"):
                await writer.run(partial(put, number=number, size=100_000))
        await writer.run(lambda db: put(db, 3))  # a small one still fits
        await writer.run(lambda db: db.execute("PRAGMA max_page_count = 100000").fetchone())
        await writer.run(lambda db: put(db, 4, size=100_000))
    assert stored(path) == [0, 3, 4]
    assert [record.levelname for record in caplog.records] == ["ERROR", "WARNING"]


async def test_full_database_hurts_only_those_who_need_space(writer: Writer, path: Path) -> None:
    await writer.run(lambda db: put(db, 0))
    [pages] = await writer.run(lambda db: db.execute("PRAGMA page_count").fetchone())
    await writer.run(lambda db: db.execute(f"PRAGMA max_page_count = {pages + 10}").fetchone())
    outcomes = await asyncio.gather(
        writer.run(lambda db: put(db, 1)),
        writer.run(lambda db: put(db, 2, size=100_000)),
        writer.run(lambda db: put(db, 3)),
        return_exceptions=True,
    )
    kept = [outcome for outcome in outcomes if not isinstance(outcome, StorageFull)]
    assert 2 not in kept
    assert stored(path) == [0, *kept]  # whoever was told yes is there, whoever was told no is not


async def test_lock_of_another_program_is_waited_for(writer: Writer, path: Path) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    task = asyncio.create_task(writer.run(lambda db: put(db, 1)))
    await asyncio.sleep(0.05)
    assert not task.done()
    other.execute("COMMIT")
    other.close()
    assert await task == 1
