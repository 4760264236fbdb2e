"""Floors that no bundle may fall below, on questions by people who saw neither entries nor rules.

`situations_*.yaml` and `provisions.yaml` were written from titles alone, `danger.yaml` from the
contract's definition alone, `scope.yaml` from a description of the bot. They report; nothing is
chosen by looking at them.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.asking import AskRequest, ask
from bot.core.screening import screen
from bot.thinking import Mind
from kb.check import bigrams
from kb.types import Kind, Knowledge
from retrieval.types import Query

FOLDER = Path(__file__).parent


def _load(name: str) -> Any:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))


def _situations() -> list[dict[str, str]]:
    files = ("situations_a.yaml", "situations_b.yaml", "situations_c.yaml")
    return [row for name in files for row in _load(name)]


def _overlaps(knowledge: Knowledge, questions: list[dict[str, str]]) -> Iterator[float]:
    """Yield, for each question, the largest share of its pairs of characters in a phrasing."""
    said = [bigrams(p) for e in knowledge.entries.values() for p in e.phrasings]
    said += [bigrams(p) for v in knowledge.provisions.values() for p in v.phrasings]
    for question in questions:
        asked = bigrams(question["text"])
        yield max(len(asked & grams) for grams in said) / len(asked)


def test_every_situation_and_provision_has_its_questions(knowledge: Knowledge) -> None:
    asked = [q["id"] for q in _situations()]
    wanted = [e.id for e in knowledge.entries.values() if e.kind is Kind.SITUATION]
    assert all(asked.count(id_) >= 3 for id_ in wanted)
    provisions = _load("provisions.yaml")
    assert {q["id"] for q in provisions} == set(knowledge.provisions) and len(provisions) >= 180


def test_no_question_is_nearly_a_phrasing(knowledge: Knowledge) -> None:
    shares = list(_overlaps(knowledge, [*_situations(), *_load("provisions.yaml")]))
    print(f"overlap with the nearest phrasing: mean {sum(shares) / len(shares):.2f}")
    assert max(shares) <= 0.5


def test_situations_are_found(mind: Mind) -> None:
    first = third = 0
    questions = _situations()
    for question in questions:
        result = mind.searcher.search(Query(text=question["text"]))
        known = mind.playbook.knowledge.entries
        hits = [h.id for h in result.hits if h.id in known and known[h.id].kind is Kind.SITUATION]
        first += hits[:1] == [question["id"]]
        third += question["id"] in hits[:3]
    print(f"situation hit@1 {first / len(questions):.3f}, hit@3 {third / len(questions):.3f}")
    assert first / len(questions) >= 0.70
    assert third / len(questions) >= 0.88


def test_provisions_are_found(mind: Mind) -> None:
    questions = _load("provisions.yaml")
    found = sum(
        q["id"] in mind.searcher.search(Query(text=q["text"])).provisions[:3] for q in questions
    )
    print(f"provision hit@3 {found / len(questions):.3f}")
    assert found / len(questions) >= 0.90


@pytest.mark.parametrize(
    ("part", "low", "high"), [("dangerous", 0.97, 1.0), ("ordinary", 0.0, 0.01)]
)
def test_danger(mind: Mind, part: str, low: float, high: float) -> None:
    rows = _load("danger.yaml")[part]
    assert len(rows) >= (300 if part == "dangerous" else 1000)
    rules = mind.playbook.danger
    share = sum(screen(row["text"], rules).danger is not None for row in rows) / len(rows)
    print(f"{part}: {share:.4f} of {len(rows)} called danger")
    assert low <= share <= high


def test_what_does_not_belong_is_turned_away_and_nothing_else(mind: Mind) -> None:
    scope = _load("scope.yaml")
    now = datetime(2026, 11, 24, tzinfo=UTC)
    status = {
        name: [ask(mind, AskRequest(text=text), now)["status"] for text in texts]
        for name, texts in scope.items()
    }
    foreign = [*status["not_legal"], *status["empty"]]
    away = sum(s.startswith(("unanswerable", "clarify", "social")) for s in foreign)
    lost = sum(s == "unanswerable_not_legal" for s in status["near_legal"])
    print(f"not legal or empty: {away / len(foreign):.3f} of {len(foreign)} turned away")
    print(f"near legal: {lost / len(status['near_legal']):.3f} of {len(status['near_legal'])} lost")
    assert len(status["not_legal"]) >= 300 and len(status["near_legal"]) >= 150
    assert away / len(foreign) >= 0.90
    assert lost / len(status["near_legal"]) <= 0.03


def test_every_must_mention_point_is_in_the_first_answer(mind: Mind) -> None:
    from datetime import date

    from bot.core.answering import compose_entry
    from bot.core.reply import plain_text
    from bot.core.session import Matter

    checked = 0
    for entry in mind.playbook.knowledge.entries.values():
        matter = Matter(id=1, topic=entry.topic or "")
        text = plain_text(compose_entry(entry, matter, mind.playbook, date(2026, 11, 24))[0])
        for point in entry.must_mention:
            checked += 1
            assert any(option in text for option in point.split("|")), (entry.id, point)
    assert checked > 1000
