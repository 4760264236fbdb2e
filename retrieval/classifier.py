"""Classifiers of short texts: linear softmaxes over character n-grams, trained at every build.

One knows the topic, one the first service to go to (a voice in the ranking and the base of the
confidence), one knows danger. Training needs numpy only and takes seconds, so that an editor's
new phrasing is learned by the next build.
Features: characters, pairs and triples with sublinear tf-idf, each text of length 1. Classifiers
that are trained together share them, so that a question is taken apart once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Floats

SEED = 7
BATCH = 32
EPOCHS = 10
RATE = 20.0
"""Plain stochastic descent; the rate is high because texts have length 1 and hundreds of
features. Chosen on shared/questions/choose.jsonl, flat from 10 to 40 (see README.md)."""
Row = tuple[NDArray[np.int64], Floats]
"""The features that a text has and their values."""


Grams = NDArray[np.int64]
"""n-grams as numbers: a character takes 21 bits, so that three fit into one number exactly.
A tenth of the memory of a dictionary of strings, and numpy counts and looks them up."""
BITS = 21


def ngrams(folded: str) -> Grams:
    """Return characters, pairs and triples of ``folded`` without spaces, with repetitions."""
    text = folded.replace(" ", "").encode("utf-32-le", "surrogatepass")
    ones = np.frombuffer(text, dtype="<u4").astype(np.int64)
    pairs = ones[:-1] | ones[1:] << BITS
    return np.concatenate([ones, pairs, pairs[:-1] | ones[2:] << 2 * BITS])


def written(gram: int) -> str:
    """Return the characters of an n-gram."""
    codes = (gram >> shift & (1 << BITS) - 1 for shift in (0, BITS, 2 * BITS))
    return "".join(chr(code) for code in codes if code)


class Features:
    """The n-grams that are known, in rising order, and their weights; each (features,)."""

    def __init__(self, known: Grams, idf: Floats) -> None:
        self.known = known
        self.idf = idf

    def __len__(self) -> int:
        return len(self.known)

    def counts(self, length: int) -> Iterator[tuple[str, float]]:
        """Yield the n-grams of ``length`` with about how many of 10,000 texts hold each."""
        shares = np.exp(1 - self.idf) * 10_000
        low, high = 1 << BITS * (length - 1), 1 << BITS * length
        for number in np.flatnonzero((self.known >= low) & (self.known < high)):
            yield written(int(self.known[number])), float(shares[number])

    def of(self, folded: str) -> Row:
        grams, times = np.unique(ngrams(folded), return_counts=True)
        places = np.searchsorted(self.known, grams)
        there = places < len(self.known)
        there[there] = self.known[places[there]] == grams[there]
        ids = places[there]
        values = (1 + np.log(times[there].astype(np.float32))) * self.idf[ids]
        length = float(np.linalg.norm(values))
        return ids, (values / length if length else values).astype(np.float32)


class Classifier:
    """Immutable; safe in several threads.

    ``weights`` has shape (features, classes) and is kept as 16-bit floats, ``bias`` (classes,).
    """

    def __init__(
        self, features: Features, classes: Sequence[str], weights: NDArray[np.float16], bias: Floats
    ) -> None:
        self.features = features
        self.classes: tuple[str, ...] = tuple(classes)
        self.weights = weights
        self.bias = bias

    def probabilities(self, folded: str) -> Floats:
        """Return the probability of each of `classes`, shape (classes,)."""
        return self.judge(self.features.of(folded))

    def shares(self, folded: str) -> dict[str, float]:
        """Return the probability of each class by its name."""
        return dict(zip(self.classes, self.probabilities(folded).tolist(), strict=True))

    def judge(self, row: Row) -> Floats:
        """Return the probabilities of a text by its `features`."""
        ids, values = row
        logits = values @ self.weights[ids].astype(np.float32) + self.bias
        shares: Floats = _softmax(logits[None, :])[0]
        return shares


def save_classifiers(path: Path, classifiers: Mapping[str, Classifier]) -> None:
    """Write classifiers with the same features to one `.npz` file, without pickle."""
    features = next(iter(classifiers.values())).features
    arrays: dict[str, NDArray[np.generic]] = {
        "ngrams": features.known,
        "idf": features.idf.astype(np.float16),
    }
    for name, each in classifiers.items():
        assert each.features is features
        arrays[f"{name}_classes"] = _bytes(each.classes)
        arrays[f"{name}_weights"] = each.weights
        arrays[f"{name}_bias"] = each.bias
    np.savez(path, **arrays)  # type: ignore[arg-type]  # the stubs mistake them for allow_pickle


def load_classifiers(path: Path) -> dict[str, Classifier]:
    """Return the classifiers that `save_classifiers` wrote, by name."""
    with np.load(path, allow_pickle=False) as data:
        features = Features(data["ngrams"], data["idf"].astype(np.float32))
        names = [key.removesuffix("_bias") for key in data.files if key.endswith("_bias")]
        return {
            name: Classifier(
                features,
                _strings(data[f"{name}_classes"]),
                data[f"{name}_weights"],
                data[f"{name}_bias"],
            )
            for name in names
        }


def train_classifiers(
    texts: Sequence[str],
    labels: Mapping[str, Sequence[str | None]],
    epochs: int = EPOCHS,
    smoothing: float = 0.0,
    seen: int = 2,
) -> dict[str, Classifier]:
    """Return a classifier of folded ``texts`` for each of ``labels``, by name.

    A text with the label None teaches that classifier nothing. ``smoothing`` is the share of each
    label that is spread over all classes, for labels that are not certain. n-grams in fewer than
    ``seen`` texts are not learned. Deterministic for the same input.
    """
    grams = np.concatenate([np.unique(ngrams(text)) for text in texts])
    known, times = np.unique(grams, return_counts=True)
    known, times = known[times >= seen], times[times >= seen].astype(np.float32)
    features = Features(known, (np.log((1 + len(texts)) / (1 + times)) + 1).astype(np.float32))
    rows = [features.of(text) for text in texts]
    return {
        name: _train(features, rows, given, epochs, smoothing) for name, given in labels.items()
    }


def _train(
    features: Features,
    rows: Sequence[Row],
    labels: Sequence[str | None],
    epochs: int,
    smoothing: float,
) -> Classifier:
    labelled = [(row, label) for row, label in zip(rows, labels, strict=True) if label is not None]
    classes = sorted({label for _, label in labelled})
    numbers = {label: i for i, label in enumerate(classes)}
    gold = np.array([numbers[label] for _, label in labelled])
    # Every class counts alike half of the way: the citizen's mix is not that of our entries.
    counts = np.bincount(gold, minlength=len(classes))
    weight = (1 / np.sqrt(counts))[gold]
    weight = (weight / weight.mean()).astype(np.float32)
    shape = (len(features), len(classes))
    weights, bias = _fit([row for row, _ in labelled], gold, weight, shape, epochs, smoothing)
    return Classifier(features, classes, weights.astype(np.float16), bias)


def _fit(
    rows: Sequence[Row],
    gold: NDArray[np.int64],
    weight: Floats,
    shape: tuple[int, int],
    epochs: int,
    smoothing: float,
) -> tuple[Floats, Floats]:
    """Minimise the weighted cross entropy by stochastic descent with a falling rate."""
    random = np.random.default_rng(SEED)
    weights = np.zeros(shape, dtype=np.float32)
    bias = np.zeros(shape[1], dtype=np.float32)
    steps = epochs * -(-len(rows) // BATCH)
    step = 0
    for _ in range(epochs):
        order = random.permutation(len(rows))
        for start in range(0, len(rows), BATCH):
            step += 1
            batch = order[start : start + BATCH]
            rate = RATE * (1 - step / (steps + 1)) / len(batch)
            dense, ids = _dense([rows[i] for i in batch])
            error = _softmax(dense @ weights[ids] + bias) - smoothing / shape[1]
            error[np.arange(len(batch)), gold[batch]] -= 1 - smoothing
            error *= weight[batch][:, None]
            weights[ids] -= rate * (dense.T @ error)
            bias -= 0.1 * rate * error.sum(axis=0)
    return weights, bias


def _dense(rows: Sequence[Row]) -> tuple[Floats, NDArray[np.int64]]:
    """Return ``rows`` as a matrix over the features they have, and which those are."""
    ids, columns = np.unique(np.concatenate([ids for ids, _ in rows]), return_inverse=True)
    matrix = np.zeros((len(rows), len(ids)), dtype=np.float32)
    owner = np.repeat(np.arange(len(rows)), [len(ids) for ids, _ in rows])
    matrix[owner, columns] = np.concatenate([values for _, values in rows])
    return matrix, ids


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    shares: Floats = (powers / powers.sum(axis=1, keepdims=True)).astype(np.float32)
    return shares


def _bytes(strings: Sequence[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(strings).encode(), dtype=np.uint8)


def _strings(data: NDArray[np.uint8]) -> list[str]:
    return data.tobytes().decode().split("\n")
