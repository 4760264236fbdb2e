"""Contract: a person's words can be deleted, and only they."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.handoff import TicketAction, TicketState
from bot.core.session import Session
from bot.storage.store import Author, Store, TicketConflict, Turn
from tests.storage.builders import (
    NOW,
    answer,
    begin,
    bot,
    change,
    citizen,
    form,
    message,
    open_ticket,
    receive,
    say,
    ticket,
)


async def lived_in(store: Store, sender: str, push: bool = False) -> int:
    """A conversation with something of everything."""
    conversation = await begin(store, sender, push=push, channel="telegram" if push else "web")
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW,
            session=Session(conversation=conversation, channel="web", place="suixian"),
            messages=(citizen(f"{sender}说的话"), bot(f"答{sender}")),
            opened=(form(f"{sender}-1"), form(f"{sender}-2")),
            answers=(answer(f"{sender}问的"),),
        )
    )
    closed = change(await ticket(store, f"{sender}-2"), TicketAction.CLOSE)
    await store.commit(Turn(conversation=conversation, at=NOW, changes=(closed,)))
    return conversation


async def forget(store: Store, sender: str, conversation: int, push: bool = False) -> None:
    channel = "telegram" if push else "web"
    [asked] = await receive(store, message("删除", sender=sender, channel=channel), push=push)
    farewell = (citizen("删除"), bot("已经删除。"))
    await store.commit(
        Turn(conversation=conversation, at=NOW, inbox=asked.inbox, messages=farewell, forget=True)
    )


async def test_everything_goes_but_the_farewell(store: Store) -> None:
    conversation = await lived_in(store, "a")
    before = await store.messages(conversation)
    await forget(store, "a", conversation)
    [last] = await store.messages(conversation)
    assert (last.author, last.seq) == (Author.BOT, before[-1].seq + 1)  # a waiting page sees it
    assert await store.load_session(conversation) == Session(
        conversation=conversation, channel="web"
    )
    data = await store.export(conversation)
    assert (data["tickets"], data["answers"], data["waiting"]) == ([], [], [])
    await store.purge(NOW + timedelta(hours=2), {})
    assert await store.find_conversation("web", "", "a") is None


async def test_tickets_stay_but_point_to_nobody(store: Store) -> None:
    conversation = await lived_in(store, "a")
    await forget(store, "a", conversation)
    for code, state, last in (
        ("a-1", TicketState.WITHDRAWN, "withdraw"),
        ("a-2", TicketState.CLOSED, "close"),
    ):
        detail = await store.ticket(code)
        assert detail is not None
        assert (detail.conversation, detail.contact, detail.transcript) == (None, None, ())
        assert (detail.ticket.state, detail.events[-1].action) == (state, last)
        assert await store.ticket_conversation(code) is None
        assert await store.undelivered(code) == []


async def test_others_are_untouched(store: Store) -> None:
    conversation, other = await lived_in(store, "a"), await lived_in(store, "b")
    before = await store.export(other)
    await forget(store, "a", conversation)
    await store.purge(NOW + timedelta(hours=2), {})
    await store.scrub()
    assert await store.export(other) == before


async def test_staff_who_were_answering_hear_of_it(store: Store) -> None:
    opened = await open_ticket(store, "a-1", sender="a")
    conversation = await begin(store, "a")
    claim = change(opened, TicketAction.CLAIM)
    await forget(store, "a", conversation)
    with pytest.raises(TicketConflict):
        await store.commit(Turn(conversation=conversation, at=NOW, changes=(claim,)))


async def test_redelivery_does_not_bring_back_what_was_deleted(store: Store) -> None:
    first, wish = message("没给钱", sender="a"), message("删除", sender="a")
    [receipt] = await receive(store, first)
    await store.commit(Turn(conversation=receipt.conversation, at=NOW, inbox=receipt.inbox))
    [asked] = await receive(store, wish)
    turn = Turn(conversation=receipt.conversation, at=NOW, inbox=asked.inbox, forget=True)
    await store.commit(turn)
    await store.purge(NOW + timedelta(hours=2), {})
    for again in await receive(store, first, wish):
        assert not again.fresh
    assert await store.find_conversation("web", "", "a") is None
    assert (await store.statistics())["conversations"] == 0


async def test_later_messages_are_a_new_beginning(store: Store) -> None:
    conversation = await lived_in(store, "a")
    wish, later = await receive(
        store, message("删除", sender="a"), message("又来了一件事", sender="a")
    )
    await store.commit(Turn(conversation=conversation, at=NOW, inbox=wish.inbox, forget=True))
    item = await store.next_item(conversation)
    assert item is not None
    assert item.id == later.inbox
    await store.purge(NOW + timedelta(hours=2), {})
    assert await store.find_conversation("web", "", "a") == conversation


async def test_who_writes_again_keeps_the_farewell_and_is_kept(store: Store) -> None:
    conversation = await lived_in(store, "a")
    await forget(store, "a", conversation)
    assert await begin(store, "a") == conversation
    await store.purge(NOW + timedelta(hours=2), {})
    assert len(await store.messages(conversation)) == 1


async def test_push_channel_sends_the_farewell_and_only_it(store: Store) -> None:
    conversation = await lived_in(store, "a", push=True)
    await forget(store, "a", conversation, push=True)
    await store.purge(NOW + timedelta(hours=2), {})  # it still has to be sent
    [item] = await store.claim_outbox("telegram", NOW, 30)
    assert item.message.reply == bot("已经删除。").reply
    await store.finish_outbox(item.id, "42")
    assert await store.find_conversation("telegram", "", "a") is None


async def test_ids_are_never_used_again(store: Store) -> None:
    """A page left open after a deletion must not show a stranger's conversation."""
    conversation = await begin(store, "a")
    await forget(store, "a", conversation)
    await store.purge(NOW + timedelta(hours=2), {})
    assert await begin(store, "b") > conversation


async def test_limit_of_an_address_outlives_the_deletion(store: Store) -> None:
    [receipt] = await receive(store, message(sender="a", address="10.0.0.1"))
    await store.commit(
        Turn(conversation=receipt.conversation, at=NOW, inbox=receipt.inbox, opened=(form("a-1"),))
    )
    await forget(store, "a", receipt.conversation)
    assert await store.count_openings(receipt.conversation, "10.0.0.1", NOW) == (0, 1)


async def test_deleting_an_empty_conversation_is_fine(store: Store) -> None:
    conversation = await begin(store, "a")
    await store.commit(Turn(conversation=conversation, at=NOW, forget=True))
    await say(store, conversation, bot("再见"))
    assert len(await store.messages(conversation)) == 1
