"""How good are the answers? Pure functions from labelled questions and results to figures.

A row of a question file is ``{"id", "text", "topic", "services", "urgency", "scope"}``; only
``text`` is required, and each measure uses the rows that have what it needs. Intervals are
95 % bootstrap over questions with a fixed seed.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

SEED = 20260101
ROUNDS = 1000
BINS = 10


class QuestionsError(ValueError):
    """The question file cannot be used; the message names the line and what it should hold."""


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question. None or empty means that it has no such label."""

    id: str
    text: str
    topic: str | None = None
    services: tuple[str, ...] = ()
    situation: str | None = None
    provisions: tuple[str, ...] = ()
    urgency: str | None = None
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the bot made of a question."""

    status: str
    topics: tuple[str, ...]
    """Best first."""
    services: tuple[str, ...]
    situations: tuple[str, ...]
    provisions: tuple[str, ...]
    urgency: str
    confidence: float
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A mean over questions with its 95 % interval; all None if no question applies."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    count: int


@dataclass(frozen=True, slots=True)
class Evaluation:
    measures: tuple[Measure, ...]
    statuses: dict[str, int]
    confusions: tuple[tuple[str, str, int, str], ...]
    """(labelled topic, given topic, times, an example), most frequent first."""
    risk: tuple[tuple[float, float], ...] = field(default=())
    """(coverage, topic accuracy of the surest part): the risk-coverage curve."""


def load_questions(path: Path) -> list[Question]:
    """Return the questions in a `.jsonl` file. Raises `QuestionsError`."""
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row: dict[str, Any] = json.loads(line)
            questions.append(
                Question(
                    id=str(row.get("id", number)),
                    text=row["text"],
                    topic=row.get("topic"),
                    services=tuple(row.get("services") or ()),
                    situation=row.get("situation"),
                    provisions=tuple(row.get("provisions") or ()),
                    urgency=row.get("urgency"),
                    scope=row.get("scope"),
                )
            )
        except (json.JSONDecodeError, KeyError, TypeError, AttributeError) as error:
            raise QuestionsError(
                f'{path}:{number}: {error}; a line is {{"text": "...", "topic": "...", '
                '"services": ["..."]}}'
            ) from error
    if not questions:
        raise QuestionsError(f"{path}: no questions in it")
    return questions


def evaluate(questions: Sequence[Question], outcomes: Sequence[Outcome]) -> Evaluation:
    """Return the figures of ``outcomes``, in the order of ``questions``."""
    pairs = list(zip(questions, outcomes, strict=True))
    legal = [(q, o) for q, o in pairs if q.scope in (None, "legal")]
    measures = (*_routing(legal), *_finding(pairs), *_refusing(pairs, legal), *_safety(pairs))
    labelled = [(q, o) for q, o in legal if q.topic]
    return Evaluation(
        measures=tuple(m for m in measures if m.count),
        statuses=dict(Counter(o.status for _, o in pairs).most_common()),
        confusions=_confusions(labelled),
        risk=_risk_coverage(labelled),
    )


_Pairs = Sequence[tuple[Question, Outcome]]


def _routing(legal: _Pairs) -> list[Measure]:
    """Does the right office come first? Is the topic right?"""
    served = [(q, o) for q, o in legal if q.services]
    topics = [(q, o) for q, o in legal if q.topic]
    return [
        _mean("service hit@1", [_hit(q.services, o.services, 1) for q, o in served]),
        _mean("service recall@3", [_recall(q.services, o.services, 3) for q, o in served]),
        _mean("topic top-1", _right(topics)),
        _mean("topic top-3", [float(q.topic in o.topics[:3]) for q, o in topics]),
        _mean("topic of the surest 70 %", _surest(topics, 0.7)),
        calibration_error(topics),
    ]


def _finding(pairs: _Pairs) -> list[Measure]:
    """Is the right entry or provision found?"""
    told = [(q.situation, o.situations) for q, o in pairs if q.situation]
    quoted = [(q.provisions, o.provisions) for q, o in pairs if q.provisions]
    return [
        _mean("situation hit@1", [float(wanted in given[:1]) for wanted, given in told]),
        _mean("situation hit@3", [float(wanted in given[:3]) for wanted, given in told]),
        _mean("provision hit@3", [_hit(wanted, given, 3) for wanted, given in quoted]),
    ]


def _refusing(pairs: _Pairs, legal: _Pairs) -> list[Measure]:
    """Is turned away what does not belong here, and nothing else?"""
    foreign = [o for q, o in pairs if q.scope in ("not_legal", "empty")]
    refused = [float(o.status == "unanswerable_not_legal") for q, o in legal if q.scope]
    return [
        _mean("not legal or empty: turned away", [float(_turned_away(o)) for o in foreign]),
        _mean("legal questions refused", refused),
        _mean("answered", [float(o.status == "answered") for _, o in pairs]),
        _mean("asked back", [float(o.status.startswith("clarify")) for _, o in pairs]),
        _mean("not answered", [float(o.status.startswith("unanswerable")) for _, o in pairs]),
    ]


def _safety(pairs: _Pairs) -> list[Measure]:
    """Is danger recognised, and only danger?"""
    called = [(q.urgency == "danger", o.urgency == "danger") for q, o in pairs if q.urgency]
    return [
        _mean("danger recognised", [float(found) for real, found in called if real]),
        _mean("false alarms of danger", [float(found) for real, found in called if not real]),
    ]


def _hit(wanted: Sequence[str], given: Sequence[str], most: int) -> float:
    return float(bool(set(wanted) & set(given[:most])))


def _recall(wanted: Sequence[str], given: Sequence[str], most: int) -> float:
    return len(set(wanted) & set(given[:most])) / len(set(wanted))


def _turned_away(outcome: Outcome) -> bool:
    return outcome.status.startswith(("unanswerable", "clarify", "social", "safeguard"))


def _right(pairs: _Pairs) -> list[float]:
    return [float(q.topic in o.topics[:1]) for q, o in pairs]


def _surest(pairs: _Pairs, share: float) -> list[float]:
    ordered = sorted(pairs, key=lambda pair: -pair[1].confidence)
    return _right(ordered[: round(len(ordered) * share)])


def _risk_coverage(pairs: _Pairs) -> tuple[tuple[float, float], ...]:
    right = _right(sorted(pairs, key=lambda pair: -pair[1].confidence))
    if not right:
        return ()
    means = np.cumsum(right) / np.arange(1, len(right) + 1)
    steps = np.unique(np.linspace(1, len(right), 40).astype(int))
    return tuple((float(i / len(right)), float(means[i - 1])) for i in steps)


def _mean(name: str, values: Sequence[float]) -> Measure:
    if not values:
        return Measure(name, None, None, None, 0)
    array = np.asarray(values, dtype=np.float64)
    random = np.random.default_rng(SEED)
    picks = random.integers(0, len(array), (ROUNDS, len(array)))
    means = array[picks].mean(axis=1)
    low, high = np.percentile(means, (2.5, 97.5))
    return Measure(name, float(array.mean()), float(low), float(high), len(array))


def calibration_error(pairs: _Pairs) -> Measure:
    """Return the expected calibration error of the confidence in ten equal-width bins."""
    labelled = [(o.confidence, float(q.topic in o.topics[:1])) for q, o in pairs if q.topic]
    name = "calibration error (10 bins)"
    if not labelled:
        return Measure(name, None, None, None, 0)
    data = np.asarray(labelled)

    def error(rows: Any) -> float:
        bins = np.minimum((rows[:, 0] * BINS).astype(int), BINS - 1)
        return float(
            sum(
                abs(rows[bins == b, 0].mean() - rows[bins == b, 1].mean()) * (bins == b).mean()
                for b in np.unique(bins)
            )
        )

    random = np.random.default_rng(SEED)
    errors = [error(data[random.integers(0, len(data), len(data))]) for _ in range(ROUNDS // 5)]
    low, high = np.percentile(errors, (2.5, 97.5))
    return Measure(name, error(data), float(low), float(high), len(data))


def _confusions(pairs: _Pairs) -> tuple[tuple[str, str, int, str], ...]:
    wrong: dict[tuple[str, str], list[str]] = {}
    for question, outcome in pairs:
        given = outcome.topics[0] if outcome.topics else "-"
        if question.topic and given != question.topic:
            wrong.setdefault((question.topic, given), []).append(question.text)
    ranked = sorted(wrong.items(), key=lambda item: -len(item[1]))
    return tuple((a, b, len(texts), texts[0]) for (a, b), texts in ranked[:15])
