"""After a deletion and a scrub, no byte of the person is left in the files."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from bot.core.session import Session
from bot.storage.scrubbing import Scrubber
from bot.storage.sqlite import open_store
from bot.storage.store import StorageError, Turn
from tests.storage.builders import NOW, answer, begin, bot, citizen, form, message, receive, say
from tests.storage.conftest import Place


async def test_no_byte_is_left(place: Place) -> None:
    """Many people come and go, so that rows move between pages; some of them are deleted."""
    rng = random.Random(3)
    store = open_store(place.database, place.key)
    people = [f"<{number:03}>" for number in range(30)]
    forgotten = set(people[::3])
    for _ in range(400):
        who = rng.choice(people)
        [receipt] = await receive(store, message(who * 3, who), push=True)
        line = citizen(who * rng.randrange(1, 60))
        await store.commit(
            Turn(
                conversation=receipt.conversation,
                at=NOW,
                inbox=receipt.inbox,
                session=Session(
                    conversation=receipt.conversation, channel="web", place=who * rng.randrange(99)
                ),
                messages=(line, bot(who * rng.randrange(1, 60))),
                answers=(answer(who * 2),),
                opened=(form(f"{who}-{receipt.inbox}", story=who),) if rng.random() < 0.1 else (),
            )
        )
    for who in sorted(forgotten):
        conversation = await begin(store, who)
        await store.commit(Turn(conversation=conversation, at=NOW, forget=True))
    await store.purge(NOW + timedelta(hours=2), {})
    await store.scrub()
    content = place.contents()
    assert [who for who in people if f"{who}{who}".encode() in content] == sorted(
        set(people) - forgotten
    )
    assert place.database.with_name(place.database.name + "-wal").stat().st_size == 0
    await say(store, await begin(store, "after"), citizen("还能用"))
    await store.close()


def wal_size(place: Place) -> int:
    return place.database.with_name(place.database.name + "-wal").stat().st_size


async def test_long_read_is_waited_for_and_then_named(place: Place) -> None:
    store = open_store(place.database, place.key)
    scrubber = Scrubber(place.database, tries=2)
    with closing(sqlite3.connect(place.database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM conversations").fetchall()
        await begin(store)
        with pytest.raises(StorageError, match="请稍后再试"):
            await scrubber.scrub()
        await begin(store, "other")  # nobody else is held up
    await scrubber.scrub()
    assert wal_size(place) == 0
    await store.close()


async def test_many_deletions_are_scrubbed_together_a_little_later(place: Place) -> None:
    store = open_store(place.database, place.key)
    scrubber = Scrubber(place.database, share=0.3)
    await scrubber.scrub()
    await begin(store)
    await asyncio.gather(scrubber.scrub(), scrubber.scrub())
    assert wal_size(place) > 0
    async with asyncio.timeout(5):
        while wal_size(place):
            await asyncio.sleep(0.02)
    await scrubber.close()
    await store.close()


async def test_closing_does_what_was_put_off(place: Place) -> None:
    store = open_store(place.database, place.key)
    scrubber = Scrubber(place.database, share=1e-6)
    await scrubber.scrub()
    await begin(store)
    await scrubber.scrub()
    assert wal_size(place) > 0
    await scrubber.close()
    assert wal_size(place) == 0
    await store.close()
