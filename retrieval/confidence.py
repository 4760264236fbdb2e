"""How far the confidence can be trusted. Pure functions.

``sure`` has the shape (questions, 2) throughout: the confidence in 0..1, and 1 if the topic is
right, else 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from retrieval.significance import Floats

BINS = 10
SUREST = 0.7
CURVE_POINTS = 40


@dataclass(frozen=True, slots=True)
class Bin:
    """One bar of the reliability diagram: the questions with confidence in [low, high)."""

    low: float
    high: float
    count: int
    confidence: float | None
    """Mean confidence; None if the bin is empty."""
    accuracy: float | None
    """Share of right topics; None if the bin is empty."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """What an answer threshold buys. All but ``value`` are shares of questions, 0..1."""

    value: float
    """Confidence from which an answer is given."""
    coverage: float
    """At least so sure."""
    above: float | None
    """Right topics among those; None if there are none."""
    below: float | None
    overall: float


def surest(sure: Floats) -> float:
    """Return the topic accuracy of the surest 70 %."""
    return float(_surest_first(sure)[: round(len(sure) * SUREST)].mean())


def _surest_first(sure: Floats) -> Floats:
    """Return which topics are right (0/1), the surest question first."""
    right: Floats = sure[np.argsort(-sure[:, 0], kind="stable"), 1]
    return right


def calibration_error(sure: Floats) -> float:
    """Return the expected calibration error of the confidence in ten equal-width bins."""
    gaps = np.bincount(_bins(sure), weights=sure[:, 0] - sure[:, 1], minlength=BINS)
    return float(np.abs(gaps).sum() / len(sure))


def reliability(sure: Floats) -> tuple[Bin, ...]:
    """Return the ten bins of the reliability diagram; empty ones are there as well."""
    numbers = _bins(sure)
    found = []
    for b in range(BINS):
        rows = sure[numbers == b]
        confidence, accuracy = map(float, rows.mean(axis=0)) if len(rows) else (None, None)
        found.append(Bin(b / BINS, (b + 1) / BINS, len(rows), confidence, accuracy))
    return tuple(found)


def _bins(sure: Floats) -> NDArray[np.int64]:
    """Return the number of each question's bin; a confidence of 1 is in the last one."""
    numbers: NDArray[np.int64] = (sure[:, 0] * BINS).astype(np.int64)
    return numbers.clip(0, BINS - 1)


def risk_coverage(sure: Floats) -> tuple[tuple[float, float], ...]:
    """Return (coverage, topic accuracy) when only the surest part is answered, at 40 places."""
    right = _surest_first(sure)
    if not len(right):
        return ()
    means = np.cumsum(right) / np.arange(1, len(right) + 1)
    steps = np.unique(np.linspace(1, len(right), CURVE_POINTS).astype(int))
    return tuple((float(i / len(right)), float(means[i - 1])) for i in steps)


def at_threshold(sure: Floats, answer_above: float) -> Threshold | None:
    """Return what answering from ``answer_above`` buys; None if there are no questions."""
    if not len(sure):
        return None
    above = sure[:, 0] >= answer_above
    return Threshold(
        value=answer_above,
        coverage=float(above.mean()),
        above=float(sure[above, 1].mean()) if above.any() else None,
        below=float(sure[~above, 1].mean()) if not above.all() else None,
        overall=float(sure[:, 1].mean()),
    )
