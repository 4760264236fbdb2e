"""Chance: how far a figure may be off, and whether two of them really differ. Pure functions.

Intervals are 95 % percentile bootstrap over questions with a fixed seed, so that the same file
always gives the same figures. Comparisons are paired: both sides answered the same questions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Statistic = Callable[[Floats], float]
"""From rows, one for each question, to one figure."""

SEED = 20260101
ROUNDS = 1000
_PERCENTILES = (2.5, 97.5)


def interval(rows: Floats, statistic: Statistic) -> tuple[float, float]:
    """Return the interval of ``statistic`` over ``rows``, of shape (questions, ...), not empty."""
    figures = [statistic(rows[picks]) for picks in _resamples(len(rows))]
    low, high = np.percentile(figures, _PERCENTILES)
    return float(low), float(high)


def paired_interval(ours: Floats, theirs: Floats, statistic: Statistic) -> tuple[float, float]:
    """Return the interval of the difference ``ours`` - ``theirs``.

    Row i of both, of shape (questions, ...), is the same question: each round draws the same
    questions for both, so that what is hard for both does not count as chance.
    """
    if len(ours) != len(theirs):
        raise ValueError(f"not the same questions: {len(ours)} and {len(theirs)}")
    figures = [statistic(ours[p]) - statistic(theirs[p]) for p in _resamples(len(ours))]
    low, high = np.percentile(figures, _PERCENTILES)
    return float(low), float(high)


def mcnemar(won: int, lost: int) -> float:
    """Return the exact two-sided p of ``won`` against ``lost`` questions that changed.

    If the change had no side, each changed question would be a toss of a fair coin. The sum of
    binomials is one of whole numbers: nothing is rounded before the one division at the end.
    """
    changed = won + lost
    term, total = 1, 0
    for k in range(min(won, lost) + 1):
        total += term  # term is changed! / (k! (changed - k)!)
        term = term * (changed - k) // (k + 1)
    # 1 << changed, not 2**changed: mypy takes the latter for Any, the exponent could be negative.
    return min(1.0, 2 * total / (1 << changed))


def won_and_lost(ours: Sequence[float], theirs: Sequence[float]) -> tuple[int, int]:
    """Return how many 0/1 values are higher in ``ours``, and how many are lower."""
    pairs = list(zip(ours, theirs, strict=True))
    return sum(a > b for a, b in pairs), sum(a < b for a, b in pairs)


def _resamples(count: int) -> Iterator[NDArray[np.int64]]:
    """Yield for each round the numbers of ``count`` questions drawn with replacement."""
    random = np.random.default_rng(SEED)
    for _ in range(ROUNDS):
        yield random.integers(0, count, count)
