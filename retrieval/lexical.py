"""BM25 over characters and pairs of characters, with the scores computed when it is built.

The impact of each (term, document) pair is stored, so that a search is a sum over the rows of
the question's terms: no dictionary of documents, no loop over postings in Python.
Formula: Robertson et al., Okapi BM25 with the non-negative idf of Lucene.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

K1 = 1.2
B = 0.75
"""Measured to move results by about one point either way; kept at the textbook values."""

FEW = 50
"""A term in no more documents than this is never called common."""

Floats = NDArray[np.float32]


class LexicalIndex:
    """Immutable; safe to search from several threads.

    ``offsets`` (terms + 1) delimit each term's rows in ``documents`` (int32, document
    numbers) and ``impacts`` (float32, its BM25 contribution there).
    """

    def __init__(
        self,
        vocabulary: dict[str, int],
        offsets: NDArray[np.int64],
        documents: NDArray[np.int32],
        impacts: Floats,
        size: int,
    ) -> None:
        self._vocabulary = vocabulary
        self._offsets = offsets
        self._documents = documents
        self._impacts = impacts
        # The best that each term can give; an empty index has no terms.
        self._best = np.maximum.reduceat(impacts, offsets[:-1]) if len(impacts) else impacts
        self.size = size

    def scores(self, terms: Sequence[str]) -> Floats:
        """Return the BM25 score of every document, shape (size,), for distinct ``terms``."""
        rows = [
            slice(self._offsets[i], self._offsets[i + 1])
            for term in dict.fromkeys(terms)
            if (i := self._vocabulary.get(term)) is not None
        ]
        if not rows:
            return np.zeros(self.size, dtype=np.float32)
        documents = np.concatenate([self._documents[row] for row in rows])
        impacts = np.concatenate([self._impacts[row] for row in rows])
        return np.bincount(documents, impacts, self.size).astype(np.float32)

    def known(self, terms: Sequence[str]) -> list[str]:
        """Return the distinct ``terms`` that are in any document, in their order."""
        return [term for term in dict.fromkeys(terms) if term in self._vocabulary]

    def terms(self) -> Iterable[str]:
        """Return every term of the index."""
        return self._vocabulary.keys()

    def best_possible(self, terms: Sequence[str]) -> float:
        """Return the highest score that any document could have for ``terms``."""
        known = [i for t in dict.fromkeys(terms) if (i := self._vocabulary.get(t)) is not None]
        return float(self._best[known].sum())

    def arrays(
        self, common: float = 1.0
    ) -> tuple[list[str], NDArray[np.int64], NDArray[np.int32], Floats]:
        """Return terms, offsets, documents and impacts, without terms that stand in more than
        the share ``common`` of the documents; for indexes that are memory-mapped."""
        counts = np.diff(self._offsets)
        kept = counts <= max(common * self.size, FEW)
        rows = np.repeat(kept, counts)
        offsets = np.concatenate(([0], np.cumsum(counts[kept]))).astype(np.int64)
        terms = [term for term, keep in zip(self._vocabulary, kept, strict=True) if keep]
        return terms, offsets, self._documents[rows], self._impacts[rows]

    def save(self, path: Path) -> None:
        """Write the index to one `.npz` file; no pickle."""
        words = "\n".join(self._vocabulary)
        np.savez(
            path,
            vocabulary=np.frombuffer(words.encode(), dtype=np.uint8),
            offsets=self._offsets,
            documents=self._documents,
            impacts=self._impacts,
            size=np.array([self.size]),
        )


def build_lexical(documents: Sequence[Sequence[str]]) -> LexicalIndex:
    """Return the index of ``documents``, each a sequence of terms with repetitions."""
    counts = [Counter(document) for document in documents]
    lengths = np.array([sum(c.values()) for c in counts], dtype=np.float64)
    average = float(lengths.mean()) if len(lengths) else 0.0
    postings: dict[str, list[tuple[int, int]]] = {}
    for number, count in enumerate(counts):
        for term, times in count.items():
            postings.setdefault(term, []).append((number, times))
    vocabulary = {term: i for i, term in enumerate(sorted(postings))}
    offsets = np.zeros(len(vocabulary) + 1, dtype=np.int64)
    numbers: list[NDArray[np.int32]] = []
    impacts: list[Floats] = []
    for term, i in vocabulary.items():
        posting = np.array(postings[term], dtype=np.int64)
        where, frequency = posting[:, 0], posting[:, 1].astype(np.float64)
        idf = np.log(1 + (len(counts) - len(posting) + 0.5) / (len(posting) + 0.5))
        norm = K1 * (1 - B + B * lengths[where] / average)
        impacts.append((idf * frequency * (K1 + 1) / (frequency + norm)).astype(np.float32))
        numbers.append(where.astype(np.int32))
        offsets[i + 1] = offsets[i] + len(posting)
    return LexicalIndex(
        vocabulary,
        offsets,
        np.concatenate(numbers) if numbers else np.zeros(0, dtype=np.int32),
        np.concatenate(impacts) if impacts else np.zeros(0, dtype=np.float32),
        len(counts),
    )


def load_lexical(path: Path) -> LexicalIndex:
    """Return the index that `LexicalIndex.save` wrote."""
    with np.load(path, allow_pickle=False) as data:
        words = data["vocabulary"].tobytes().decode()
        vocabulary = {term: i for i, term in enumerate(words.split("\n"))} if words else {}
        return LexicalIndex(
            vocabulary, data["offsets"], data["documents"], data["impacts"], int(data["size"][0])
        )
