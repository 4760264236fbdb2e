"""Contract: a turn is written whole or not at all, and read back as it was."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.core.handoff import HandoffKind, TicketAction
from bot.core.intake import Answers
from bot.core.session import Matter, Session
from bot.storage.store import (
    Author,
    Contact,
    NewMessage,
    StorageError,
    Store,
    StoredMessage,
    TicketConflict,
    Turn,
)
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
    reply,
    say,
    ticket,
)


def session_of(conversation: int) -> Session:
    return Session(
        conversation=conversation,
        channel="web",
        matters=(Matter(id=3, topic="wage-arrears", words="三个月没给钱"),),
        current=3,
        last_matter=3,
        intake=Answers(
            kind=HandoffKind.LEGAL_AID, matter=3, phone="13800001111", submission="form"
        ),
        acknowledged_at=NOW,
    )


async def test_fresh_session(store: Store) -> None:
    conversation = await begin(store, channel="telegram")
    fresh = Session(conversation=conversation, channel="telegram")
    assert await store.load_session(conversation) == fresh


async def test_session_comes_back_with_its_tickets_newest_first(store: Store) -> None:
    conversation = await begin(store)
    session = session_of(conversation)
    first = Turn(conversation=conversation, at=NOW, session=session, opened=(form("A-1"),))
    await store.commit(first)
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW + timedelta(seconds=1),
            opened=(form("A-2", matter=2),),
        )
    )
    loaded = await store.load_session(conversation)
    assert [each.code for each in loaded.tickets] == ["A-2", "A-1"]
    # Saving it with the tickets in it does not store those a second time.
    await store.commit(Turn(conversation=conversation, at=NOW, session=loaded))
    assert await store.load_session(conversation) == loaded


async def test_unknown_conversation_is_named(store: Store) -> None:
    with pytest.raises(StorageError, match="没有第 77 号对话"):
        await store.load_session(77)
    with pytest.raises(StorageError, match="没有第 77 号对话"):
        await store.commit(Turn(conversation=77, at=NOW))


async def test_times_without_a_zone_are_refused(store: Store) -> None:
    conversation = await begin(store)
    with pytest.raises(TypeError):
        await store.commit(Turn(conversation=conversation, at=datetime(2026, 11, 24)))


async def test_messages_are_numbered_and_read_from_anywhere(store: Store) -> None:
    conversation = await begin(store)
    other = await begin(store, sender="other")
    at = datetime(2026, 11, 24, 8, 0, 0, 123457, tzinfo=UTC)
    lines = (
        citizen("没给钱\ud800", client_key="k1"),
        bot("先投诉。", ticket="A-1"),
        NewMessage(author=Author.NOTE, text="内部", ticket="A-1", staff_name="王"),
        NewMessage(author=Author.STAFF, text="我来办", ticket="A-1", staff_name="王"),
    )
    await store.commit(Turn(conversation=conversation, at=at, messages=lines))
    await say(store, other, citizen("别人的话"))
    assert await store.messages(conversation) == [
        StoredMessage(seq=1, at=at, author=Author.CITIZEN, text="没给钱?", client_key="k1"),
        StoredMessage(seq=2, at=at, author=Author.BOT, reply=reply("先投诉。"), ticket="A-1"),
        StoredMessage(
            seq=4, at=at, author=Author.STAFF, text="我来办", ticket="A-1", staff_name="王"
        ),
    ]
    assert [line.seq for line in await store.messages(conversation, after=1, limit=1)] == [2]
    assert await store.messages(conversation, after=4) == []


async def test_a_failing_turn_changes_nothing(store: Store) -> None:
    conversation = await begin(store)
    [waiting] = await receive(store, message())
    await store.commit(Turn(conversation=conversation, at=NOW, opened=(form("A-1"),)))
    stale = change(await ticket(store, "A-1"), TicketAction.NOTE)
    await store.commit(Turn(conversation=conversation, at=NOW, changes=(stale,)))
    before = await store.export(conversation)
    with pytest.raises(TicketConflict):
        await store.commit(
            Turn(
                conversation=conversation,
                at=NOW,
                inbox=waiting.inbox,
                session=session_of(conversation),
                messages=(citizen("一"), bot()),
                opened=(form("A-2"),),
                changes=(stale,),
                answers=(answer(),),
            )
        )
    assert await store.export(conversation) == before
    assert await store.ticket("A-2") is None
    assert await store.unfinished() == [conversation]


async def test_export_holds_everything_but_inner_notes(store: Store) -> None:
    opened = await open_ticket(store, "A-1")
    conversation = await begin(store)
    note = NewMessage(author=Author.NOTE, text="内部", ticket="A-1", staff_name="王")
    await store.commit(
        Turn(
            conversation=conversation,
            at=NOW,
            session=session_of(conversation),
            messages=(citizen("没给钱"), note),
            changes=(change(opened, TicketAction.NOTE),),
            answers=(answer("没给钱"),),
        )
    )
    await receive(store, message("还有一件事"))
    data = await store.export(conversation)
    assert data["conversation"]["channel"] == "web"
    assert data["session"]["intake"]["phone"] == "13800001111"
    assert [line["text"] for line in data["messages"]] == ["没给钱"]
    assert [each["text"] for each in data["waiting"]] == ["还有一件事"]
    [exported] = data["tickets"]
    assert exported["code"] == "A-1"
    assert exported["contact"]["phone"] == "13800001111"
    assert [event["action"] for event in exported["events"]] == ["open", "note"]
    assert [each["redacted"] for each in data["answers"]] == ["没给钱"]


async def test_openings_are_counted_by_person_and_by_address(store: Store) -> None:
    for number, sender in enumerate(["a", "a", "b"]):
        [receipt] = await receive(store, message(sender=sender, address="10.0.0.1"))
        await store.commit(
            Turn(
                conversation=receipt.conversation,
                at=NOW + timedelta(hours=number),
                inbox=receipt.inbox,
                opened=(form(f"A-{number}"),),
            )
        )
    conversation = await store.find_conversation("web", "", "a")
    assert conversation is not None
    assert await store.count_openings(conversation, "10.0.0.1", NOW) == (2, 3)
    assert await store.count_openings(conversation, "10.0.0.2", NOW) == (2, 0)
    assert await store.count_openings(conversation, None, NOW + timedelta(hours=1)) == (1, 0)
    # The message a turn works on names the same address without showing it.
    await receive(store, message(sender="a", address="10.0.0.1"))
    item = await store.next_item(conversation)
    assert item is not None
    assert item.message.address not in (None, "10.0.0.1")
    assert await store.count_openings(conversation, item.message.address, NOW) == (2, 3)


async def test_opening_the_same_form_again_changes_nothing(store: Store) -> None:
    opened = await open_ticket(store, "A-1", submission="form")
    conversation = await begin(store)
    again = Turn(
        conversation=conversation,
        at=NOW + timedelta(hours=1),
        messages=(citizen("再发一次"),),
        opened=(form("A-2", submission="form", phone="13900000000"),),
    )
    await store.commit(again)
    assert await store.ticket("A-2") is None
    detail = await store.ticket("A-1")
    assert detail is not None
    assert detail.ticket == opened
    assert detail.contact == Contact(
        phone="13800001111",
        place_words="",
        town="lishan",
        who="self",
        story="工地上干了三个月没给钱",
    )
    assert (await store.count_openings(conversation, None, NOW))[0] == 1
    assert [line.text for line in await store.messages(conversation)] == ["再发一次"]


async def test_channel_state(store: Store) -> None:
    assert await store.channel_state("telegram", "") == {}
    await store.set_channel_state("telegram", "", {"offset": 1})
    await store.set_channel_state("telegram", "", {"offset": 2})
    await store.set_channel_state("telegram", "b", {"offset": 9})
    assert await store.channel_state("telegram", "") == {"offset": 2}
