"""What a channel has to remember between two runs: offsets and the like."""

from __future__ import annotations

import json
import sqlite3
from typing import Any


def load(db: sqlite3.Connection, channel: str, account: str) -> dict[str, Any]:
    """Return the state of a channel's account; empty if none was saved."""
    row = db.execute(
        "SELECT state FROM channel_state WHERE channel = ? AND account = ?", (channel, account)
    ).fetchone()
    return json.loads(row["state"]) if row else {}


def save(db: sqlite3.Connection, channel: str, account: str, state: dict[str, Any]) -> None:
    db.execute(
        "INSERT INTO channel_state (channel, account, state) VALUES (?, ?, ?)"
        " ON CONFLICT (channel, account) DO UPDATE SET state = excluded.state",
        (channel, account, json.dumps(state)),
    )
