"""``suifawen calibrate``: learn the weights and the confidence from labelled questions.

Writes retrieval/ranking.json. The questions are only chosen with: report the result on
others. Fusion weights are found on a grid (three weights that sum to 1): those of the topic, with
the sharpness, by the likelihood of the questions' topics; those of the order by how often the
entry of a phrasing that was held out is among the first three. The confidence is a logistic
regression.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path

import click
import numpy as np
from numpy.typing import NDArray

from kb.types import Kind, Knowledge
from retrieval.encoder import Encoder
from retrieval.evaluation import Question, load_questions
from retrieval.index import build_index
from retrieval.labelled import load_messages
from retrieval.normalise import Dialect, fold
from retrieval.ranking import SHIPPED, Ranking, Weights, load_ranking
from retrieval.search import Searcher

Floats = NDArray[np.float64]


@click.command()
@click.argument("questions", metavar="FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option(
    "--encoder",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Made by `train-encoder --hold-out`: the order is learned with vectors that have not seen "
    "the phrasings it is tried on. Without it the order's weights stay.",
)
@click.option("--out", type=click.Path(path_type=Path), default=SHIPPED)
def command(questions: Path, data: Path | None, encoder: Path | None, out: Path) -> None:
    """Fit the ranking on FILE (JSON lines with text and topic) and write it to OUT."""
    from retrieval.encoder import load_encoder
    from scripts._mind import open_current_mind

    mind = open_current_mind(data)
    searcher = mind.searcher
    assert isinstance(searcher, Searcher)
    rows = [q for q in load_questions(questions) if q.topic]
    ranking = fit(searcher, rows, load_ranking())
    if encoder is not None:
        unseen = load_encoder(encoder)
        order = fit_order(mind.playbook.knowledge, unseen, searcher.dialect, ranking)
        ranking = replace(ranking, order=order)
    out.write_text(json.dumps(asdict(ranking), indent=2) + "\n", encoding="utf-8")
    click.echo(json.dumps(asdict(ranking)), err=True)


def fit(searcher: Searcher, questions: list[Question], start: Ranking) -> Ranking:
    """Return ``start`` with weights, sharpness and calibration learned from ``questions``."""
    classes = {topic: i for i, topic in enumerate(searcher.topics)}
    rows = [q for q in questions if q.topic in classes]
    gold = np.array([classes[q.topic or ""] for q in rows])
    scores = [searcher.scores(searcher.normalise(fold(q.text))) for q in rows]
    best, ranking = -np.inf, start
    for weights in grid(0.04, 0.5):
        topics = np.array([searcher.topic_scores(s, weights) for s in scores], dtype=np.float64)
        for sharpness in (12.0, 16.0, 20.0, 26.0, 34.0, 44.0, 60.0):
            fitness = _log_likelihood(topics * sharpness, gold)
            if fitness > best:
                best, ranking = fitness, replace(start, topic=weights, sharpness=sharpness)
    topics = np.array([searcher.topic_scores(s, ranking.topic) for s in scores], dtype=np.float64)
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
        slope=round(slope, 3),
        margin=round(margin, 3),
        coverage=round(covered, 3),
        intercept=round(intercept, 3),
    )


def grid(step: float, most: float) -> Iterator[Weights]:
    """Yield weights of which the first two go in steps of ``step`` up to ``most``."""
    steps = np.arange(step / 2, most, step)
    for lexical, dense in itertools.product(steps, steps):
        if lexical + dense <= 0.9:
            yield Weights(
                lexical=round(float(lexical), 3),
                dense=round(float(dense), 3),
                prior=round(float(1 - lexical - dense), 3),
            )


def fit_order(knowledge: Knowledge, encoder: Encoder, dialect: Dialect, start: Ranking) -> Weights:
    """Return the weights of the order that find best where a phrasing came from.

    A fifth of the phrasings is held out of an index that is built for this, and ``encoder``
    must not have seen them either: it would know them, and get too much weight. A situation counts
    as found among situations, a provision among provisions; both kinds weigh alike.
    """
    rest, held = without_held_out(knowledge)
    index = build_index(rest, encoder, load_messages(knowledge), dialect)
    searcher = Searcher(index, rest, encoder, start, dialect)
    asked = [(searcher.scores(searcher.normalise(fold(text))), id_) for text, id_ in held]
    number = {c.id: i for i, c in enumerate(index.candidates)}
    kinds = np.array([c.kind for c in index.candidates])

    def found(weights: Weights) -> float:
        shares = []
        for kind in (Kind.SITUATION, Kind.PROVISION):
            members = np.flatnonzero(kinds == kind)
            ranks = np.array(
                [
                    _above(scores.fuse(weights), number[id_], members)
                    for scores, id_ in asked
                    if kinds[number[id_]] == kind
                ]
            )
            shares.append(float(np.mean(ranks < 3) + np.mean(ranks < 1)))
        return sum(shares)

    best = max(grid(0.1, 0.9), key=found)
    click.echo(f"order until now: {found(start.order) / 4:.3f}", err=True)
    click.echo(f"order: {found(best) / 4:.3f} of {len(asked)} phrasings found", err=True)
    return best


def _above(scores: NDArray[np.float32], one: int, members: NDArray[np.int64]) -> int:
    """Return how many of ``members`` score higher than ``one``."""
    return int((scores[members] > scores[one]).sum())


def without_held_out(knowledge: Knowledge) -> tuple[Knowledge, list[tuple[str, str]]]:
    """Return ``knowledge`` without every fifth phrasing, and those as (text, id) pairs."""
    held: list[tuple[str, str]] = []

    def keep(id_: str, phrasings: tuple[str, ...]) -> tuple[str, ...]:
        held.extend((text, id_) for text in phrasings[2::5])
        return tuple(text for i, text in enumerate(phrasings) if i % 5 != 2)

    entries = {
        id_: replace(e, phrasings=keep(id_, e.phrasings)) if e.kind is Kind.SITUATION else e
        for id_, e in knowledge.entries.items()
    }
    provisions = {
        id_: replace(p, phrasings=keep(id_, p.phrasings)) for id_, p in knowledge.provisions.items()
    }
    return replace(knowledge, entries=entries, provisions=provisions), held


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
