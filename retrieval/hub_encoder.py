"""Any sentence-transformers model, from a folder or a hub. The only module that imports it.

Needs the extra ``[models]``; the default installation never comes here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sentence_transformers import SentenceTransformer

from retrieval.encoder import EncoderError, Floats


class HubEncoder:
    """An `Encoder` over `SentenceTransformer`; vectors are scaled to length 1."""

    def __init__(self, name: str) -> None:
        try:
            self._model = SentenceTransformer(name, device="cpu", trust_remote_code=False)
        except Exception as error:  # the library raises many kinds; all mean it cannot be used
            raise EncoderError(
                f"编码模型“{name}”打不开（{type(error).__name__}）。请检查文件夹或者模型名；"
                "不能上网的机器请先把模型下载成文件夹"
            ) from error
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise EncoderError(f"编码模型“{name}”没有说明向量维数，不能使用")
        self._dimension = int(dimension)
        self._id = f"st-{_fingerprint(name)}-{self._dimension}"

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimension(self) -> int:
        return self._dimension

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape (len(texts), dimension)."""
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        vectors = self._model.encode(
            list(texts), normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.nan_to_num(np.asarray(vectors, dtype=np.float32))


def _fingerprint(name: str) -> str:
    """Return 16 hex digits for a model: of its weights if it is a folder, else of its name."""
    digest = hashlib.sha256(name.encode())
    folder = Path(name)
    if folder.is_dir():
        digest = hashlib.sha256()
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(str(path.relative_to(folder)).encode())
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()[:16]
