"""Migrations: from nothing to the schema that is documented, and never backwards."""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from importlib.resources import files

import pytest

from bot.storage.connection import open_connection
from bot.storage.migrate import Migration, load_migrations, migrate
from bot.storage.sqlite import open_store
from bot.storage.store import StorageDamaged
from tests.storage.conftest import Place

ADD = Migration(number=9998, name="9998_add.sql", sql="CREATE TABLE more (id INTEGER);\n-- end\n")
BREAK = Migration(
    number=9999, name="9999_break.sql", sql="CREATE TABLE half (id INTEGER);\nCREATE nonsense;\n"
)


@pytest.fixture
def db() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as db:
        db.row_factory = sqlite3.Row
        yield db


def schema(db: sqlite3.Connection) -> dict[str, str]:
    """Return what ``db`` consists of, without comments and layout."""
    rows = db.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    return {name: re.sub(r"--.*|\s+", " ", sql).replace(" ", "") for name, sql in rows}


def test_migrations_make_the_documented_schema(db: sqlite3.Connection) -> None:
    migrate(db, load_migrations())
    with closing(sqlite3.connect(":memory:")) as documented:
        documented.executescript((files("bot.storage") / "schema.sql").read_text("utf-8"))
        # `IF NOT EXISTS` is not kept by SQLite; everything else has to be the same.
        assert schema(db) == schema(documented)


def test_migrations_are_numbered_without_gaps() -> None:
    migrations = load_migrations()
    assert migrations
    assert [each.number for each in migrations] == list(range(1, len(migrations) + 1))


def test_each_runs_once(db: sqlite3.Connection) -> None:
    migrate(db, [*load_migrations(), ADD])
    migrate(db, [*load_migrations(), ADD])
    assert "more" in schema(db)


def test_one_that_fails_leaves_nothing(db: sqlite3.Connection) -> None:
    migrate(db, load_migrations())
    before = schema(db)
    with pytest.raises(sqlite3.OperationalError):
        migrate(db, [*load_migrations(), BREAK])
    assert schema(db) == before
    migrate(db, [*load_migrations(), ADD])  # and the mended program goes on


def test_newer_schema_is_refused(db: sqlite3.Connection) -> None:
    migrate(db, [*load_migrations(), ADD])
    with pytest.raises(StorageDamaged, match="更新版本"):
        migrate(db, load_migrations())


def test_changed_migration_is_refused(db: sqlite3.Connection) -> None:
    first, *rest = load_migrations()
    migrate(db, [first, *rest])
    with pytest.raises(StorageDamaged, match="被改动过"):
        migrate(db, [replace(first, sql=first.sql + "\n-- touched"), *rest])


async def test_two_programs_starting_at_once(place: Place) -> None:
    def start() -> None:
        with closing(open_connection(place.database)) as db:
            migrate(db, load_migrations())

    place.database.parent.mkdir()
    await asyncio.gather(*(asyncio.to_thread(start) for _ in range(4)))
    with closing(open_connection(place.database)) as db:
        [count] = db.execute("SELECT count(*) FROM migrations").fetchone()
    assert count == len(load_migrations())


@pytest.mark.parametrize("table", ["audit", "ticket_events"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET at = 0"])
def test_history_is_append_only(db: sqlite3.Connection, table: str, change: str) -> None:
    migrate(db, load_migrations())
    values = {
        "audit": "(1, 2, NULL, 'login', '{}')",
        "ticket_events": "('A-1', 1, 2, 'open', NULL, 'waiting', '{}')",
    }
    db.execute(f"INSERT INTO {table} VALUES {values[table]}")
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        db.execute(change.format(table))


def test_nothing_of_a_conversation_is_left_out_of_its_deletion(db: sqlite3.Connection) -> None:
    """A table that points to conversations goes with them or loses its pointer."""
    migrate(db, load_migrations())
    rules = {}
    for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
        columns = [each["name"] for each in db.execute(f"PRAGMA table_info({row['name']})")]
        keys = {
            each["from"]: each for each in db.execute(f"PRAGMA foreign_key_list({row['name']})")
        }
        if "conversation" in columns:
            rules[row["name"]] = keys["conversation"]["on_delete"] if keys else None
    assert rules == {
        "inbox": None,  # emptied by `forgetting`, but kept to recognise re-deliveries
        "messages": "CASCADE",
        "outbox": "CASCADE",
        "answers": "CASCADE",
        "tickets": "SET NULL",
        "openings": "SET NULL",
    }


def test_store_refuses_a_newer_database(place: Place) -> None:
    place.database.parent.mkdir()
    with closing(open_connection(place.database)) as db:
        migrate(db, [*load_migrations(), ADD])
    with pytest.raises(StorageDamaged, match="更新版本"):
        open_store(place.database, place.key)
