"""Writes a turn: all of it or, when anything is raised, nothing."""

from __future__ import annotations

import sqlite3

from bot.core.effects import RecordAnswer
from bot.storage import conversations, forgetting, inbox, limits, messages, outbox, tickets
from bot.storage.documents import dump, printable
from bot.storage.stamps import to_stamp
from bot.storage.store import Author, Turn
from bot.storage.vault import Vault


def write_turn(db: sqlite3.Connection, vault: Vault, turn: Turn) -> None:
    """Write ``turn``; see `Store.commit` for what is raised."""
    conversation = conversations.conversation_row(db, turn.conversation)
    at = to_stamp(turn.at)
    # First: whoever comes second must not get further.
    address = inbox.finish(db, turn.conversation, turn.inbox) if turn.inbox is not None else None
    for form in turn.opened:
        if tickets.open_ticket(db, vault, conversation, form, at):
            limits.note_opening(db, turn.conversation, address, at)
    tickets.change(db, turn.conversation, turn.changes, at)
    if turn.forget:
        forgetting.forget(db, turn.conversation, turn.inbox, at)
    else:
        for answer in turn.answers:
            _record_answer(db, turn.conversation, answer, at)
        if turn.session is not None:
            conversations.save_session(db, vault, turn.conversation, turn.session)
    for message in turn.messages:
        if turn.forget and message.author is Author.CITIZEN:
            continue  # only the farewell outlives the deletion
        seq = messages.add(db, turn.conversation, message, at)
        spoken = message.reply is not None or message.author is Author.STAFF
        if conversation["push"] and spoken:
            outbox.enqueue(db, turn.conversation, seq, at)


def _record_answer(
    db: sqlite3.Connection, conversation: int, answer: RecordAnswer, at: int
) -> None:
    db.execute(
        "INSERT INTO answers (conversation, at, status, topic, judgement, redacted, bundle)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            conversation,
            at,
            answer.judgement.status,
            answer.judgement.topic,
            dump(answer.judgement).decode(),
            printable(answer.redacted),
            answer.bundle,
        ),
    )
