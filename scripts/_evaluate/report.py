"""What an evaluation found, as text and as JSON; `scripts._evaluate.html` is the third form."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from kb.value import value
from retrieval.confidence import Threshold
from retrieval.evaluation import (
    Change,
    Comparison,
    Confusion,
    Difference,
    Evaluation,
    Outcome,
    Question,
)

MOST_SLOWEST = 10
_SHOWN = 40
"""Characters of a question in the text."""
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]+")


@value
class Other:
    """The side that is compared with."""

    name: str
    evaluation: Evaluation
    comparison: Comparison


@value
class Report:
    """Everything that is shown. ``outcomes`` are in the order of ``questions``."""

    source: str
    """The question file."""
    bundle: str
    questions: Sequence[Question]
    outcomes: Sequence[Outcome]
    evaluation: Evaluation
    other: Other | None = None


def one_line(text: str, most: int) -> str:
    """Return ``text`` on one line, at most ``most`` characters, and without what moves a cursor
    or turns the direction of writing: it is somebody's words in our terminal and page."""
    line = " ".join(_UNSEEN.sub(" ", text).split())
    return line if len(line) <= most else line[: most - 1] + "…"


def milliseconds(outcomes: Sequence[Outcome]) -> tuple[float, float]:
    """Return median and 95th percentile of the time of a turn, in milliseconds."""
    times = sorted(outcome.seconds * 1000 for outcome in outcomes)
    return times[len(times) // 2], times[int(len(times) * 0.95)]


def slowest(report: Report) -> list[tuple[Question, Outcome]]:
    """Return the ten questions that took longest, the slowest first."""
    pairs = zip(report.questions, report.outcomes, strict=True)
    return sorted(pairs, key=lambda pair: -pair[1].seconds)[:MOST_SLOWEST]


def threshold_sentence(threshold: Threshold) -> str:
    """Say what the answer threshold buys."""
    if threshold.above is None:
        return f"No question reaches the answer threshold of {threshold.value:.2f}."
    said = (
        f"From a confidence of {threshold.value:.2f} the bot may answer at once: "
        f"{threshold.coverage:.1%} of the questions are at least so sure, and the topic is right "
        f"in {threshold.above:.1%} of them, against {threshold.overall:.1%} of all questions"
    )
    if threshold.below is None:
        return f"{said}."
    return f"{said} and {threshold.below:.1%} of those that it holds back."


def p_value(p: float) -> str:
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


# -- text --------------------------------------------------------------------------------


def as_text(report: Report, examples: bool) -> Iterator[str]:
    """Yield the lines of the report."""
    evaluation = report.evaluation
    yield f"{report.source}: {len(report.questions)} questions, bundle {report.bundle[:19]}"
    for m in evaluation.measures:
        yield f"{m.name:42} {m.value:6.3f}   [{m.low:.3f}, {m.high:.3f}]   n={m.count}"
    if evaluation.threshold is not None:
        yield threshold_sentence(evaluation.threshold)
    yield "status: " + ", ".join(f"{k} {v}" for k, v in evaluation.statuses.items())
    median, late = milliseconds(report.outcomes)
    yield f"time of a turn: median {median:.2f} ms, p95 {late:.2f} ms"
    if report.other is not None:
        yield from _comparison_lines(report.other, examples)
    if examples:
        yield from _confusion_lines("topics", evaluation.confusions)
        yield from _confusion_lines("first services", evaluation.service_confusions)


def _confusion_lines(what: str, confusions: Sequence[Confusion]) -> Iterator[str]:
    if confusions:
        yield f"most frequent confusions of {what} (labelled -> given):"
    for c in confusions:
        example = one_line(c.examples[0], _SHOWN)
        yield f"  {c.count:3}  {one_line(c.labelled, _SHOWN)} -> {c.given}   {example}"


def _comparison_lines(other: Other, examples: bool) -> Iterator[str]:
    yield f"this bundle compared with {other.name} (this - against; won: better with this):"
    for d in other.comparison.differences:
        yield (
            f"  {d.name:40} {d.this:6.3f} {d.against:6.3f}   {d.difference:+.3f} "
            f"[{d.low:+.3f}, {d.high:+.3f}]{_test(d)}"
        )
    if examples:
        found = other.comparison
        yield from _change_lines("right with this, wrong against", found.won, found.won_total)
        yield from _change_lines("wrong with this, right against", found.lost, found.lost_total)


def _test(difference: Difference) -> str:
    if difference.p is None:
        return ""
    return f"   won {difference.won}, lost {difference.lost}, p {p_value(difference.p)}"


def _change_lines(what: str, changes: Sequence[Change], total: int) -> Iterator[str]:
    if changes:
        yield f"topic {what}: {total}, the first {len(changes)} (id, labelled, this, against):"
    for c in changes:
        id_, labelled, text = (one_line(part, _SHOWN) for part in (c.id, c.labelled, c.text))
        yield f"  {id_}  {labelled}  {c.this}  {c.against}   {text}"


# -- JSON --------------------------------------------------------------------------------


def as_json(report: Report) -> dict[str, Any]:
    """Return the report as objects and lists."""
    median, late = milliseconds(report.outcomes)
    data = {
        "source": report.source,
        "bundle": report.bundle,
        "questions": len(report.questions),
        **_figures(report.evaluation),
        "milliseconds": {"median": median, "p95": late},
        "slowest": [
            {"id": q.id, "milliseconds": o.seconds * 1000, "status": o.status}
            for q, o in slowest(report)
        ],
    }
    if report.other is not None:
        comparison = report.other.comparison
        data["comparison"] = {
            "against": report.other.name,
            "measures": {d.name: _without_name(d) for d in comparison.differences},
            "won": {"total": comparison.won_total, "first": _plain(comparison.won)},
            "lost": {"total": comparison.lost_total, "first": _plain(comparison.lost)},
        }
    return data


def _figures(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "measures": {
            m.name: {"value": m.value, "low": m.low, "high": m.high, "n": m.count}
            for m in evaluation.measures
        },
        "statuses": evaluation.statuses,
        "confusions": [asdict(c) for c in evaluation.confusions],
        "service_confusions": [asdict(c) for c in evaluation.service_confusions],
        "risk_coverage": evaluation.risk,
        "reliability": [asdict(b) for b in evaluation.reliability],
        "threshold": asdict(evaluation.threshold) if evaluation.threshold else None,
    }


def _plain(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [asdict(change) for change in changes]


def _without_name(difference: Difference) -> dict[str, Any]:
    found = asdict(difference)
    del found["name"]
    found["n"] = found.pop("count")
    return found
