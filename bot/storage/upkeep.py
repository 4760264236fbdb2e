"""Counts for the health page, and the end of what has had its term."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from bot.core.handoff import TicketState
from bot.storage import forgetting
from bot.storage.stamps import to_stamp

PURGE_STEP = 200
"""Rows deleted in one transaction, so that nobody waits long for the writer."""
FAREWELL = timedelta(hours=1)
"""How long a web client may take to fetch the last line of a deleted conversation."""

Purge = Callable[[sqlite3.Connection, int, int], int]


def statistics(db: sqlite3.Connection) -> dict[str, Any]:
    """Return counts by state."""
    inbox = _counts(db, "inbox", "state")
    outbox = _counts(db, "outbox", "state")
    return {
        "conversations": sum(_counts(db, "conversations", "channel").values()),
        "inbox_waiting": inbox.get("waiting", 0),
        "inbox_parked": inbox.get("parked", 0),
        "outbox_waiting": outbox.get("waiting", 0),
        "outbox_dead": outbox.get("dead", 0),
        "tickets": _counts(db, "tickets", "state"),
        "answers": _counts(db, "answers", "status"),
    }


def purge_forgotten(db: sqlite3.Connection, now: datetime) -> int:
    """Delete a step of what is left of conversations that were forgotten; return how many."""
    return forgetting.remove_forgotten(db, to_stamp(now - FAREWELL), PURGE_STEP)


def purge_term(db: sqlite3.Connection, term: str, now: datetime, days: int) -> int:
    """Delete a step of what is older than ``days`` under ``term``; return how many rows."""
    return TERMS[term](db, to_stamp(now - timedelta(days=days)), PURGE_STEP)


def _counts(db: sqlite3.Connection, table: str, column: str) -> dict[str, int]:
    rows = db.execute(f"SELECT {column}, count(*) FROM {table} GROUP BY {column}")
    return dict(map(tuple, rows))


def _rows_of(table: str, old: str) -> Purge:
    def purge(db: sqlite3.Connection, before: int, limit: int) -> int:
        return db.execute(
            f"DELETE FROM {table} WHERE rowid IN"
            f" (SELECT rowid FROM {table} WHERE {old} < ? LIMIT ?)",
            (before, limit),
        ).rowcount

    return purge


def _conversations(db: sqlite3.Connection, before: int, limit: int) -> int:
    rows = db.execute(
        "SELECT id FROM conversations WHERE active_at < ? AND NOT EXISTS"
        " (SELECT 1 FROM tickets WHERE tickets.conversation = conversations.id"
        "  AND tickets.state NOT IN (?, ?)) AND NOT EXISTS (SELECT 1 FROM inbox"
        "  WHERE inbox.conversation = conversations.id AND inbox.state = 'waiting') LIMIT ?",
        (before, TicketState.CLOSED, TicketState.WITHDRAWN, limit),
    ).fetchall()
    for row in rows:
        forgetting.remove(db, row["id"])
    return len(rows)


def _contacts(db: sqlite3.Connection, before: int, limit: int) -> int:
    return db.execute(
        "DELETE FROM contacts WHERE ticket IN (SELECT code FROM tickets JOIN contacts"
        " ON contacts.ticket = tickets.code WHERE state IN (?, ?) AND acted_at < ? LIMIT ?)",
        (TicketState.CLOSED, TicketState.WITHDRAWN, before, limit),
    ).rowcount


TERMS: dict[str, Purge] = {
    "inbox": _rows_of("inbox", "state <> 'waiting' AND received_at"),
    "conversations": _conversations,
    "contacts": _contacts,
    "answers": _rows_of("answers", "at"),
    "outbox": _rows_of("outbox", "state <> 'waiting' AND created_at"),
    "openings": _rows_of("openings", "at"),
    "logins": _rows_of("logins", "at"),
    "staff_sessions": _rows_of("staff_sessions", "seen_at"),
}
"""What `Store.purge` knows by name."""
