"""Who has opened how many tickets, known by conversation and by network address.

An address is known by its keyed digest only.
"""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import overload

from bot.storage.stamps import to_stamp
from bot.storage.vault import Vault

_DIGEST = "digest:"


@overload
def address_digest(vault: Vault, address: str) -> str: ...
@overload
def address_digest(vault: Vault, address: str | None) -> str | None: ...
def address_digest(vault: Vault, address: str | None) -> str | None:
    """Return the digest of ``address``, or ``address`` itself if it is one already."""
    if address is None or address.startswith(_DIGEST):
        return address
    return _DIGEST + vault.digest("address", address)


def note_opening(db: sqlite3.Connection, conversation: int, address: str | None, at: int) -> None:
    """Count a ticket. ``address`` is a digest."""
    db.execute(
        "INSERT INTO openings (at, conversation, address) VALUES (?, ?, ?)",
        (at, conversation, address),
    )


def count_openings(
    db: sqlite3.Connection, conversation: int, address: str | None, since: datetime
) -> tuple[int, int]:
    """Return the tickets opened since then by the conversation, and from the digest."""
    by_conversation = "SELECT count(*) FROM openings WHERE conversation = ? AND at >= ?"
    by_address = "SELECT count(*) FROM openings WHERE address = ? AND at >= ?"
    [by_person] = db.execute(by_conversation, (conversation, to_stamp(since))).fetchone()
    [from_address] = db.execute(by_address, (address, to_stamp(since))).fetchone()
    return by_person, from_address
