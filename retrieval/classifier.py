"""A classifier of short texts: a linear softmax over character n-grams, trained at every build.

One of it knows the topics (a voice in the ranking and the base of the confidence), another one
knows danger. Training needs numpy only and takes seconds, so that an editor's new phrasing is
learned by the next build.
Features: characters, pairs and triples with sublinear tf-idf, each text of length 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Floats

SEED = 7
BATCH = 32
RATE = 20.0
"""Plain stochastic descent; the rate is high because texts have length 1 and hundreds of
features. Chosen on shared/questions/choose.jsonl, flat from 10 to 40 (see README.md)."""


def ngrams(folded: str) -> list[str]:
    """Return characters, pairs and triples of ``folded`` without spaces, with repetitions."""
    text = folded.replace(" ", "")
    return [text[i : i + n] for n in (1, 2, 3) for i in range(len(text) - n + 1)]


class Classifier:
    """Immutable; safe in several threads.

    ``weights`` has shape (features, classes), ``bias`` (classes,), ``idf`` (features,).
    """

    def __init__(
        self,
        classes: Sequence[str],
        vocabulary: dict[str, int],
        idf: Floats,
        weights: Floats,
        bias: Floats,
    ) -> None:
        self.classes: tuple[str, ...] = tuple(classes)
        self._vocabulary = vocabulary
        self._idf = idf
        self._weights = weights
        self._bias = bias

    def probabilities(self, folded: str) -> Floats:
        """Return the probability of each of `classes`, shape (classes,)."""
        ids, values = _features(folded, self._vocabulary, self._idf)
        logits = values @ self._weights[ids] + self._bias
        shares: Floats = _softmax(logits[None, :])[0]
        return shares

    def save(self, path: Path) -> None:
        """Write to one `.npz` file; weights as 16-bit floats, no pickle."""
        np.savez(
            path,
            classes=np.frombuffer("\n".join(self.classes).encode(), dtype=np.uint8),
            vocabulary=np.frombuffer("\n".join(self._vocabulary).encode(), dtype=np.uint8),
            idf=self._idf.astype(np.float16),
            weights=self._weights.astype(np.float16),
            bias=self._bias,
        )


def load_classifier(path: Path) -> Classifier:
    """Return the classifier that `Classifier.save` wrote."""
    with np.load(path, allow_pickle=False) as data:
        classes = data["classes"].tobytes().decode().split("\n")
        words = data["vocabulary"].tobytes().decode().split("\n")
        return Classifier(
            classes,
            {word: i for i, word in enumerate(words)},
            data["idf"].astype(np.float32),
            data["weights"].astype(np.float32),
            data["bias"],
        )


def train_classifier(
    texts: Sequence[str], labels: Sequence[str], epochs: int = 10
) -> Classifier:
    """Return a classifier of folded ``texts``. Deterministic for the same input."""
    classes = sorted(set(labels))
    counted = [Counter(ngrams(text)) for text in texts]
    frequency = Counter(gram for count in counted for gram in count)
    kept = sorted(gram for gram, times in frequency.items() if times >= 2)
    vocabulary = {gram: i for i, gram in enumerate(kept)}
    times = np.array([frequency[gram] for gram in kept], dtype=np.float32)
    idf = (np.log((1 + len(texts)) / (1 + times)) + 1).astype(np.float32)
    rows = [_features(text, vocabulary, idf) for text in texts]
    gold = np.array([classes.index(label) for label in labels])
    # Every class counts alike half of the way: the citizen's mix is not that of our entries.
    counts = np.bincount(gold, minlength=len(classes))
    weight = (1 / np.sqrt(counts))[gold]
    weight = (weight / weight.mean()).astype(np.float32)
    weights, bias = _fit(rows, gold, weight, len(kept), len(classes), epochs)
    return Classifier(classes, vocabulary, idf, weights, bias)


_Row = tuple[NDArray[np.int64], Floats]


def _features(folded: str, vocabulary: dict[str, int], idf: Floats) -> _Row:
    counts = Counter(i for gram in ngrams(folded) if (i := vocabulary.get(gram)) is not None)
    ids = np.fromiter(counts, dtype=np.int64, count=len(counts))
    values = (1 + np.log(np.fromiter(counts.values(), np.float32, len(counts)))) * idf[ids]
    length = float(np.linalg.norm(values))
    return ids, (values / length if length else values).astype(np.float32)


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _fit(
    rows: Sequence[_Row],
    gold: NDArray[np.int64],
    weight: Floats,
    features: int,
    classes: int,
    epochs: int,
) -> tuple[Floats, Floats]:
    """Minimise the weighted cross entropy by stochastic descent with a falling rate."""
    random = np.random.default_rng(SEED)
    weights = np.zeros((features, classes), dtype=np.float32)
    bias = np.zeros(classes, dtype=np.float32)
    steps = epochs * -(-len(rows) // BATCH)
    step = 0
    for _ in range(epochs):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), BATCH):
            step += 1
            batch = order[start : start + BATCH]
            rate = RATE * (1 - step / (steps + 1)) / len(batch)
            dense, ids = _dense([rows[i] for i in batch])
            error = _softmax(dense @ weights[ids] + bias)
            error[np.arange(len(batch)), gold[batch]] -= 1
            error *= weight[batch][:, None]
            weights[ids] -= rate * (dense.T @ error)
            bias -= 0.1 * rate * error.sum(axis=0)
    return weights, bias


def _dense(rows: Sequence[_Row]) -> tuple[Floats, NDArray[np.int64]]:
    """Return ``rows`` as a matrix over the features they have, and which those are."""
    ids, columns = np.unique(np.concatenate([ids for ids, _ in rows]), return_inverse=True)
    matrix = np.zeros((len(rows), len(ids)), dtype=np.float32)
    owner = np.repeat(np.arange(len(rows)), [len(ids) for ids, _ in rows])
    matrix[owner, columns] = np.concatenate([values for _, values in rows])
    return matrix, ids
