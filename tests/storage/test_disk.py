"""Disks that fill up and files that rot."""

from __future__ import annotations

import asyncio
import os
import resource
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bot.storage.sqlite import open_store
from bot.storage.store import StorageDamaged, StorageError
from tests.storage.builders import begin, citizen, message, receive, say
from tests.storage.conftest import Place


@contextmanager
def no_file_may_grow_over(size: int) -> Iterator[None]:
    """What a full disk does to this process: writes past ``size`` bytes fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_failing_disk_loses_nothing_and_recovers(place: Place) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    await say(store, conversation, citizen("之前"))
    keys: list[str] = []
    wal = place.database.with_name(place.database.name + "-wal")
    with no_file_may_grow_over(wal.stat().st_size + 100_000):
        with suppress(StorageError):
            while True:
                await receive(store, message("工资" * 1000, key=f"k{len(keys)}"))
                keys.append(f"k{len(keys)}")
        with pytest.raises(StorageError, match="磁盘"):
            await receive(store, message("工资" * 9000))
        outcomes = await asyncio.gather(
            *(receive(store, message("工资" * 9000, key=f"x{n}")) for n in range(5)),
            return_exceptions=True,
        )
        assert all(isinstance(outcome, StorageError) for outcome in outcomes)
        assert [line.text for line in await store.messages(conversation)] == ["之前"]
    assert keys
    [fresh] = await receive(store, message("工资", key="later"))
    assert fresh.fresh
    for key in keys:
        [again] = await receive(store, message(key=key))
        assert not again.fresh  # it was acknowledged, so it is there
    await store.close()
    await open_store(place.database, place.key).close()


async def test_flipped_page_is_found_at_the_start(place: Place) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    for number in range(100):
        await say(store, conversation, citizen(f"{number}" * 100))
    await store.close()
    content = bytearray(place.database.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 64] = os.urandom(64)
    place.database.write_bytes(content)
    with pytest.raises(StorageDamaged, match="最近一次备份"):
        open_store(place.database, place.key)


@pytest.mark.parametrize("content", [b"not a database" * 1000, b"SQLite format 3\0" + b"\xff" * 99])
def test_file_that_is_no_database_is_refused(place: Place, content: bytes) -> None:
    place.database.parent.mkdir(parents=True)
    place.database.write_bytes(content)
    with pytest.raises(StorageDamaged, match="损坏"):
        open_store(place.database, place.key)
    assert place.database.read_bytes() == content


async def test_files_are_private(place: Place) -> None:
    store = open_store(place.database, place.key)
    await begin(store)
    folder = place.database.parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 3  # the database, its WAL and its index
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    await store.close()


def test_path_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="打不开数据库"):
        open_store(tmp_path / "file" / "suifawen.db", tmp_path / "contact.key")
