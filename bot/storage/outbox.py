"""What push channels have to send: at least once, in order within a conversation.

A row is claimed for the time of a lease and then reported on: sent, to be tried again, or
dead. A claim is a fresh random number, so that a sender which comes back after its lease
has run out cannot report on a row that another one holds.
"""

from __future__ import annotations

import secrets
import sqlite3
from datetime import datetime, timedelta

from bot.storage import forgetting
from bot.storage.documents import printable
from bot.storage.messages import to_message
from bot.storage.stamps import to_stamp
from bot.storage.store import OutboxItem


def enqueue(db: sqlite3.Connection, conversation: int, seq: int, at: int) -> None:
    """Have a line sent, from ``at`` (microseconds) on."""
    db.execute(
        "INSERT INTO outbox (conversation, seq, created_at, state, next_at)"
        " VALUES (?, ?, ?, 'waiting', ?)",
        (conversation, seq, at, at),
    )


def claim(
    db: sqlite3.Connection, channel: str, now: datetime, lease_seconds: float, limit: int
) -> list[OutboxItem]:
    """Claim what is due, at most the oldest unsent line of each conversation."""
    due = db.execute(
        "SELECT outbox.id AS outbox_id, outbox.attempts, conversations.account,"
        " conversations.sender, messages.* FROM outbox"
        " JOIN messages USING (conversation, seq)"
        " JOIN conversations ON conversations.id = outbox.conversation"
        " WHERE outbox.state = 'waiting' AND conversations.channel = :channel"
        " AND outbox.next_at <= :now"
        " AND (outbox.lease_until IS NULL OR outbox.lease_until <= :now)"
        " AND NOT EXISTS (SELECT 1 FROM outbox AS older"
        "  WHERE older.conversation = outbox.conversation AND older.state = 'waiting'"
        "  AND older.seq < outbox.seq)"
        " ORDER BY outbox.next_at, outbox.id LIMIT :limit",
        {"channel": channel, "now": to_stamp(now), "limit": limit},
    ).fetchall()
    lease_until = to_stamp(now + timedelta(seconds=lease_seconds))
    return [_claim(db, row, lease_until) for row in due]


def finish(db: sqlite3.Connection, claim: int, remote_id: str) -> None:
    """The channel has accepted it under ``remote_id``."""
    _report(db, claim, "state = 'sent', remote_id = ?", remote_id)


def retry(db: sqlite3.Connection, claim: int, at: datetime, error: str) -> None:
    """Try again at ``at``."""
    _report(db, claim, "next_at = ?, error = ?", to_stamp(at), printable(error))


def kill(db: sqlite3.Connection, claim: int, reason: str) -> None:
    """It can never be delivered."""
    _report(db, claim, "state = 'dead', error = ?", printable(reason))


def undelivered(db: sqlite3.Connection, code: str) -> list[str]:
    """Return why messages of the ticket's conversation could not be sent, oldest first."""
    rows = db.execute(
        "SELECT outbox.error FROM outbox JOIN tickets USING (conversation)"
        " WHERE tickets.code = ? AND outbox.state = 'dead' ORDER BY outbox.seq",
        (code,),
    )
    return [row["error"] for row in rows]


def _claim(db: sqlite3.Connection, row: sqlite3.Row, lease_until: int) -> OutboxItem:
    claim = secrets.randbits(62)
    db.execute(
        "UPDATE outbox SET claim = ?, lease_until = ?, attempts = attempts + 1 WHERE id = ?",
        (claim, lease_until, row["outbox_id"]),
    )
    return OutboxItem(
        id=claim,
        conversation=row["conversation"],
        account=row["account"],
        sender=row["sender"],
        seq=row["seq"],
        message=to_message(row),
        attempts=row["attempts"],
    )


def _report(db: sqlite3.Connection, claim: int, changes: str, *values: int | str) -> None:
    row = db.execute(
        f"UPDATE outbox SET claim = NULL, lease_until = NULL, {changes} WHERE claim = ?"
        " RETURNING conversation",
        (*values, claim),
    ).fetchone()
    if row is not None:
        forgetting.remove_if_forgotten(db, row["conversation"])
