"""Retrieval over a corpus with queries and gold ids, by cross-validation (STARD and the like).

In each fold the questions of the other folds stand with their gold texts in the index, as
phrasings stand with entries; the questions of the fold are asked. With the extra ``[models]`` an
encoder is trained for each fold from the same pairs, never from the fold's own; without it the
ranking is lexical alone.
"""

from __future__ import annotations

import gzip
import json
import random
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import click
import numpy as np

from kb.value import value
from retrieval.analyse import terms
from retrieval.encoder import Floats
from retrieval.evaluation import Measure, mean_measure
from retrieval.lexical import build_lexical
from retrieval.normalise import fold

DENSE = 0.4
"""Weight of the cosine beside the lexical score, both scaled to 0..1 for each question."""
SEED = 7
LONGEST = 300
"""Characters of a text that its vector is made of."""

Encode = Callable[[Sequence[str]], Floats]


@value
class Asked:
    """A question and the ids of the texts that answer it."""

    text: str
    gold: tuple[str, ...]


def load_corpus(path: Path) -> dict[str, str]:
    """Return text by id of a `.jsonl` or `.jsonl.gz` file with {id, text}."""
    opened = gzip.open if path.suffix == ".gz" else open
    with opened(path, "rt", encoding="utf-8") as lines:
        return {row["id"]: row["text"] for row in map(json.loads, lines)}


def load_asked(path: Path, corpus: dict[str, str]) -> list[Asked]:
    """Return the questions of a `.jsonl` file with {query, gold} that have gold in ``corpus``."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines())
    asked = [
        Asked(text=row["query"], gold=tuple(g for g in row["gold"] if g in corpus)) for row in rows
    ]
    return [each for each in asked if each.gold]


def cross_validate(
    corpus: dict[str, str],
    asked: Sequence[Asked],
    folds: int,
    encoder: Callable[[Sequence[Asked]], Encode] | None,
) -> list[Measure]:
    """Return R@10, R@100 and MRR@10; ``encoder`` is trained on the questions it is given."""
    order = list(range(len(asked)))
    random.Random(SEED).shuffle(order)
    ids = list(corpus)
    position = {id_: i for i, id_ in enumerate(ids)}
    ranks: list[list[int]] = [[] for _ in asked]
    with click.progressbar(length=len(asked), file=sys.stderr, label="folds") as bar:
        for number in range(folds):
            tested = order[number::folds]
            known = [asked[i] for place, i in enumerate(order) if place % folds != number]
            score = _scorer(corpus, ids, known, encoder(known) if encoder else None)
            for i in tested:
                scores = score(asked[i].text)
                gold = [position[g] for g in asked[i].gold]
                ranks[i] = [int((scores > scores[g]).sum()) + 1 for g in gold]
                bar.update(1)
    return measures(ranks)


def measures(ranks: Sequence[Sequence[int]]) -> list[Measure]:
    """Return the means over questions; ``ranks`` are those of each question's gold, from 1."""
    return [
        mean_measure("R@10", [float(np.mean([r <= 10 for r in each])) for each in ranks]),
        mean_measure("R@100", [float(np.mean([r <= 100 for r in each])) for each in ranks]),
        mean_measure("MRR@10", [1 / min(each) if min(each) <= 10 else 0.0 for each in ranks]),
    ]


def _scorer(
    corpus: dict[str, str], ids: Sequence[str], known: Sequence[Asked], encode: Encode | None
) -> Callable[[str], Floats]:
    questions: dict[str, list[str]] = {}
    for each in known:
        for gold in each.gold:
            questions.setdefault(gold, []).append(each.text)
    documents = [
        [t for text in (corpus[i], *questions.get(i, ())) for t in terms(fold(text))] for i in ids
    ]
    lexical = build_lexical(documents)
    vectors = _vectors(corpus, ids, questions, encode) if encode else None

    def score(text: str) -> Floats:
        scores = lexical.scores(terms(fold(text)))
        if vectors is None or encode is None:
            return scores
        cosines = np.maximum(vectors @ encode([fold(text)])[0], 0)
        fused: Floats = (1 - DENSE) * _scaled(scores) + DENSE * _scaled(cosines)
        return fused

    return score


def _vectors(
    corpus: dict[str, str], ids: Sequence[str], questions: dict[str, list[str]], encode: Encode
) -> Floats:
    """Return one vector for each text, the mean with those of its questions, of length 1."""
    vectors = encode([fold(corpus[i][:LONGEST]) for i in ids])
    for row, id_ in enumerate(ids):
        if own := questions.get(id_):
            both = np.vstack([vectors[row : row + 1], encode([fold(q) for q in own])])
            mean = both.mean(axis=0)
            vectors[row] = mean / max(float(np.linalg.norm(mean)), 1e-9)
    return vectors


def _scaled(scores: Floats) -> Floats:
    top = float(scores.max(initial=0.0))
    return scores / top if top > 0 else scores


def fold_encoder(
    corpus: dict[str, str], statutes: Path | None
) -> Callable[[Sequence[Asked]], Encode]:
    """Return what trains an encoder on the questions of the other folds. Needs ``[models]``."""
    from kb.load import load_knowledge
    from scripts.train_encoder import phrasing_pairs, statute_pairs, train

    law = list(statute_pairs(statutes)) if statutes else []
    phrased = phrasing_pairs(load_knowledge())

    def trained(known: Sequence[Asked]) -> Encode:
        random.seed(SEED)
        lay = [(each.text, corpus[g][:LONGEST]) for each in known for g in each.gold]
        model = train(list(law), [*phrased, *lay * 3], 256, SEED)

        def encode(texts: Sequence[str]) -> Floats:
            vectors: Floats = model.encode(
                list(texts), batch_size=512, normalize_embeddings=True, show_progress_bar=False
            )
            return vectors

        return encode

    return trained
