"""What is easily got wrong stands right in the entries; the cases are in `traps.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from kb.types import Entry, Kind, Knowledge

TRAPS = yaml.safe_load((Path(__file__).parent / "traps.yaml").read_text(encoding="utf-8"))
REPLACED = {  # law, the day its present version came into force (legal-facts, section 4)
    "治安管理处罚法": date(2026, 1, 1),
    "仲裁法": date(2026, 3, 1),
    "法治宣传教育法": date(2025, 11, 1),
    "行政复议法实施条例": date(2026, 7, 1),
    "村民委员会组织法": date(2026, 1, 1),
    "婚姻登记条例": date(2025, 5, 10),
    "住房租赁条例": date(2025, 9, 15),
    "殡葬管理条例": date(2026, 3, 30),
    "监狱法": date(2026, 11, 1),
    "生态环境法典": date(2026, 8, 15),
}


def _entries(names: list[str], knowledge: Knowledge) -> Iterator[Entry]:
    for name in names:
        if name.startswith("topic:"):
            topic = name.removeprefix("topic:")
            found = [
                e for e in knowledge.entries.values()
                if e.kind is Kind.SITUATION and e.topic == topic
            ]  # fmt: skip
            assert found, name
            yield from found
        else:
            yield knowledge.entries[name]


def _text(entry: Entry) -> str:
    return "\n".join(statement.text for statement in entry.statements())


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap["name"])
def test_the_trap_is_avoided(trap: dict[str, Any], knowledge: Knowledge) -> None:
    entries = list(_entries(trap["entries"], knowledge))
    texts = {entry.id: _text(entry) for entry in entries}
    for pattern in trap.get("says", ()):
        for id_, text in texts.items():
            assert re.search(pattern, text), f"{id_} does not say {pattern}"
    for pattern in trap.get("some_say", ()):
        assert any(re.search(pattern, text) for text in texts.values()), pattern
    for pattern in trap.get("never", ()):
        for id_, text in texts.items():
            assert not re.search(pattern, text), f"{id_} says {pattern}"
    cited = {b.id for entry in entries for s in entry.statements() for b in s.basis}
    for pattern in trap.get("cites", ()):
        assert any(re.match(pattern, id_) for id_ in cited), f"nothing rests on {pattern}"


@pytest.mark.parametrize("law", REPLACED)
def test_the_version_in_force_is_cited(law: str, knowledge: Knowledge) -> None:
    assert knowledge.laws[law].effective == REPLACED[law]


def test_repealed_laws_rest_under_nothing(knowledge: Knowledge) -> None:
    cited = {b.law for e in knowledge.entries.values() for s in e.statements() for b in s.basis}
    assert len(cited) > 100
    gone = {name for name, law in knowledge.laws.items() if law.repealed_on is not None}
    assert not cited & gone
