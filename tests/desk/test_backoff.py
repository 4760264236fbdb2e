"""Guessing gets slower and slower, for who guesses and for nobody else, and never for ever."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.desk.backoff import note_success, note_try, seconds_to_wait
from bot.storage.sqlite import open_store
from bot.storage.store import Store
from tests.storage.builders import NOW

HERE, THERE = "10.0.0.1", "10.0.0.2"


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "suifawen.db", tmp_path / "keys" / "contact.key")
    yield opened
    await opened.close()


async def test_the_wait_grows_and_ends(store: Store) -> None:
    now, waits = NOW, []
    for _ in range(14):
        waits.append(await seconds_to_wait(store, "wang", HERE, now))
        now += timedelta(seconds=waits[-1])
        assert await seconds_to_wait(store, "wang", HERE, now) <= 1  # whole seconds
        await note_try(store, "wang", HERE, now + timedelta(seconds=1))
        now += timedelta(seconds=1)
    assert waits[:5] == [0] * 5
    assert waits[5:11] == [30, 60, 120, 240, 480, 900]
    assert max(waits[11:]) <= 900  # and tries of more than an hour ago are forgotten


async def test_the_remaining_seconds_are_told(store: Store) -> None:
    for _ in range(5):
        await note_try(store, "wang", HERE, NOW)
    for passed, left in ((0, 30), (1, 29), (29, 1), (31, 0)):
        now = NOW + timedelta(seconds=passed)
        assert await seconds_to_wait(store, "wang", HERE, now) == left


async def test_only_this_account_from_this_address_waits(store: Store) -> None:
    for _ in range(8):
        await note_try(store, "wang", HERE, NOW)
    assert await seconds_to_wait(store, "wang", HERE, NOW) > 0
    assert await seconds_to_wait(store, "wang", THERE, NOW) == 0
    assert await seconds_to_wait(store, "li", HERE, NOW) == 0


async def test_a_success_clears_the_count_of_its_pair_only(store: Store) -> None:
    for address in (HERE, THERE):
        for _ in range(6):
            await note_try(store, "wang", address, NOW)
    await note_success(store, "wang", THERE, NOW)
    assert await seconds_to_wait(store, "wang", THERE, NOW) == 0
    assert await seconds_to_wait(store, "wang", HERE, NOW) > 0
