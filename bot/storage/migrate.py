"""Brings a database to the schema of this program, by numbered SQL files.

Each file runs once, in one transaction, and never changes afterwards: its checksum is kept.
`schema.sql` beside this module shows the schema that all of them together make.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files

from bot.storage.store import StorageDamaged
from kb.value import value

_NAME = re.compile(r"(\d{4})_\w+\.sql")
_RECORD = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    checksum TEXT NOT NULL
) STRICT
"""


@value
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def load_migrations() -> list[Migration]:
    """Return the migrations of this program, in order."""
    found = [
        Migration(number=int(match[1]), name=file.name, sql=file.read_text("utf-8"))
        for file in (files("bot.storage") / "migrations").iterdir()
        if (match := _NAME.fullmatch(file.name))
    ]
    return sorted(found, key=lambda migration: migration.number)


def migrate(db: sqlite3.Connection, migrations: Sequence[Migration]) -> None:
    """Run what ``db`` (in autocommit mode) has not seen yet.

    Raises `StorageDamaged` if a newer program or another set of migrations made it.
    """
    db.execute(_RECORD)
    for migration in migrations:
        db.execute("BEGIN IMMEDIATE")  # before looking: another process may be doing the same
        try:
            _apply(db, migration, migrations)
            db.execute("COMMIT")
        finally:
            if db.in_transaction:
                db.execute("ROLLBACK")


def _apply(db: sqlite3.Connection, migration: Migration, known: Sequence[Migration]) -> None:
    applied = {row["number"]: row["checksum"] for row in db.execute("SELECT * FROM migrations")}
    _check(applied, {each.number: each for each in known})
    if migration.number in applied:
        return
    for statement in _statements(migration.sql):
        db.execute(statement)
    db.execute(
        "INSERT INTO migrations (number, name, checksum) VALUES (?, ?, ?)",
        (migration.number, migration.name, migration.checksum),
    )


def _check(applied: dict[int, str], known: dict[int, Migration]) -> None:
    for number, checksum in applied.items():
        if number not in known:
            raise StorageDamaged(
                f"数据库是更新版本的程序建立的（有第 {number} 号变更）。"
                "请安装那个版本，或者换回升级前的备份。"
            )
        if known[number].checksum != checksum:
            raise StorageDamaged(
                f"程序里的数据库变更 {known[number].name} 与建库时不同，程序文件可能被改动过。"
                "请重新安装程序；变更文件发布后不能修改，只能新增。"
            )


def _statements(sql: str) -> Iterator[str]:
    """Split ``sql`` by line ends; `executescript` would commit before it begins."""
    statement = ""
    for line in sql.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        yield statement  # a comment, or a statement without its end, which SQLite reports
