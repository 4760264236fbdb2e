"""Who has approved which entry, and whether it still reads as it did then.

`DATA/kb/approvals.yaml` is a list that is only appended to. An approval holds for the text
that was approved: it is bound to a digest of the entry, and ends by itself when the entry,
or the shipped entry under it, changes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import yaml

from kb.types import Entry
from kb.value import value
from kb.writing import entry_record, record_digest

FILE = "approvals.yaml"
_HEAD = "# 谁在什么时候审定了哪个条目。由 suifawen kb approve 写入，只增不改。\napprovals:\n"


@value
class Approval:
    """One person's approval of one text."""

    id: str
    digest: str
    by: str
    at: datetime


@value
class ApprovalFile:
    approvals: tuple[Approval, ...]


def entry_digest(entry: Entry) -> str:
    """Return 16 hex digits for what a citizen can read or be led by in ``entry``."""
    return record_digest(entry_record(entry))


def apply_approvals(
    entries: Mapping[str, Entry], approvals: Iterable[Approval]
) -> dict[str, Entry]:
    """Return ``entries`` with `approved_by` set where the approved text is the present one."""
    latest = {(a.id, a.digest): a.by for a in approvals}
    return {
        id_: replace(entry, approved_by=latest.get((id_, entry_digest(entry)), entry.approved_by))
        for id_, entry in entries.items()
    }


def append_approvals(root: Path, entries: Iterable[Entry], by: str, at: datetime) -> int:
    """Record that ``by`` approves ``entries`` as they stand; return how many."""
    rows = [
        {"id": e.id, "digest": entry_digest(e), "by": by, "at": at.isoformat(timespec="seconds")}
        for e in entries
    ]
    path = root / FILE
    root.mkdir(parents=True, exist_ok=True)
    fresh = not path.exists()
    with path.open("a", encoding="utf-8") as file:
        if fresh:
            file.write(_HEAD)
        if rows:
            file.write(yaml.safe_dump(rows, allow_unicode=True, sort_keys=False))
    return len(rows)
