"""Messages as they arrived, until their turn is committed.

They are sealed: the answers to the form before a ticket come this way, telephone numbers
among them, and only the form's end decides where they are kept.
"""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Sequence
from dataclasses import replace

from bot.core.inbound import InboundMessage
from bot.storage import conversations
from bot.storage.documents import DocumentError, dump, load, printable
from bot.storage.limits import address_digest
from bot.storage.stamps import to_stamp
from bot.storage.store import AlreadyHandled, InboxItem, Receipt
from bot.storage.vault import Vault, VaultError

_log = logging.getLogger(__name__)


def receive(
    db: sqlite3.Connection,
    vault: Vault,
    messages: Sequence[tuple[InboundMessage, bytes]],
    push: bool,
) -> list[Receipt]:
    """Store messages, each once, and find or make their conversations."""
    return [_receive(db, vault, message, raw, push) for message, raw in messages]


def unfinished(db: sqlite3.Connection) -> list[int]:
    """Return the conversations with waiting messages, the longest waiting first."""
    rows = db.execute(
        "SELECT conversation FROM inbox WHERE state = 'waiting'"
        " GROUP BY conversation ORDER BY min(id)"
    )
    return [row["conversation"] for row in rows]


def next_item(db: sqlite3.Connection, vault: Vault, conversation: int) -> InboxItem | None:
    """Return the oldest waiting message that can be read, and count the attempt."""
    while row := db.execute(
        "SELECT * FROM inbox WHERE conversation = ? AND state = 'waiting' ORDER BY id LIMIT 1",
        (conversation,),
    ).fetchone():
        try:
            message = load(InboundMessage, vault.open(row["message"], _place(row)))
        except (DocumentError, VaultError) as error:
            # It must not hold up those behind it.
            _log.error("message %d is parked: %s", row["id"], error)
            park(db, row["id"], str(error))
            continue
        db.execute("UPDATE inbox SET attempts = attempts + 1 WHERE id = ?", (row["id"],))
        return InboxItem(
            id=row["id"],
            conversation=conversation,
            message=message,
            attempts=row["attempts"],
        )
    return None


def park(db: sqlite3.Connection, inbox: int, error: str) -> None:
    """Give up a waiting message; its payload stays for the operator."""
    db.execute(
        "UPDATE inbox SET state = 'parked', error = ? WHERE id = ? AND state = 'waiting'",
        (printable(error), inbox),
    )


def finish(db: sqlite3.Connection, conversation: int, inbox: int) -> str | None:
    """Mark a message done and drop its words; return the digest of its address.

    Raises `AlreadyHandled` if it does not wait: its effects must not happen twice.
    """
    row = db.execute(
        "UPDATE inbox SET state = 'done', message = NULL, raw = NULL"
        " WHERE id = ? AND conversation = ? AND state = 'waiting' RETURNING address",
        (inbox, conversation),
    ).fetchone()
    if row is None:
        raise AlreadyHandled(f"第 {inbox} 号来信已经处理过，或者已被搁置；这一轮作废。")
    address: str | None = row["address"]
    return address


def waiting_messages(
    db: sqlite3.Connection, vault: Vault, conversation: int
) -> list[InboundMessage]:
    """Return what waits or was parked and can be read, oldest first."""
    found = []
    for row in db.execute(
        "SELECT * FROM inbox WHERE conversation = ? AND message IS NOT NULL ORDER BY id",
        (conversation,),
    ):
        try:
            found.append(load(InboundMessage, vault.open(row["message"], _place(row))))
        except (DocumentError, VaultError):
            continue  # nobody can read it: there is nothing to show
    return found


def _receive(
    db: sqlite3.Connection, vault: Vault, message: InboundMessage, raw: bytes, push: bool
) -> Receipt:
    key = {
        "channel": message.channel,
        "account": message.account,
        "dedupe_key": vault.digest("dedupe", message.dedupe_key),
    }
    known = db.execute(
        "SELECT id, conversation FROM inbox"
        " WHERE channel = :channel AND account = :account AND dedupe_key = :dedupe_key",
        key,
    ).fetchone()
    if known:
        return Receipt(inbox=known["id"], conversation=known["conversation"], fresh=False)
    received_at = to_stamp(message.received_at)
    conversation = conversations.reach(db, message, push, received_at)
    address = address_digest(vault, message.address)
    kept = replace(
        message,
        text=printable(message.text),
        choice=None if message.choice is None else printable(message.choice),
        address=address,
    )
    place = _place(key)
    added = db.execute(
        "INSERT INTO inbox (channel, account, dedupe_key, conversation, received_at, state,"
        " message, raw, address) VALUES (:channel, :account, :dedupe_key, :conversation,"
        " :received_at, 'waiting', :message, :raw, :address)",
        key
        | {
            "conversation": conversation,
            "received_at": received_at,
            "message": vault.seal(dump(kept), place),
            "raw": vault.seal(raw, place + ":raw"),
            "address": address,
        },
    )
    assert added.lastrowid is not None  # always set by INSERT
    return Receipt(inbox=added.lastrowid, conversation=conversation, fresh=True)


def _place(row: sqlite3.Row | dict[str, str]) -> str:
    return f"inbox:{row['channel']}:{row['account']}:{row['dedupe_key']}"
