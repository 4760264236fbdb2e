"""What was asked and how it was answered, without personal data: for the editor's report."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from bot.core.reply import Judgement
from bot.storage.documents import DocumentError, load
from bot.storage.stamps import from_stamp, to_stamp
from bot.storage.store import AskedQuestion


def since(db: sqlite3.Connection, at: datetime, limit: int) -> list[AskedQuestion]:
    """Return the latest ``limit`` questions since ``at``, newest first."""
    rows = db.execute(
        "SELECT at, judgement, redacted, bundle FROM answers WHERE at >= ?"
        " ORDER BY id DESC LIMIT ?",
        (to_stamp(at), limit),
    )
    found = []
    for row in rows:
        try:
            judgement = load(Judgement, row["judgement"])
        except DocumentError:  # an older version's; the report can do without
            continue
        found.append(
            AskedQuestion(
                at=from_stamp(row["at"]),
                judgement=judgement,
                redacted=row["redacted"],
                bundle=row["bundle"],
            )
        )
    return found
