"""Contract: tickets change by the table of their states, one change at a time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest

from bot.core.handoff import (
    TRANSITIONS,
    HandoffKind,
    Outcome,
    Ticket,
    TicketAction,
    TicketError,
    TicketState,
)
from bot.storage.store import (
    Author,
    NewMessage,
    Role,
    Store,
    TicketChange,
    TicketConflict,
    TicketFilter,
    Turn,
)
from tests.storage.builders import NOW, begin, change, citizen, form, open_ticket, say, ticket

PATHS: dict[TicketState, tuple[TicketAction, ...]] = {
    TicketState.WAITING: (),
    TicketState.CLAIMED: (TicketAction.CLAIM,),
    TicketState.REPLIED: (TicketAction.CLAIM, TicketAction.REPLY),
    TicketState.CLOSED: (TicketAction.CLOSE,),
    TicketState.WITHDRAWN: (TicketAction.WITHDRAW,),
}
"""How a new ticket comes into each state."""


async def act(store: Store, code: str, action: TicketAction, **fields: object) -> Ticket:
    conversation = await store.ticket_conversation(code)
    assert conversation is not None
    made = change(await ticket(store, code), action, **fields)
    await store.commit(Turn(conversation=conversation, at=NOW, changes=(made,)))
    return await ticket(store, code)


async def test_new_ticket(store: Store) -> None:
    due = NOW + timedelta(hours=4)
    opened = await open_ticket(store, "A-1", urgent=True, due_at=due)
    assert opened == Ticket(
        code="A-1",
        kind=HandoffKind.LEGAL_AID,
        state=TicketState.WAITING,
        topic="wage-arrears",
        matter=1,
        county="suixian",
        urgent=True,
        opened_at=NOW,
        due_at=due,
        acted_at=NOW,
    )
    detail = await store.ticket("A-1")
    assert detail is not None
    assert detail.citations == ("labor-arbitration", "law/劳动法/50")
    assert detail.channel == "web"
    assert await store.ticket("nothing") is None
    assert await store.ticket_conversation("nothing") is None


def test_there_is_a_path_to_every_state() -> None:
    assert PATHS.keys() == set(TicketState)


@pytest.mark.parametrize(("state", "action"), list(product(TicketState, TicketAction)))
async def test_every_action_in_every_state(
    store: Store, state: TicketState, action: TicketAction
) -> None:
    await open_ticket(store, "A-1")
    for step in PATHS[state]:
        await act(store, "A-1", step)
    before = await store.ticket("A-1")
    assert before is not None
    conversation = before.conversation
    assert conversation is not None
    after = TRANSITIONS.get((state, action))
    moved = replace(before.ticket, state=after or TicketState.CLAIMED)
    turn = Turn(
        conversation=conversation, at=NOW, changes=(TicketChange(ticket=moved, action=action),)
    )
    if after is None:
        with pytest.raises(TicketError):
            await store.commit(turn)
        assert await store.ticket("A-1") == before
    else:
        await store.commit(turn)
        detail = await store.ticket("A-1")
        assert detail is not None
        assert detail.ticket == replace(moved, version=moved.version + 1)
        assert (detail.events[-1].action, detail.events[-1].state) == (action, after)


async def test_state_that_does_not_follow_is_refused(store: Store) -> None:
    opened = await open_ticket(store, "A-1")
    conversation = await begin(store)
    wrong = TicketChange(
        ticket=replace(opened, state=TicketState.CLOSED), action=TicketAction.CLAIM
    )
    with pytest.raises(ValueError, match="leads to claimed"):
        await store.commit(Turn(conversation=conversation, at=NOW, changes=(wrong,)))
    assert await ticket(store, "A-1") == opened


async def test_one_of_two_who_act_at_once_wins(store: Store) -> None:
    opened = await open_ticket(store, "A-1")
    conversation = await begin(store)
    staff = [await store.add_staff(login, login, Role.CLERK, "x") for login in "ab"]
    turns = [
        Turn(
            conversation=conversation,
            at=NOW,
            changes=(change(opened, TicketAction.CLAIM, owner=one.id, actor=one.id),),
        )
        for one in staff
    ]
    outcomes = await asyncio.gather(*map(store.commit, turns), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes].count(TicketConflict) == 1
    winner = staff[outcomes.index(None)]
    claimed = await ticket(store, "A-1")
    assert (claimed.owner, claimed.owner_name, claimed.version) == (winner.id, winner.name, 1)


@pytest.mark.parametrize("version", [0, 1], ids=["uncounted", "counted"])
async def test_changes_of_one_turn_follow_each_other(store: Store, version: int) -> None:
    opened = await open_ticket(store, "A-1")
    conversation = await begin(store)
    added = change(opened, TicketAction.CITIZEN_ADD)
    raised = change(replace(added.ticket, version=version), TicketAction.RAISE, urgent=True)
    await store.commit(Turn(conversation=conversation, at=NOW, changes=(added, raised)))
    detail = await store.ticket("A-1")
    assert detail is not None
    assert (detail.ticket.urgent, detail.ticket.version) == (True, 2)
    assert [event.action for event in detail.events] == ["open", "citizen_add", "raise"]


async def test_ticket_of_another_conversation_cannot_be_changed(store: Store) -> None:
    opened = await open_ticket(store, "A-1")
    stranger = await begin(store, sender="stranger")
    noted = change(opened, TicketAction.NOTE)
    with pytest.raises(TicketConflict):
        await store.commit(Turn(conversation=stranger, at=NOW, changes=(noted,)))


async def test_history_names_who_did_what(store: Store) -> None:
    await open_ticket(store, "A-1")
    clerk = await store.add_staff("wang", "王敏", Role.CLERK, "x")
    await act(store, "A-1", TicketAction.CLAIM, owner=clerk.id, talking=True, actor=clerk.id)
    closed = await act(store, "A-1", TicketAction.CLOSE, outcome=Outcome.ANSWERED, actor=clerk.id)
    assert (closed.outcome, closed.owner_name) == (Outcome.ANSWERED, "王敏")
    detail = await store.ticket("A-1")
    assert detail is not None
    assert [(e.seq, e.action, e.actor, e.actor_name, e.state) for e in detail.events] == [
        (1, "open", None, "", TicketState.WAITING),
        (2, "claim", clerk.id, "王敏", TicketState.CLAIMED),
        (3, "close", clerk.id, "王敏", TicketState.CLOSED),
    ]
    assert detail.events[0].detail == {"kind": "legal_aid"}


async def test_transcript_leaves_out_the_lines_of_other_tickets(store: Store) -> None:
    await open_ticket(store, "A-1")
    await open_ticket(store, "B-1")
    conversation = await begin(store)
    note = NewMessage(author=Author.NOTE, text="内部", ticket="A-1")
    await say(store, conversation, citizen("开头"), note, citizen("另一件", ticket="B-1"))
    detail = await store.ticket("A-1")
    assert detail is not None
    assert [line.text for line in detail.transcript] == ["开头", "内部"]


async def test_queue_order_and_filter(store: Store) -> None:
    later, soon = NOW + timedelta(hours=2), NOW + timedelta(hours=1)
    await open_ticket(store, "no-due")
    await open_ticket(store, "later", due_at=later, kind=HandoffKind.CONSULT)
    await open_ticket(store, "soon", due_at=soon, county="guangshui")
    await open_ticket(store, "urgent", urgent=True, due_at=later, county=None)
    clerk = await store.add_staff("wang", "王敏", Role.CLERK, "x")
    await act(store, "later", TicketAction.CLAIM, owner=clerk.id)

    async def codes(**wanted: object) -> list[str]:
        return [each.code for each in await store.tickets(TicketFilter(**wanted))]  # type: ignore[arg-type]  # any field

    assert await codes() == ["urgent", "soon", "later", "no-due"]
    assert await codes(limit=2) == ["urgent", "soon"]
    assert await codes(states=(TicketState.CLAIMED,)) == ["later"]
    assert await codes(kinds=(HandoffKind.CONSULT, HandoffKind.REPORT)) == ["later"]
    assert await codes(counties=("guangshui",)) == ["soon"]
    assert await codes(owner=clerk.id) == ["later"]
    assert await codes(owner=clerk.id, counties=("guangshui",)) == []


async def test_silent_tickets(store: Store) -> None:
    for code, acted, talking in (
        ("rests", NOW, True),
        ("busy", NOW + timedelta(hours=2), True),
        ("quiet", NOW, False),
        ("closed", NOW, True),
    ):
        await open_ticket(store, code)
        await act(store, code, TicketAction.CLAIM, talking=talking, acted_at=acted)
    await act(store, "closed", TicketAction.CLOSE)
    silent = await store.silent_since(NOW + timedelta(hours=1))
    assert [each.code for each in silent] == ["rests"]


async def test_contact_is_not_found_under_another_code(store: Store) -> None:
    conversation = await begin(store)
    forms = (form("A-1", phone="13800000001"), form("A-2", phone="13800000002", place_words="湾里"))
    await store.commit(Turn(conversation=conversation, at=NOW, opened=forms))
    details = [await store.ticket(code) for code in ("A-1", "A-2")]
    contacts = [each.contact for each in details if each and each.contact]
    assert [each.phone for each in contacts] == ["13800000001", "13800000002"]
    assert contacts[1].place_words == "湾里"
