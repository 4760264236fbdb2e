"""Backups: complete up to their beginning, in one file, and fit to start from."""

from __future__ import annotations

import asyncio
import stat
from pathlib import Path

import pytest

from bot.storage.sqlite import open_store
from bot.storage.store import StorageError, Turn
from tests.storage.builders import NOW, begin, citizen, form, message, receive, say
from tests.storage.conftest import Place


async def test_backup_under_load_holds_all_that_was_acknowledged(
    place: Place, tmp_path: Path
) -> None:
    store = open_store(place.database, place.key)
    acknowledged: list[str] = []
    stop = asyncio.Event()

    async def load(sender: str) -> None:
        number = 0
        while not stop.is_set():
            key = f"{sender}-{number}"
            await receive(store, message("工资" * 50, sender, key))
            acknowledged.append(key)
            number += 1

    tasks = [asyncio.create_task(load(f"s{n}")) for n in range(16)]
    while len(acknowledged) < 200:
        await asyncio.sleep(0.01)
    before = list(acknowledged)
    await store.backup(tmp_path / "copy" / "backup.db")
    stop.set()
    await asyncio.gather(*tasks)
    await store.close()
    assert len(acknowledged) > len(before)  # it was under load

    restored = open_store(tmp_path / "copy" / "backup.db", place.key)
    for key in before:
        [receipt] = await receive(restored, message(key=key))
        assert not receipt.fresh
    await restored.close()


async def test_backup_is_one_private_file_that_a_store_starts_from(
    place: Place, tmp_path: Path
) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW,
            messages=(citizen("没给钱"),),
            opened=(form("A-1"),),
        )
    )
    target = tmp_path / "copies" / "backup.db"
    await store.backup(target)
    await say(store, conversation, citizen("之后"))
    assert [file.name for file in target.parent.iterdir()] == ["backup.db"]
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    await store.close()

    restored = open_store(target, place.key)
    assert [line.text for line in await restored.messages(conversation)] == ["没给钱"]
    detail = await restored.ticket("A-1")
    assert detail is not None
    assert detail.contact is not None
    await restored.close()


async def test_newer_backup_replaces_the_older(place: Place, tmp_path: Path) -> None:
    store = open_store(place.database, place.key)
    target = tmp_path / "backup.db"
    await store.backup(target)
    conversation = await begin(store)
    await store.backup(target)
    await store.close()
    restored = open_store(target, place.key)
    assert await restored.find_conversation("web", "", "citizen") == conversation
    await restored.close()


async def test_impossible_targets_are_named(place: Place, tmp_path: Path) -> None:
    store = open_store(place.database, place.key)
    with pytest.raises(StorageError, match="正在使用"):
        await store.backup(place.database)
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="备份没有写成"):
        await store.backup(tmp_path / "file" / "backup.db")
    await begin(store)
    await store.close()
