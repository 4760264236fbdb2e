"""Documents of another version: told without their words, and never a crash."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.core.handoff import HandoffKind
from bot.core.intake import Answers
from bot.core.session import Session
from bot.storage.documents import DocumentError, dump, load, printable, to_plain
from bot.storage.sqlite import open_store
from bot.storage.store import Turn
from bot.storage.vault import open_vault
from tests.storage.builders import NOW, begin, bot, citizen, form, message, receive, reply, say
from tests.storage.conftest import Place


def test_values_come_back_equal() -> None:
    session = Session(
        conversation=1,
        channel="web",
        choices=("a", "b"),
        intake=Answers(kind=HandoffKind.CONSULT, matter=1, submission="f", consent=False),
        acknowledged_at=datetime(2026, 1, 1, 2, 3, 4, 5, tzinfo=UTC),
    )
    for each in (session, reply(), message()):
        assert load(type(each), dump(each)) == each
        assert to_plain(each) == json.loads(dump(each))


def test_error_names_fields_not_words() -> None:
    with pytest.raises(DocumentError) as caught:
        load(Session, '{"conversation": "秘密的话", "channel": "web", "extra": "秘密的话"}')
    assert "conversation" in str(caught.value)
    assert "extra" in str(caught.value)
    assert "秘密" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_printable() -> None:
    assert printable("正常👍") == "正常👍"
    assert printable("a\ud800b") == "a?b"


def edit(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as db, db:
        db.execute(sql, values)


async def test_session_of_an_older_version_begins_afresh(place: Place) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    await store.commit(Turn(conversation=conversation, at=NOW, opened=(form("A-1", matter=2),)))
    old = b'{"conversation": 1, "channel": "web", "mood": "gone"}'
    vault = open_vault(place.key, None)
    sealed = vault.seal(old, f"session:{conversation}")
    edit(place.database, "UPDATE conversations SET session = ?", sealed)
    session = await store.load_session(conversation)
    assert session.last_matter == 2
    assert [ticket.code for ticket in session.tickets] == ["A-1"]
    await store.close()


async def test_reply_of_an_older_version_is_left_out(place: Place) -> None:
    store = open_store(place.database, place.key)
    conversation = await begin(store)
    await say(store, conversation, citizen("问"), bot("答"))
    edit(place.database, "UPDATE messages SET reply = '{}' WHERE reply IS NOT NULL")
    first, second = await store.messages(conversation)
    assert (first.text, second.reply) == ("问", None)
    await store.close()


async def test_waiting_message_of_an_older_version_is_parked(place: Place) -> None:
    store = open_store(place.database, place.key)
    old, new = await receive(store, message("旧", key="old"), message("新"))
    vault = open_vault(place.key, None)
    sealed = vault.seal(b"{}", f"inbox:web::{vault.digest('dedupe', 'old')}")
    edit(place.database, "UPDATE inbox SET message = ? WHERE id = ?", sealed, old.inbox)
    item = await store.next_item(old.conversation)
    assert item is not None
    assert item.id == new.inbox
    assert (await store.statistics())["inbox_parked"] == 1
    await store.close()
