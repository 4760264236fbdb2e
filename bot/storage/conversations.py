"""Conversations and their sessions."""

from __future__ import annotations

import logging
import sqlite3
from dataclasses import replace

from bot.core.inbound import InboundMessage
from bot.core.session import Session
from bot.storage import tickets
from bot.storage.documents import DocumentError, dump, load
from bot.storage.store import StorageError
from bot.storage.vault import Vault, VaultError

_log = logging.getLogger(__name__)


def reach(db: sqlite3.Connection, message: InboundMessage, push: bool, at: int) -> int:
    """Return the conversation of the sender, made if need be. ``at`` in microseconds."""
    row = db.execute(
        "INSERT INTO conversations (channel, account, sender, push, created_at, active_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (channel, account, sender) DO UPDATE"
        " SET push = excluded.push, active_at = max(active_at, excluded.active_at),"
        " forgotten_at = NULL RETURNING id",  # whoever writes again begins anew
        (message.channel, message.account, message.sender, push, at, at),
    ).fetchone()
    id_: int = row["id"]
    return id_


def find(db: sqlite3.Connection, channel: str, account: str, sender: str) -> int | None:
    row = db.execute(
        "SELECT id FROM conversations WHERE channel = ? AND account = ? AND sender = ?",
        (channel, account, sender),
    ).fetchone()
    return row["id"] if row else None


def conversation_row(db: sqlite3.Connection, conversation: int) -> sqlite3.Row:
    """Return the row of ``conversation``. Raises `StorageError` if there is none."""
    row = db.execute("SELECT * FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if row is None:
        raise StorageError(f"没有第 {conversation} 号对话，可能已被本人删除；请刷新。")
    found: sqlite3.Row = row
    return found


def load_session(db: sqlite3.Connection, vault: Vault, conversation: int) -> Session:
    """Return the session with its tickets, newest first; a fresh one if it cannot be read."""
    row = conversation_row(db, conversation)
    own = tuple(tickets.of_conversation(db, conversation))
    session = None
    if row["session"] is not None:
        try:
            session = load(Session, vault.open(row["session"], _place(conversation)))
        except (DocumentError, VaultError) as error:
            _log.warning("the session of conversation %d begins afresh: %s", conversation, error)
    if session is None:
        session = Session(
            conversation=conversation,
            channel=row["channel"],
            # A new matter must not take the number under which an old ticket is known.
            last_matter=max((ticket.matter for ticket in own), default=0),
        )
    return replace(session, tickets=own)


def save_session(db: sqlite3.Connection, vault: Vault, conversation: int, session: Session) -> None:
    sealed = vault.seal(dump(replace(session, tickets=())), _place(conversation))
    db.execute("UPDATE conversations SET session = ? WHERE id = ?", (sealed, conversation))


def _place(conversation: int) -> str:
    return f"session:{conversation}"
