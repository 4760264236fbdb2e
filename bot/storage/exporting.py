"""Everything stored about one conversation, for the person it is about."""

from __future__ import annotations

import json
import sqlite3
from typing import Any

from bot.storage import conversations, inbox, messages, tickets
from bot.storage.documents import to_plain
from bot.storage.stamps import from_stamp
from bot.storage.vault import Vault


def export(db: sqlite3.Connection, vault: Vault, conversation: int) -> dict[str, Any]:
    """Return plain JSON data. Inner notes are the staff's and left out."""
    row = conversations.conversation_row(db, conversation)
    session = to_plain(conversations.load_session(db, vault, conversation))
    del session["tickets"]  # they come with their contact data and history below
    return {
        "conversation": {
            "channel": row["channel"],
            "sender": row["sender"],
            "created_at": from_stamp(row["created_at"]).isoformat(),
        },
        "session": session,
        "waiting": [to_plain(each) for each in inbox.waiting_messages(db, vault, conversation)],
        "messages": [to_plain(line) for line in messages.after(db, conversation, 0)],
        "tickets": [
            to_plain(ticket)
            | {
                "contact": to_plain(tickets.contact_of(db, vault, ticket.code)),
                "events": [to_plain(event) for event in tickets.events_of(db, ticket.code)],
            }
            for ticket in tickets.of_conversation(db, conversation)
        ],
        "answers": [
            {
                "at": from_stamp(answer["at"]).isoformat(),
                "judgement": json.loads(answer["judgement"]),
                "redacted": answer["redacted"],
                "bundle": answer["bundle"],
            }
            for answer in db.execute(
                "SELECT * FROM answers WHERE conversation = ? ORDER BY id", (conversation,)
            )
        ],
    }
