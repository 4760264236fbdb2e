"""From values back to the YAML that an editor writes; the inverse of `kb.load` for entries.

Only the operator's layer is ever written. Other entries of a file stay as they are; comments
at the head of a file stay, comments between entries do not survive.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from kb.statement import render_statement
from kb.types import Entry, Facet, Kind

LISTS = (
    *(f.value for f in Facet), "hotlines", "services", "provisions", "must_mention", "phrasings",
    "handoff",
)  # fmt: skip
KEYS = (
    "id", "title", "answer", "topic", *(f.value for f in Facet), "hotlines", "services",
    "provisions", "must_mention", "phrasings", "handoff", "owner", "valid_from", "valid_to",
    "verified_on", "review_by",
)  # fmt: skip
"""The keys of an entry in the order in which an editor writes them."""


def entry_record(entry: Entry) -> dict[str, Any]:
    """Return ``entry`` as an editor writes it, without what is empty.

    `approved_by` is left out: approvals stand in a file of their own.
    """
    values: dict[str, Any] = {
        "id": entry.id,
        "title": entry.title,
        "answer": render_statement(entry.answer),
        "topic": entry.topic if entry.kind is Kind.SERVICE else None,
        **{f.value: [render_statement(s) for s in entry.facets.get(f, ())] for f in Facet},
        "owner": entry.owner,
        "valid_from": entry.valid_from,
        "valid_to": entry.valid_to,
        "verified_on": entry.verified_on,
        "review_by": entry.review_by,
    }
    for key in ("hotlines", "services", "provisions", "must_mention", "phrasings", "handoff"):
        values[key] = list(getattr(entry, key))
    return {key: values[key] for key in KEYS if values.get(key)}


def record_digest(record: Mapping[str, Any]) -> str:
    """Return 16 hex digits that change whenever ``record`` does."""
    text = json.dumps(record, ensure_ascii=False, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def write_records(root: Path, kind: Kind, topic: str, records: Iterable[Mapping[str, Any]]) -> Path:
    """Put ``records`` into the layer ``root``, replacing those with the same ids; return the file.

    Situations go into `situations/TOPIC.yaml`, services into `services/own.yaml`. One that stood
    in another file of the layer (its topic has changed) is taken out there.
    """
    situations = kind is Kind.SITUATION
    key = "situations" if situations else "services"
    path = root / (f"situations/{topic}.yaml" if situations else "services/own.yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    head = "# 由随法问写入。可以手工改，写法见 kb/README.md。\n"
    data: dict[str, Any] = {}
    if path.exists():
        written, data = _read(path)
        head = written or head
    rows = {row["id"]: row for row in data.get(key) or ()}
    given = {record["id"]: dict(record) for record in records}
    rows.update(given)
    days = [row["verified_on"] for row in rows.values() if "verified_on" in row]
    reviews = [row["review_by"] for row in rows.values() if "review_by" in row]
    top: dict[str, Any] = {"topic": topic} if situations else {}
    top["verified_on"] = data.get("verified_on") or max(days, default=date.today())
    top["review_by"] = data.get("review_by") or min(reviews, default=date.today())
    if data.get("owner"):
        top["owner"] = data["owner"]
    top[key] = list(rows.values())
    _write(path, head, top)
    for other in sorted(path.parent.glob("*.yaml")):
        if other != path:
            _take_out(other, key, given)
    return path


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """Return the comment at the head of ``path`` and its data."""
    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(line + "\n" for line in lines[:count]), yaml.safe_load(text) or {}


def _write(path: Path, head: str, data: Mapping[str, Any]) -> None:
    body = yaml.dump(data, Dumper=_Plain, allow_unicode=True, sort_keys=False, width=1000)
    path.write_text(head + body, encoding="utf-8")


def _take_out(path: Path, key: str, ids: Container[str]) -> None:
    head, data = _read(path)
    rows = data.get(key) or []
    kept = [row for row in rows if row["id"] not in ids]
    if len(kept) == len(rows):
        return
    if kept:
        _write(path, head, {**data, key: kept})
    else:
        path.unlink()


class _Plain(yaml.SafeDumper):
    """Writes a value again where it is used again: `&id001` means nothing to an editor."""

    def ignore_aliases(self, data: Any) -> bool:
        return True
