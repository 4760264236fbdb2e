"""How good are the answers? Pure functions from labelled questions and results to figures.

Each measure uses the questions that have the label it needs, whatever the answers are: so two
evaluations of the same questions can be compared question by question. Intervals are 95 %
bootstrap over questions with a fixed seed (`retrieval.significance`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from retrieval.confidence import (
    SUREST,
    Bin,
    Threshold,
    at_threshold,
    calibration_error,
    reliability,
    risk_coverage,
    surest,
)
from retrieval.questions import Known as Known  # callers come here for questions as well
from retrieval.questions import Question as Question
from retrieval.questions import QuestionsError as QuestionsError
from retrieval.questions import load_questions as load_questions
from retrieval.significance import (
    Floats,
    Statistic,
    interval,
    mcnemar,
    paired_interval,
    won_and_lost,
)

MOST_CONFUSIONS = 15
MOST_EXAMPLES = 3
MOST_CHANGES = 20


class Better(StrEnum):
    """Which way a measure should go."""

    HIGHER = "higher"
    LOWER = "lower"
    NEITHER = "neither"
    """It says what happened; whether that is good depends on the questions."""


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
class Score:
    """What one measure makes of each question that it applies to."""

    name: str
    rows: Floats
    """Shape (questions,), or (questions, 2): the confidence, and 1 if the topic is right."""
    statistic: Statistic
    better: Better
    yes_or_no: bool
    """Each question is simply right (1) or wrong (0), and the measure is their mean."""
    share: float = 1.0
    """Of the questions, how much the figure is about."""

    @property
    def count(self) -> int:
        return round(len(self.rows) * self.share)


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure over questions with its 95 % interval; all None if no question applies."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    count: int
    better: Better = Better.HIGHER


@dataclass(frozen=True, slots=True)
class Confusion:
    """What was given instead of what was labelled, most often first."""

    labelled: str
    given: str
    count: int
    examples: tuple[str, ...]
    """The texts of at most three of the questions."""


@dataclass(frozen=True, slots=True)
class Evaluation:
    measures: tuple[Measure, ...]
    statuses: dict[str, int]
    confusions: tuple[Confusion, ...]
    """Of topics."""
    service_confusions: tuple[Confusion, ...]
    """First labelled and first given, where the first given is none of the labelled."""
    risk: tuple[tuple[float, float], ...]
    """(coverage, topic accuracy of the surest part): the risk-coverage curve."""
    reliability: tuple[Bin, ...]
    threshold: Threshold | None


@dataclass(frozen=True, slots=True)
class Difference:
    """One measure of two sides. ``difference`` is this - against, with its paired interval."""

    name: str
    this: float
    against: float
    difference: float
    low: float
    high: float
    count: int
    better: Better
    won: int | None = None
    """Questions better with this; without a better side, those with a higher value. None where
    a question is not simply right or wrong."""
    lost: int | None = None
    p: float | None = None
    """Exact McNemar test, two-sided."""


@dataclass(frozen=True, slots=True)
class Change:
    """A question whose topic is right on one side only."""

    id: str
    text: str
    labelled: str
    this: str
    against: str


@dataclass(frozen=True, slots=True)
class Comparison:
    differences: tuple[Difference, ...]
    won: tuple[Change, ...]
    """Wrong topic against, right with this: the first 20 of them in the order of the file."""
    lost: tuple[Change, ...]
    won_total: int
    lost_total: int


def evaluate(
    questions: Sequence[Question], outcomes: Sequence[Outcome], answer_above: float | None = None
) -> Evaluation:
    """Return the figures of ``outcomes``, in the order of ``questions``.

    ``answer_above``: the confidence from which the bundle answers.
    """
    pairs = list(zip(questions, outcomes, strict=True))
    legal = _legal(pairs)
    labelled = [(q, o) for q, o in legal if q.topic]
    sure = _sure(labelled)
    return Evaluation(
        measures=tuple(_measure(s) for s in scores(questions, outcomes)),
        statuses=dict(Counter(o.status for _, o in pairs).most_common()),
        confusions=confusions(
            (q.topic or "", _first(o.topics), q.text) for q, o in labelled if not _right(q, o)
        ),
        service_confusions=confusions(
            (q.services[0], _first(o.services), q.text)
            for q, o in legal
            if q.services and not set(q.services) & set(o.services[:1])
        ),
        risk=risk_coverage(sure),
        reliability=reliability(sure),
        threshold=None if answer_above is None else at_threshold(sure, answer_above),
    )


def compare(
    questions: Sequence[Question], this: Sequence[Outcome], against: Sequence[Outcome]
) -> Comparison:
    """Return, question by question, how ``this`` differs from ``against``."""
    both = zip(scores(questions, this), scores(questions, against), strict=True)
    changes: tuple[list[Change], list[Change]] = ([], [])
    for q, a, b in zip(questions, this, against, strict=True):
        if q.topic and q.scope in (None, "legal") and _right(q, a) != _right(q, b):
            change = Change(q.id, q.text, q.topic, _first(a.topics), _first(b.topics))
            changes[0 if _right(q, a) else 1].append(change)
    won, lost = changes
    return Comparison(
        differences=tuple(_difference(ours, theirs) for ours, theirs in both),
        won=tuple(won[:MOST_CHANGES]),
        lost=tuple(lost[:MOST_CHANGES]),
        won_total=len(won),
        lost_total=len(lost),
    )


def scores(questions: Sequence[Question], outcomes: Sequence[Outcome]) -> list[Score]:
    """Return every measure that applies to a question, in the order of the table."""
    pairs = list(zip(questions, outcomes, strict=True))
    legal = _legal(pairs)
    found = (*_routing(legal), *_finding(pairs), *_refusing(pairs), *_safety(pairs))
    return [score for score in found if len(score.rows)]


_Pairs = Sequence[tuple[Question, Outcome]]


def _legal(pairs: _Pairs) -> _Pairs:
    return [(q, o) for q, o in pairs if q.scope in (None, "legal")]


def _routing(legal: _Pairs) -> list[Score]:
    """Does the right office come first? Is the topic right?"""
    served = [(q, o) for q, o in legal if q.services]
    topics = [(q, o) for q, o in legal if q.topic]
    sure = _sure(topics)
    return [
        _mean("service hit@1", [_hit(q.services, o.services, 1) for q, o in served]),
        _mean(
            "service recall@3",
            [_recall(q.services, o.services, 3) for q, o in served],
            yes_or_no=False,
        ),
        _mean("topic top-1", [float(_right(q, o)) for q, o in topics]),
        _mean("topic top-3", [float(q.topic in o.topics[:3]) for q, o in topics]),
        Score("topic of the surest 70 %", sure, surest, Better.HIGHER, False, SUREST),
        Score("calibration error (10 bins)", sure, calibration_error, Better.LOWER, False),
    ]


def _finding(pairs: _Pairs) -> list[Score]:
    """Is the right entry or provision found?"""
    told = [(q.situation, o.situations) for q, o in pairs if q.situation]
    quoted = [(q.provisions, o.provisions) for q, o in pairs if q.provisions]
    return [
        _mean("situation hit@1", [float(wanted in given[:1]) for wanted, given in told]),
        _mean("situation hit@3", [float(wanted in given[:3]) for wanted, given in told]),
        _mean("provision hit@3", [_hit(wanted, given, 3) for wanted, given in quoted]),
    ]


def _refusing(pairs: _Pairs) -> list[Score]:
    """Is turned away what does not belong here, and nothing else?"""
    every = [o.status for _, o in pairs]
    foreign = [o.status for q, o in pairs if q.scope in ("not_legal", "empty")]
    not_legal = [o.status for q, o in pairs if q.scope == "not_legal"]
    legal = [o.status for q, o in pairs if q.scope == "legal"]
    away = ("unanswerable", "clarify", "social", "safeguard")
    return [
        _share("not legal or empty: turned away", foreign, away),
        _share("not-legal refused or asked back", not_legal, ("unanswerable", "clarify")),
        _share("near-legal lost", legal, ("unanswerable_not_legal",), Better.LOWER),
        _share("answered", every, ("answered",), Better.NEITHER),
        _share("asked back", every, ("clarify",), Better.NEITHER),
        _share("not answered", every, ("unanswerable",), Better.NEITHER),
    ]


def _safety(pairs: _Pairs) -> list[Score]:
    """Is danger recognised, and only danger?"""
    called = [(q.urgency == "danger", o.urgency == "danger") for q, o in pairs if q.urgency]
    alarms = [float(found) for real, found in called if not real]
    return [
        _mean("danger recognised", [float(found) for real, found in called if real]),
        _mean("false alarms of danger", alarms, Better.LOWER),
    ]


# -- from questions to rows, from rows to figures ------------------------------------------


def _mean(
    name: str, values: Sequence[float], better: Better = Better.HIGHER, yes_or_no: bool = True
) -> Score:
    return Score(name, np.asarray(values, dtype=np.float64), _mean_of, better, yes_or_no)


def _share(
    name: str, statuses: Sequence[str], counted: tuple[str, ...], better: Better = Better.HIGHER
) -> Score:
    """How many of ``statuses`` begin with one of ``counted``."""
    return _mean(name, [float(s.startswith(counted)) for s in statuses], better)


def mean_measure(name: str, values: Sequence[float]) -> Measure:
    """Return the mean of ``values``, one for each question, with its interval."""
    return _measure(_mean(name, values))


def _measure(score: Score) -> Measure:
    if not len(score.rows):
        return Measure(score.name, None, None, None, 0, score.better)
    low, high = interval(score.rows, score.statistic)
    value = score.statistic(score.rows)
    return Measure(score.name, value, low, high, score.count, score.better)


def _difference(ours: Score, theirs: Score) -> Difference:
    this, against = ours.statistic(ours.rows), ours.statistic(theirs.rows)
    low, high = paired_interval(ours.rows, theirs.rows, ours.statistic)
    won = lost = p = None
    if ours.yes_or_no:
        won, lost = won_and_lost(ours.rows.tolist(), theirs.rows.tolist())
        if ours.better is Better.LOWER:
            won, lost = lost, won
        p = mcnemar(won, lost)
    return Difference(
        name=ours.name,
        this=this,
        against=against,
        difference=this - against,
        low=low,
        high=high,
        count=ours.count,
        better=ours.better,
        won=won,
        lost=lost,
        p=p,
    )


def _mean_of(rows: Floats) -> float:
    return float(rows.mean())


def _sure(labelled: _Pairs) -> Floats:
    """Return the confidence and whether the topic is right (0/1), shape (questions, 2)."""
    rows = [(o.confidence, float(_right(q, o))) for q, o in labelled]
    return np.asarray(rows, dtype=np.float64).reshape(-1, 2)


def confusions(wrong: Iterable[tuple[str, str, str]]) -> tuple[Confusion, ...]:
    """Return the most frequent pairs of ``wrong``: (labelled, given, text)."""
    texts: dict[tuple[str, str], list[str]] = {}
    for labelled, given, text in wrong:
        texts.setdefault((labelled, given), []).append(text)
    ranked = sorted(texts.items(), key=lambda item: -len(item[1]))[:MOST_CONFUSIONS]
    return tuple(Confusion(a, b, len(t), tuple(t[:MOST_EXAMPLES])) for (a, b), t in ranked)


def _right(question: Question, outcome: Outcome) -> bool:
    return question.topic in outcome.topics[:1]


def _first(names: Sequence[str]) -> str:
    return names[0] if names else "-"


def _hit(wanted: Sequence[str], given: Sequence[str], most: int) -> float:
    return float(bool(set(wanted) & set(given[:most])))


def _recall(wanted: Sequence[str], given: Sequence[str], most: int) -> float:
    return len(set(wanted) & set(given[:most])) / len(set(wanted))
