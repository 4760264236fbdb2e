from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from kb.approval import append_approvals, entry_digest
from kb.load import SHIPPED, load_knowledge
from kb.types import Knowledge

NOW = datetime(2026, 11, 24, tzinfo=UTC)


def test_an_approval_holds_for_the_text_that_was_approved(
    knowledge: Knowledge, tmp_path: Path
) -> None:
    entry = knowledge.entries["labor-inspection"]
    append_approvals(tmp_path, [entry], "王局", NOW)
    append_approvals(tmp_path, [knowledge.entries["legal-aid"]], "李局", NOW)
    loaded = load_knowledge((SHIPPED, tmp_path)).entries
    assert loaded["labor-inspection"].approved_by == "王局"
    assert loaded["legal-aid"].approved_by == "李局"
    assert loaded["notary"].approved_by is None


def test_it_ends_when_the_text_changes(knowledge: Knowledge, tmp_path: Path) -> None:
    entry = knowledge.entries["labor-inspection"]
    append_approvals(tmp_path, [replace(entry, title="从前的名字")], "王局", NOW)
    assert load_knowledge((SHIPPED, tmp_path)).entries["labor-inspection"].approved_by is None


def test_the_digest_covers_what_a_citizen_reads_and_not_who_approved(knowledge: Knowledge) -> None:
    entry = knowledge.entries["labor-inspection"]
    assert entry_digest(replace(entry, approved_by="x", source="y")) == entry_digest(entry)
    assert entry_digest(replace(entry, phrasings=())) != entry_digest(entry)
