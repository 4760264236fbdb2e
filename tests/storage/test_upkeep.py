"""Contract: counts, and the end of what has had its term."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.core.handoff import TicketAction
from bot.storage.store import Store, Turn
from tests.storage.builders import (
    NOW,
    answer,
    begin,
    bot,
    change,
    citizen,
    message,
    open_ticket,
    receive,
    say,
)

LATER = NOW + timedelta(days=10)


async def test_statistics(store: Store) -> None:
    await open_ticket(store, "A-1")
    await say(store, await begin(store, "b", push=True, channel="telegram"), bot())
    await receive(store, message())
    assert await store.statistics() == {
        "conversations": 2,
        "inbox_waiting": 1,
        "inbox_parked": 0,
        "outbox_waiting": 1,
        "outbox_dead": 0,
        "tickets": {"waiting": 1},
        "answers": {},
    }


async def test_old_conversations_go_unless_a_ticket_is_open(store: Store) -> None:
    await begin(store, "idle")
    opened = await open_ticket(store, "A-1", sender="open")
    await begin(store, "recent", received_at=LATER)
    assert await store.purge(LATER, {"conversations": 9}) == {"forgotten": 0, "conversations": 1}
    assert await store.find_conversation("web", "", "idle") is None
    conversation = await store.find_conversation("web", "", "open")
    assert conversation is not None
    closed = change(opened, TicketAction.CLOSE)
    await store.commit(Turn(conversation=conversation, at=NOW, changes=(closed,)))
    assert (await store.purge(LATER, {"conversations": 9}))["conversations"] == 1
    detail = await store.ticket("A-1")
    assert detail is not None
    assert (detail.conversation, detail.contact) == (None, None)


async def test_each_term_ends_what_it_names(store: Store) -> None:
    conversation = await begin(store, "a", push=True, channel="telegram")
    await store.commit(
        Turn(
            conversation=conversation, at=NOW, messages=(citizen("话"), bot()), answers=(answer(),)
        )
    )
    [item] = await store.claim_outbox("telegram", NOW, 30)
    await store.finish_outbox(item.id, "1")
    opened = await open_ticket(store, "A-1")
    waits = await open_ticket(store, "A-2")
    own = await store.ticket_conversation("A-1")
    assert own is not None
    closed = change(opened, TicketAction.CLOSE)
    await store.commit(Turn(conversation=own, at=NOW, changes=(closed,)))
    await receive(store, message("还在等"))
    await store.record_login("wang", "10.0.0.1", False, NOW)

    terms = ["inbox", "contacts", "answers", "outbox", "openings", "logins", "staff_sessions"]
    young = await store.purge(LATER, dict.fromkeys(terms, 11))
    assert set(young.values()) == {0}
    counts = await store.purge(LATER, dict.fromkeys(terms, 9))
    assert counts == {
        "forgotten": 0,
        "inbox": 3,
        "contacts": 1,
        "answers": 1,
        "outbox": 1,
        "openings": 2,
        "logins": 1,
        "staff_sessions": 0,
    }
    closed_detail, open_detail = await store.ticket("A-1"), await store.ticket(waits.code)
    assert closed_detail is not None
    assert closed_detail.contact is None
    assert open_detail is not None
    assert open_detail.contact is not None
    assert (await store.statistics())["inbox_waiting"] == 1
    assert len(await store.messages(conversation)) == 2


async def test_more_than_one_step(store: Store) -> None:
    many = [message(sender=f"person-{number}") for number in range(450)]
    receipts = await receive(store, *many)
    for receipt in receipts:
        await store.park(receipt.inbox, "test")
    assert (await store.purge(LATER, {"inbox": 1}))["inbox"] == 450


async def test_unknown_term_is_refused(store: Store) -> None:
    with pytest.raises(ValueError, match="unknown terms"):
        await store.purge(LATER, {"everything": 1})
