"""The few numbers that turn scores into a ranking and a ranking into a confidence.

They are learned by ``suifawen calibrate`` from labelled questions (`order`: from phrasings that
were held out) and stand in `ranking.json`, where they can be read. All are plain weights of
scores that lie in 0..1.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

from pydantic import TypeAdapter

from kb.value import value

SHIPPED = Path(__file__).parent / "ranking.json"


@value
class Weights:
    """Of a convex combination: they sum to 1."""

    lexical: float
    dense: float
    prior: float


@value
class Ranking:
    """Weights of the fusions, the calibration of the confidence, and its thresholds."""

    topic: Weights
    """Which topic a question is of: each topic's best candidate speaks for it."""
    order: Weights
    """Which candidate is nearest: the topic is less of the question then, the words more."""
    sharpness: float
    """Fused scores are multiplied by it before the softmax over topics."""
    slope: float
    margin: float
    coverage: float
    intercept: float
    """Logistic calibration of the best topic's share (as log odds), its lead over the second,
    and the share of the question's weight that the index knows."""
    service: float
    """Weight of the classifier of the first service beside what the likely topics name."""
    situation: float
    """Weight of the services that the best situation names, times the confidence."""
    answer_above: float
    """Confidence from which an answer is given; see README.md for what it buys."""
    ask_above: float
    """Confidence from which choices are offered; below, the nearest route and a person."""
    situation_lead: float
    """How far the best situation has to lead within its topic to be answered with at once. Of
    held-out phrasings of a known topic .62 are nearest to their own situation; .81 lead by .02,
    .69 of these with their own; among four choices it stands in .94."""
    not_legal_above: float
    unclear_above: float
    """Shares of these topics from which a message is turned away, or asked to say more."""
    doubt_above: float
    """Share of both together from which nothing is answered without asking back."""


def load_ranking(path: Path = SHIPPED) -> Ranking:
    """Return the ranking that stands in ``path``."""
    data = json.loads(path.read_text(encoding="utf-8"))
    ranking: Ranking = TypeAdapter(Ranking).validate_python(data)
    return ranking


def calibrate(ranking: Ranking, share: float, lead: float, coverage: float) -> float:
    """Return the probability that the best topic is right.

    ``share`` is its softmax share, ``lead`` its distance to the second, both 0..1.
    """
    share = min(max(share, 1e-6), 1 - 1e-6)
    odds = math.log(share / (1 - share))
    x = ranking.slope * odds + ranking.margin * lead + ranking.coverage * coverage
    return 1 / (1 + math.exp(-(x + ranking.intercept)))
