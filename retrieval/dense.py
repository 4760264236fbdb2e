"""The FAISS index over the vectors of the candidates. The only module that imports faiss.

A flat index: every vector is compared, which at some hundred takes microseconds, and it can be
searched by several threads at once. Inner product of unit vectors is their cosine, -1 to 1.
"""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from retrieval.encoder import Floats

faiss.omp_set_num_threads(1)  # searches run in our own threads; more would only contend


class DenseIndex:
    """Immutable; safe to search from several threads."""

    def __init__(self, index: faiss.Index) -> None:
        self._index = index

    @property
    def size(self) -> int:
        return int(self._index.ntotal)

    @property
    def dimension(self) -> int:
        return int(self._index.d)

    def search(self, vector: Floats, most: int) -> tuple[NDArray[np.int64], Floats]:
        """Return the numbers and cosines of the ``most`` nearest vectors, nearest first.

        ``vector`` has shape (dimension,).
        """
        cosines, numbers = self._index.search(vector.reshape(1, -1), min(most, self.size))
        return numbers[0], cosines[0]

    def save(self, path: Path) -> None:
        faiss.write_index(self._index, str(path))


def build_dense(vectors: Floats) -> DenseIndex:
    """Return the index of ``vectors``, shape (n, dimension)."""
    index = faiss.IndexFlatIP(vectors.shape[1])
    index.add(np.ascontiguousarray(vectors, dtype=np.float32))
    return DenseIndex(index)


def load_dense(path: Path) -> DenseIndex:
    """Return the index that `DenseIndex.save` wrote."""
    return DenseIndex(faiss.read_index(str(path)))
