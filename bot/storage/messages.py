"""The lines of a conversation."""

from __future__ import annotations

import logging
import sqlite3

from bot.core.reply import Reply
from bot.storage.documents import DocumentError, dump, load, printable
from bot.storage.stamps import from_stamp
from bot.storage.store import Author, NewMessage, StoredMessage

_log = logging.getLogger(__name__)


def add(db: sqlite3.Connection, conversation: int, message: NewMessage, at: int) -> int:
    """Add a line and return its ``seq``. ``at`` in microseconds."""
    [seq] = db.execute(
        "UPDATE conversations SET last_seq = last_seq + 1, active_at = max(active_at, ?)"
        " WHERE id = ? RETURNING last_seq",
        (at, conversation),
    ).fetchone()
    db.execute(
        "INSERT INTO messages (conversation, seq, at, author, text, reply, ticket, staff_name,"
        " client_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation,
            seq,
            at,
            message.author,
            printable(message.text),
            None if message.reply is None else dump(message.reply).decode(),
            message.ticket,
            printable(message.staff_name),
            printable(message.client_key),
        ),
    )
    number: int = seq
    return number


def after(
    db: sqlite3.Connection, conversation: int, seq: int, limit: int | None = None
) -> list[StoredMessage]:
    """Return what the citizen may see with a higher ``seq``, oldest first."""
    rows = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND seq > ? AND author <> ?"
        " ORDER BY seq LIMIT ?",
        (conversation, seq, Author.NOTE, -1 if limit is None else limit),
    )
    return [to_message(row) for row in rows]


def transcript(db: sqlite3.Connection, conversation: int, ticket: str) -> list[StoredMessage]:
    """Return what the owner of ``ticket`` may see: all but the lines of other tickets."""
    rows = db.execute(
        "SELECT * FROM messages WHERE conversation = ? AND (ticket IS NULL OR ticket = ?)"
        " ORDER BY seq",
        (conversation, ticket),
    )
    return [to_message(row) for row in rows]


def to_message(row: sqlite3.Row) -> StoredMessage:
    """Return the line in ``row``; a reply of an older version that does not fit is left out."""
    try:
        reply = None if row["reply"] is None else load(Reply, row["reply"])
    except DocumentError as error:
        _log.warning("line %d of %d: %s", row["seq"], row["conversation"], error)
        reply = None
    return StoredMessage(
        seq=row["seq"],
        at=from_stamp(row["at"]),
        author=Author(row["author"]),
        text=row["text"],
        reply=reply,
        ticket=row["ticket"],
        staff_name=row["staff_name"],
        client_key=row["client_key"],
    )
