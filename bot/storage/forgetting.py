"""Deleting a conversation, because the citizen asked or its term is over.

What stays is the ticket with its history, which then points to nobody. The farewell still
has to reach the citizen, so a bare conversation stays behind with nothing else in it; it
goes when the farewell was sent, or, where the citizen's client fetches it, after an hour.
"""

from __future__ import annotations

import sqlite3

from bot.storage import tickets


def forget(db: sqlite3.Connection, conversation: int, inbox: int | None, at: int) -> None:
    """Delete everything of ``conversation``, except the farewell that is still to be added.

    Messages that arrived after ``inbox``, the one that asked for it, are a new beginning and
    keep waiting. ``at`` in microseconds.
    """
    tickets.withdraw_open(db, conversation, at)
    _unlink_tickets(db, conversation)
    later = "conversation = ?1 AND state = 'waiting' AND id > ?2"
    key = (conversation, inbox or 0)
    _empty_inbox(db, f"conversation = ?1 AND NOT ({later})", key)
    [begins_anew] = db.execute(f"SELECT EXISTS (SELECT 1 FROM inbox WHERE {later})", key).fetchone()
    db.execute("DELETE FROM messages WHERE conversation = ?", (conversation,))  # and the outbox
    db.execute("DELETE FROM answers WHERE conversation = ?", (conversation,))
    db.execute("UPDATE openings SET conversation = NULL WHERE conversation = ?", (conversation,))
    db.execute(
        "UPDATE conversations SET session = NULL, forgotten_at = ? WHERE id = ?",
        (None if begins_anew else at, conversation),
    )


def remove(db: sqlite3.Connection, conversation: int) -> None:
    """Delete ``conversation``, which has no open ticket and waits for nothing, silently."""
    _unlink_tickets(db, conversation)
    _empty_inbox(db, "conversation = ?", (conversation,))
    db.execute("DELETE FROM conversations WHERE id = ?", (conversation,))


def remove_if_forgotten(db: sqlite3.Connection, conversation: int) -> None:
    """Delete what is left of a forgotten conversation once its farewell was sent."""
    db.execute(
        "DELETE FROM conversations WHERE id = ?1 AND forgotten_at IS NOT NULL AND NOT EXISTS"
        " (SELECT 1 FROM outbox WHERE conversation = ?1 AND state = 'waiting')",
        (conversation,),
    )


def remove_forgotten(db: sqlite3.Connection, before: int, limit: int) -> int:
    """Delete what is left of conversations forgotten before then; return how many."""
    return db.execute(
        "DELETE FROM conversations WHERE id IN (SELECT id FROM conversations"
        " WHERE forgotten_at < ? AND NOT EXISTS (SELECT 1 FROM outbox"
        "  WHERE outbox.conversation = conversations.id AND state = 'waiting') LIMIT ?)",
        (before, limit),
    ).rowcount


def _unlink_tickets(db: sqlite3.Connection, conversation: int) -> None:
    db.execute(
        "DELETE FROM contacts WHERE ticket IN (SELECT code FROM tickets WHERE conversation = ?)",
        (conversation,),
    )
    db.execute("UPDATE tickets SET conversation = NULL WHERE conversation = ?", (conversation,))


def _empty_inbox(db: sqlite3.Connection, which: str, key: tuple[int, ...]) -> None:
    """Leave only what recognises a re-delivery: it must not bring deleted words back."""
    db.execute(
        "UPDATE inbox SET state = 'done', message = NULL, raw = NULL, address = NULL,"
        f" error = NULL WHERE {which}",
        key,
    )
