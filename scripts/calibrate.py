"""``suifawen calibrate``: learn the weights and the confidence from labelled questions.

Writes retrieval/ranking.json. The questions are only chosen with: report the result on
others. Fusion weights are found on a grid (three weights that sum to 1), the sharpness by
likelihood, the confidence by logistic regression.
"""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from retrieval.evaluation import Question, load_questions
from retrieval.ranking import SHIPPED, Ranking, load_ranking

Floats = NDArray[np.float64]


@click.command()
@click.argument("questions", metavar="FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--out", type=click.Path(path_type=Path), default=SHIPPED)
def command(questions: Path, data: Path | None, out: Path) -> None:
    """Fit the ranking on FILE (JSON lines with text and topic) and write it to OUT."""
    from retrieval.search import Searcher
    from scripts._mind import open_current_mind

    searcher = open_current_mind(data).searcher
    assert isinstance(searcher, Searcher)
    rows = [q for q in load_questions(questions) if q.topic]
    ranking = fit(searcher, rows, load_ranking())
    out.write_text(json.dumps(asdict(ranking), indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(asdict(ranking)), err=True)


def fit(searcher: object, questions: list[Question], start: Ranking) -> Ranking:
    """Return ``start`` with weights, sharpness and calibration learned from ``questions``."""
    from retrieval.normalise import fold
    from retrieval.search import Searcher

    assert isinstance(searcher, Searcher)
    classes = {topic: i for i, topic in enumerate(searcher.topics)}
    rows = [q for q in questions if q.topic in classes]
    gold = np.array([classes[q.topic or ""] for q in rows])
    scores = [searcher.scores(searcher.normalise(fold(q.text))) for q in rows]
    best, ranking = -np.inf, start
    for lexical in np.arange(0.02, 0.5, 0.04):
        for dense in np.arange(0.02, 0.5, 0.04):
            if lexical + dense > 0.9:
                continue
            tried = replace(start, lexical=float(lexical), dense=float(dense),
                            prior=float(1 - lexical - dense))  # fmt: skip
            topics = np.array([searcher.topic_scores(s, tried) for s in scores], dtype=np.float64)
            for sharpness in (12.0, 16.0, 20.0, 26.0, 34.0, 44.0, 60.0):
                fitness = _log_likelihood(topics * sharpness, gold)
                if fitness > best:
                    best, ranking = fitness, replace(tried, sharpness=sharpness)
    topics = np.array([searcher.topic_scores(s, ranking) for s in scores], dtype=np.float64)
    shares = _softmax(topics * ranking.sharpness)
    order = np.sort(shares, axis=1)
    top, second = np.clip(order[:, -1], 1e-6, 1 - 1e-6), order[:, -2]
    right = (shares.argmax(axis=1) == gold).astype(np.float64)
    coverage = np.array([s.coverage for s in scores])
    features = np.stack([np.log(top / (1 - top)), top - second, coverage, np.ones(len(top))], 1)
    slope, margin, covered, intercept = _logistic(features, right)
    click.echo(f"topic top-1 on these {len(rows)}: {right.mean():.3f}", err=True)
    return replace(
        ranking,
        lexical=round(ranking.lexical, 3),
        dense=round(ranking.dense, 3),
        prior=round(ranking.prior, 3),
        slope=round(slope, 3),
        margin=round(margin, 3),
        coverage=round(covered, 3),
        intercept=round(intercept, 3),
    )


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Floats = powers / powers.sum(axis=1, keepdims=True)
    return shares


def _log_likelihood(scores: Floats, gold: NDArray[np.int64]) -> float:
    shares = _softmax(scores)[np.arange(len(gold)), gold]
    return float(np.log(np.maximum(shares, 1e-9)).mean())


def _logistic(features: Floats, right: Floats, ridge: float = 1.0) -> tuple[float, ...]:
    """Return the coefficients of a ridge logistic regression, by Newton's method."""
    w = np.zeros(features.shape[1])
    for _ in range(50):
        p = 1 / (1 + np.exp(-features @ w))
        gradient = features.T @ (p - right) + ridge * w
        hessian = features.T @ (features * (p * (1 - p))[:, None]) + ridge * np.eye(len(w))
        step = np.linalg.solve(hessian, gradient)
        w -= step
        if np.abs(step).max() < 1e-8:
            break
    return tuple(float(x) for x in w)
