"""Tickets: opened once, changed only by an action their state allows, never deleted.

What happened to a ticket is told by its events, which the schema makes append-only. A
ticket and its events hold codes and ids; names, words and numbers stand in `contacts`,
sealed, and in the messages.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from bot.core.effects import OpenTicket
from bot.core.handoff import (
    OPEN_STATES,
    HandoffKind,
    Outcome,
    Ticket,
    TicketAction,
    TicketState,
    next_state,
)
from bot.storage import messages
from bot.storage.documents import DocumentError, dump, load, printable
from bot.storage.stamps import from_stamp, to_stamp
from bot.storage.store import (
    Contact,
    TicketChange,
    TicketConflict,
    TicketDetail,
    TicketEvent,
    TicketFilter,
)
from bot.storage.vault import Vault, VaultError

_TICKET = (
    "SELECT tickets.*, coalesce(staff.name, '') AS owner_name"
    " FROM tickets LEFT JOIN staff ON staff.id = tickets.owner"
)


# -- writing -------------------------------------------------------------------


def open_ticket(
    db: sqlite3.Connection,
    vault: Vault,
    conversation: sqlite3.Row,
    form: OpenTicket,
    at: int,
) -> bool:
    """Open a ticket unless its ``submission`` was opened before; return whether it was."""
    added = db.execute(
        "INSERT INTO tickets (code, submission, conversation, channel, kind, state, topic, matter,"
        " county, urgent, talking, opened_at, due_at, acted_at, citations, consent_version,"
        " version) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?, ?, ?, 0)"
        " ON CONFLICT (submission) DO NOTHING",
        (
            form.code,
            form.submission,
            conversation["id"],
            conversation["channel"],
            form.kind,
            TicketState.WAITING,
            form.topic,
            form.matter,
            form.county,
            form.urgent,
            at,
            to_stamp(form.due_at),
            at,
            json.dumps(form.citations, ensure_ascii=False),
            form.consent_version,
        ),
    )
    if not added.rowcount:
        return False
    contact = Contact(
        phone=printable(form.phone),
        place_words=printable(form.place_words or ""),
        town=form.town,
        who=form.who,
        story=printable(form.story),
    )
    db.execute(
        "INSERT INTO contacts (ticket, contact) VALUES (?, ?)",
        (form.code, vault.seal(dump(contact), _place(form.code))),
    )
    _note(db, form.code, at, "open", None, TicketState.WAITING, {"kind": form.kind})
    return True


def change(
    db: sqlite3.Connection, conversation: int, changes: Sequence[TicketChange], at: int
) -> None:
    """Apply ``changes`` in order.

    Raises `TicketConflict` if a ticket was changed since it was read, `TicketError` if its
    state forbids the action.
    """
    begun: set[str] = set()
    for each in changes:
        stored = _find(db, each.ticket.code)
        if (
            stored is None
            or stored["conversation"] != conversation
            or (each.ticket.code not in begun and stored["version"] != each.ticket.version)
        ):
            raise TicketConflict(f"工单 {each.ticket.code} 刚被别人处理过，请刷新后再操作。")
        begun.add(each.ticket.code)
        after = next_state(TicketState(stored["state"]), each.action)
        if after is not each.ticket.state:
            raise ValueError(f"{each.action} leads to {after}, not to {each.ticket.state}")
        _change(db, each, at)


def withdraw_open(db: sqlite3.Connection, conversation: int, at: int) -> None:
    """Withdraw the open tickets of a conversation that is being deleted."""
    for ticket in of_conversation(db, conversation):
        if ticket.state in OPEN_STATES:
            withdrawn = replace(
                ticket, state=TicketState.WITHDRAWN, talking=False, acted_at=from_stamp(at)
            )
            gone = TicketChange(
                ticket=withdrawn,
                action=TicketAction.WITHDRAW,
                detail={"reason": "forgotten"},
            )
            change(db, conversation, [gone], at)


# -- reading -------------------------------------------------------------------


def of_conversation(db: sqlite3.Connection, conversation: int) -> list[Ticket]:
    """Return the tickets of a conversation, newest first."""
    rows = db.execute(
        f"{_TICKET} WHERE conversation = ? ORDER BY opened_at DESC, tickets.id DESC",
        (conversation,),
    )
    return [_to_ticket(row) for row in rows]


def search(db: sqlite3.Connection, wanted: TicketFilter) -> list[Ticket]:
    """Return tickets, urgent first, then by due time, then oldest first (or as wanted)."""
    conditions, values = ["1"], list[str | int]()
    for column, allowed in (
        ("state", wanted.states),
        ("kind", wanted.kinds),
        ("county", wanted.counties),
    ):
        if allowed:
            conditions.append(f"{column} IN ({', '.join('?' * len(allowed))})")
            values += allowed
    if wanted.owner is not None:
        conditions.append("owner = ?")
        values.append(wanted.owner)
    order = "urgent DESC, due_at IS NULL, due_at, opened_at, tickets.id"
    if wanted.newest_first:
        order = "acted_at DESC, tickets.id DESC"
    rows = db.execute(
        f"{_TICKET} WHERE {' AND '.join(conditions)} ORDER BY {order} LIMIT ?",
        (*values, wanted.limit),
    )
    return [_to_ticket(row) for row in rows]


def silent_since(db: sqlite3.Connection, before: datetime) -> list[Ticket]:
    """Return the open tickets whose staff have the conversation and that rest since then."""
    open_states = sorted(OPEN_STATES)
    rows = db.execute(
        f"{_TICKET} WHERE state IN ({', '.join('?' * len(open_states))})"
        " AND acted_at <= ? AND talking ORDER BY acted_at",
        (*open_states, to_stamp(before)),
    )
    return [_to_ticket(row) for row in rows]


def conversation_of(db: sqlite3.Connection, code: str) -> int | None:
    row = db.execute("SELECT conversation FROM tickets WHERE code = ?", (code,)).fetchone()
    return row["conversation"] if row else None


def detail(db: sqlite3.Connection, vault: Vault, code: str) -> TicketDetail | None:
    """Return a ticket with everything its owner may see."""
    row = _find(db, code)
    if row is None:
        return None
    conversation = row["conversation"]
    lines = messages.transcript(db, conversation, code) if conversation is not None else []
    return TicketDetail(
        ticket=_to_ticket(row),
        conversation=conversation,
        channel=row["channel"],
        contact=contact_of(db, vault, code),
        citations=tuple(json.loads(row["citations"])),
        events=tuple(events_of(db, code)),
        transcript=tuple(lines),
    )


def contact_of(db: sqlite3.Connection, vault: Vault, code: str) -> Contact | None:
    """Return the contact data, or None when it was deleted or cannot be read any more."""
    row = db.execute("SELECT contact FROM contacts WHERE ticket = ?", (code,)).fetchone()
    if row is None:
        return None
    try:
        return load(Contact, vault.open(row["contact"], _place(code)))
    except (DocumentError, VaultError):
        return None


def events_of(db: sqlite3.Connection, code: str) -> list[TicketEvent]:
    """Return what happened to a ticket, oldest first."""
    rows = db.execute(
        "SELECT ticket_events.*, coalesce(staff.name, '') AS actor_name FROM ticket_events"
        " LEFT JOIN staff ON staff.id = ticket_events.actor WHERE ticket = ? ORDER BY seq",
        (code,),
    )
    return [
        TicketEvent(
            seq=row["seq"],
            at=from_stamp(row["at"]),
            action=row["action"],
            actor=row["actor"],
            actor_name=row["actor_name"],
            state=TicketState(row["state"]),
            detail=json.loads(row["detail"]),
        )
        for row in rows
    ]


# -- rows ----------------------------------------------------------------------


def _find(db: sqlite3.Connection, code: str) -> sqlite3.Row | None:
    row: sqlite3.Row | None = db.execute(f"{_TICKET} WHERE code = ?", (code,)).fetchone()
    return row


def _change(db: sqlite3.Connection, change: TicketChange, at: int) -> None:
    ticket = change.ticket
    db.execute(
        "UPDATE tickets SET kind = ?, state = ?, topic = ?, matter = ?, county = ?, urgent = ?,"
        " talking = ?, owner = ?, due_at = ?, acted_at = ?, outcome = ?, version = version + 1"
        " WHERE code = ?",
        (
            ticket.kind,
            ticket.state,
            ticket.topic,
            ticket.matter,
            ticket.county,
            ticket.urgent,
            ticket.talking,
            ticket.owner,
            to_stamp(ticket.due_at),
            to_stamp(ticket.acted_at),
            ticket.outcome,
            ticket.code,
        ),
    )
    _note(db, ticket.code, at, change.action, change.actor, ticket.state, change.detail or {})


def _note(
    db: sqlite3.Connection,
    code: str,
    at: int,
    action: str,
    actor: int | None,
    state: TicketState,
    detail: Mapping[str, str],
) -> None:
    db.execute(
        "INSERT INTO ticket_events (ticket, seq, at, action, actor, state, detail)"
        " SELECT :ticket, 1 + coalesce(max(seq), 0), :at, :action, :actor, :state, :detail"
        " FROM ticket_events WHERE ticket = :ticket",
        {
            "ticket": code,
            "at": at,
            "action": action,
            "actor": actor,
            "state": state,
            "detail": json.dumps(dict(detail), ensure_ascii=False),
        },
    )


def _to_ticket(row: sqlite3.Row) -> Ticket:
    return Ticket(
        code=row["code"],
        kind=HandoffKind(row["kind"]),
        state=TicketState(row["state"]),
        topic=row["topic"],
        matter=row["matter"],
        county=row["county"],
        urgent=bool(row["urgent"]),
        talking=bool(row["talking"]),
        owner=row["owner"],
        owner_name=row["owner_name"],
        opened_at=from_stamp(row["opened_at"]),
        due_at=from_stamp(row["due_at"]),
        acted_at=from_stamp(row["acted_at"]),
        outcome=None if row["outcome"] is None else Outcome(row["outcome"]),
        version=row["version"],
    )


def _place(code: str) -> str:
    return f"contact:{code}"
