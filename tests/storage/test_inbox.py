"""Contract: what is received is stored once, in order, in one conversation a person."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from bot.core.inbound import MessageKind
from bot.storage.store import AlreadyHandled, StorageError, Store, Turn
from tests.storage.builders import NOW, begin, citizen, message, receive


async def test_message_comes_back_as_it_was_received(store: Store) -> None:
    sent = message(
        text="工资👨‍👩‍👧\u202e\0", kind=MessageKind.CHOICE, choice="topic:1", account="a"
    )
    [receipt] = await receive(store, sent)
    item = await store.next_item(receipt.conversation)
    assert item is not None
    assert (item.id, item.message, item.attempts) == (receipt.inbox, sent, 0)


async def test_lone_surrogates_are_replaced_not_refused(store: Store) -> None:
    [receipt] = await store.receive([(message(text="a\ud800b"), b"")], False)
    item = await store.next_item(receipt.conversation)
    assert item is not None
    assert item.message.text == "a?b"


async def test_redelivery_changes_nothing(store: Store) -> None:
    first = message(key="same")
    again = await asyncio.gather(*(receive(store, first) for _ in range(4)))
    receipts = [receipt for [receipt] in again]
    assert sorted(receipt.fresh for receipt in receipts) == [False, False, False, True]
    assert len({receipt.inbox for receipt in receipts}) == 1
    assert (await store.statistics())["inbox_waiting"] == 1


async def test_redelivery_after_the_turn_changes_nothing(store: Store) -> None:
    first = message(key="same")
    [receipt] = await receive(store, first)
    await store.commit(Turn(conversation=receipt.conversation, at=NOW, inbox=receipt.inbox))
    [again] = await receive(store, first)
    assert not again.fresh
    assert await store.next_item(receipt.conversation) is None


async def test_same_key_of_another_account_is_another_message(store: Store) -> None:
    receipts = await receive(store, message(key="1", account="a"), message(key="1", account="b"))
    assert all(receipt.fresh for receipt in receipts)
    assert receipts[0].conversation != receipts[1].conversation


async def test_two_first_messages_at_once_make_one_conversation(
    open_store: Callable[[], Store],
) -> None:
    """Chatwoot #14210: read-then-write made two."""
    first, second = open_store(), open_store()  # as two processes would have it
    people = [f"person-{number}" for number in range(20)]
    receipts = await asyncio.gather(
        *(receive(store, message(sender=who)) for who in people for store in (first, second))
    )
    assert len({receipt.conversation for [receipt] in receipts}) == len(people)
    assert (await first.statistics())["conversations"] == len(people)


async def test_items_come_in_order_and_attempts_are_counted(store: Store) -> None:
    receipts = await receive(store, message("一"), message("二"))
    conversation = receipts[0].conversation
    tries = [await store.next_item(conversation) for _ in range(3)]
    assert [(item.message.text, item.attempts) for item in tries if item] == [
        ("一", 0),
        ("一", 1),
        ("一", 2),
    ]
    await store.commit(Turn(conversation=conversation, at=NOW, inbox=receipts[0].inbox))
    after = await store.next_item(conversation)
    assert after is not None
    assert after.message.text == "二"


async def test_unfinished_lists_the_longest_waiting_first(store: Store) -> None:
    [later] = await receive(store, message(sender="b"))
    [sooner, _] = await receive(store, message(sender="a"), message(sender="b"))
    assert await store.unfinished() == [later.conversation, sooner.conversation]
    await store.commit(Turn(conversation=later.conversation, at=NOW, inbox=later.inbox))
    assert await store.unfinished() == [sooner.conversation, later.conversation]


async def test_parked_message_lets_the_next_one_through(store: Store) -> None:
    bad, good = await receive(store, message("坏"), message("好"))
    await store.park(bad.inbox, "five tries")
    item = await store.next_item(bad.conversation)
    assert item is not None
    assert item.id == good.inbox
    assert (await store.statistics())["inbox_parked"] == 1


async def test_a_message_has_its_effects_once(store: Store) -> None:
    [receipt] = await receive(store, message())
    turn = Turn(
        conversation=receipt.conversation,
        at=NOW,
        inbox=receipt.inbox,
        messages=(citizen("老板拖欠工资"),),
    )
    outcomes = await asyncio.gather(*(store.commit(turn) for _ in range(3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(AlreadyHandled) == 2
    assert len(await store.messages(receipt.conversation)) == 1


async def test_cancelled_receive_harms_nobody(store: Store) -> None:
    tasks = [asyncio.create_task(receive(store, message(key=str(n)))) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    kept = [outcome for outcome in outcomes[1::2] if isinstance(outcome, list)]
    assert len(kept) == 10
    [again] = await receive(store, message(key="1"))
    assert not again.fresh


async def test_receive_is_all_or_nothing(store: Store) -> None:
    broken = message(key="\ud800")  # cannot be written
    with pytest.raises(ValueError, match="surrogates"):
        await receive(store, message(), broken)
    assert (await store.statistics())["inbox_waiting"] == 0


async def test_reopened_store_goes_on(open_store: Callable[[], Store]) -> None:
    store = open_store()
    conversation = await begin(store)
    [waiting] = await receive(store, message("还在等"))
    await store.close()
    store = open_store()
    assert await store.unfinished() == [conversation] == [waiting.conversation]
    assert await store.find_conversation("web", "", "citizen") == conversation
    assert await store.find_conversation("web", "", "stranger") is None


async def test_closed_store_says_so(store: Store) -> None:
    await store.close()
    await store.close()
    with pytest.raises(StorageError, match="已经关闭"):
        await receive(store, message())
