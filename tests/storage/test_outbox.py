"""Contract: push channels send at least once, in order, and one sender at a time."""

from __future__ import annotations

from datetime import timedelta

from bot.storage.store import Author, NewMessage, OutboxItem, Store, Turn
from tests.storage.builders import NOW, begin, bot, citizen, form, reply, say

LEASE = 30.0


async def claim(store: Store, seconds: float = 0, limit: int = 20) -> list[OutboxItem]:
    now = NOW + timedelta(seconds=seconds)
    return await store.claim_outbox("telegram", now, LEASE, limit)


async def push_to(store: Store, sender: str = "citizen") -> int:
    return await begin(store, sender, push=True, channel="telegram", account="main")


async def test_only_replies_and_words_of_staff_are_sent(store: Store) -> None:
    conversation = await push_to(store)
    lines = (
        citizen("没给钱"),
        NewMessage(author=Author.NOTE, text="内部"),
        bot("先投诉。"),
        NewMessage(author=Author.STAFF, text="我来办", staff_name="王"),
    )
    await say(store, conversation, *lines)
    [first] = await claim(store)
    assert (first.conversation, first.account, first.sender) == (conversation, "main", "citizen")
    assert (first.seq, first.message.reply, first.attempts) == (3, reply("先投诉。"), 0)
    await store.finish_outbox(first.id, "42")
    [second] = await claim(store)
    assert (second.message.text, second.message.staff_name) == ("我来办", "王")
    await store.finish_outbox(second.id, "43")
    assert await claim(store) == []


async def test_channels_that_fetch_have_no_outbox(store: Store) -> None:
    conversation = await begin(store, channel="telegram")
    await say(store, conversation, bot())
    assert await claim(store) == []


async def test_oldest_of_each_conversation_only(store: Store) -> None:
    people = [await push_to(store, sender) for sender in ("a", "b")]
    for conversation in people:
        await say(store, conversation, bot("一"), bot("二"))
    items = await claim(store)
    assert [(item.conversation, item.seq) for item in items] == [(people[0], 1), (people[1], 1)]
    await store.retry_outbox(items[0].id, NOW + timedelta(minutes=5), "429")
    await store.finish_outbox(items[1].id, "1")
    # The second line of `a` waits behind the first, although nothing else keeps it.
    assert [(item.conversation, item.seq) for item in await claim(store)] == [(people[1], 2)]


async def test_other_channels_are_left_alone(store: Store) -> None:
    await say(store, await push_to(store), bot())
    assert await store.claim_outbox("wechat", NOW, LEASE) == []


async def test_limit(store: Store) -> None:
    for sender in "abc":
        await say(store, await push_to(store, sender), bot())
    assert [len(await claim(store, limit=2)), len(await claim(store))] == [2, 1]


async def test_lease_keeps_others_off_until_it_ends(store: Store) -> None:
    await say(store, await push_to(store), bot())
    [first] = await claim(store)
    assert await claim(store, seconds=LEASE - 1) == []
    [second] = await claim(store, seconds=LEASE)
    assert (second.seq, second.attempts) == (first.seq, 1)


async def test_sender_whose_lease_ended_cannot_report(store: Store) -> None:
    await say(store, await push_to(store), bot())
    [late] = await claim(store)
    [current] = await claim(store, seconds=LEASE)
    await store.retry_outbox(late.id, NOW, "late")
    await store.kill_outbox(late.id, "late")
    assert await claim(store, seconds=LEASE + 1) == []  # still held by the second
    assert (await store.statistics())["outbox_dead"] == 0
    await store.finish_outbox(current.id, "42")
    await store.retry_outbox(current.id, NOW, "twice")
    assert (await store.statistics())["outbox_waiting"] == 0


async def test_retry_waits_for_its_time(store: Store) -> None:
    await say(store, await push_to(store), bot())
    [item] = await claim(store)
    await store.retry_outbox(item.id, NOW + timedelta(seconds=60), "502")
    assert await claim(store, seconds=59) == []
    [again] = await claim(store, seconds=60)
    assert again.attempts == 1


async def test_dead_line_is_told_and_lets_the_next_through(store: Store) -> None:
    conversation = await push_to(store)
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW,
            opened=(form("A-1"),),
            messages=(bot("一"), bot("二")),
        )
    )
    [item] = await claim(store)
    await store.kill_outbox(item.id, "blocked by the user")
    assert await store.undelivered("A-1") == ["blocked by the user"]
    assert [item.seq for item in await claim(store)] == [2]
