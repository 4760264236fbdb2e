"""The catalogue: all knowledge in one read-only SQLite file, baked at build time.

`build_catalogue` writes it with sqlite-utils, so that an editor can look into it with any
SQLite tool; `open_catalogue` reads it back into the same values that the YAML files gave. Each
table has readable columns and the whole value as JSON in ``body``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import sqlite_utils
from pydantic import TypeAdapter, ValidationError

from kb.types import (
    Article,
    Document,
    Entry,
    Hotline,
    Knowledge,
    LawVersion,
    Office,
    Place,
    Provision,
    Topic,
)

T = TypeVar("T")

SCHEMA = 2
"""Counted up when the tables change; a catalogue of another schema is refused."""


class CatalogueError(Exception):
    """The catalogue cannot be read; the message says what to do."""


def build_catalogue(path: Path, knowledge: Knowledge, files: Mapping[str, Any]) -> None:
    """Write ``knowledge`` and the raw ``files`` (wording, rules, operator) to ``path``."""
    db = sqlite_utils.Database(path)
    try:
        with db.conn:
            _insert(db, "topics", Topic, knowledge.topics.values(), ("id", "name"))
            _insert(db, "hotlines", Hotline, knowledge.hotlines.values(), ("number", "name"))
            _insert(
                db, "entries", Entry, knowledge.entries.values(), ("id", "kind", "topic", "title")
            )
            _insert(db, "documents", Document, knowledge.documents.values(), ("id", "title"))
            columns = ("id", "document", "number", "heading", "title")
            _insert(db, "provisions", Provision, knowledge.provisions.values(), columns)
            _insert(db, "laws", LawVersion, knowledge.laws.values(), ("name", "category"))
            _insert(db, "articles", Article, knowledge.articles.values(), ("law", "article"))
            _insert(db, "places", Place, knowledge.places.values(), ("id", "name", "level"))
            _insert(db, "offices", Office, knowledge.offices, ("service", "place", "name"))
            owners = {e.id: e.phrasings for e in knowledge.entries.values()}
            owners |= {p.id: p.phrasings for p in knowledge.provisions.values()}
            phrasings = [
                {"entry": id_, "text": text} for id_, said in owners.items() for text in said
            ]
            db.table("phrasings").insert_all(phrasings, columns={"entry": str, "text": str})
            rows = [
                {"name": name, "body": json.dumps(data, ensure_ascii=False, default=str)}
                for name, data in sorted(files.items())
            ]
            db.table("files").insert_all(rows, pk="name", columns={"name": str, "body": str})
            db.conn.execute(f"PRAGMA user_version = {SCHEMA}")
        db.conn.execute("VACUUM")
    finally:
        db.close()


def open_catalogue(path: Path) -> tuple[Knowledge, dict[str, Any]]:
    """Return the knowledge and the raw files in ``path``. Raises `CatalogueError`."""
    try:
        db = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
        try:
            (schema,) = db.execute("PRAGMA user_version").fetchone()
            if schema != SCHEMA:
                raise CatalogueError(
                    f"{path} has schema {schema}, this program needs {SCHEMA}; build the bundle "
                    "again: suifawen build"
                )
            knowledge = Knowledge(
                topics=_load(db, "topics", Topic, lambda t: t.id),
                hotlines=_load(db, "hotlines", Hotline, lambda h: h.number),
                entries=_load(db, "entries", Entry, lambda e: e.id),
                documents=_load(db, "documents", Document, lambda d: d.id),
                provisions=_load(db, "provisions", Provision, lambda p: p.id),
                laws=_load(db, "laws", LawVersion, lambda w: w.name),
                articles=_load(db, "articles", Article, lambda a: f"law/{a.law}/{a.article}"),
                places=_load(db, "places", Place, lambda p: p.id),
                offices=tuple(
                    _load(db, "offices", Office, lambda o: (o.service, o.place, o.name)).values()
                ),
            )
            files = {name: json.loads(body) for name, body in db.execute("SELECT * FROM files")}
            return knowledge, files
        finally:
            db.close()
    except (sqlite3.Error, ValidationError, json.JSONDecodeError) as error:
        raise CatalogueError(
            f"{path} is damaged ({type(error).__name__}); build the bundle again: suifawen build"
        ) from error


def _insert(
    db: sqlite_utils.Database, table: str, shape: Any, values: Iterable[Any],
    columns: tuple[str, ...],
) -> None:  # fmt: skip
    adapter = TypeAdapter(shape)
    rows = [
        {column: getattr(value, column) for column in columns}
        | {"body": adapter.dump_json(value).decode()}
        for value in values
    ]
    types: dict[str, Any] = dict.fromkeys((*columns, "body"), str)
    db.table(table).create(types)  # also when there is nothing to put into it
    db.table(table).insert_all(rows)


def _load(db: sqlite3.Connection, table: str, shape: type[T], key: Any) -> dict[Any, T]:
    adapter = TypeAdapter(tuple[shape, ...])  # type: ignore[valid-type]  # built at run time
    rows = db.execute(f"SELECT body FROM {table} ORDER BY rowid").fetchall()
    values: tuple[T, ...] = adapter.validate_json("[" + ",".join(row[0] for row in rows) + "]")
    return {key(value): value for value in values}
