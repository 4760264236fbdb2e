"""The shipped sentence encoder, read with numpy.

The folder is in the format of sentence-transformers: one `StaticEmbedding` module with a
tokenizers file, and a `Normalize` module. Its vector of a text is the mean of the vectors of
its characters, scaled to length 1. Here it is read without torch; the vectors are the same
(`tests/models/test_same_vectors.py`).
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

Floats = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "model"


class EncoderError(Exception):
    """The encoder cannot be used; the message says what to do."""


class Encoder(Protocol):
    """Turns texts into unit vectors."""

    @property
    def id(self) -> str:
        """Changes whenever the vectors change; stands in the bundle's manifest."""

    @property
    def dimension(self) -> int: ...

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return the vectors of ``texts``, shape (len(texts), dimension), each of length 1.

        A text without any known character has the zero vector.
        """


class StaticEncoder:
    """Reads the shipped folder; immutable, safe in several threads."""

    def __init__(self, vocabulary: dict[str, int], unknown: int, table: Floats, id_: str) -> None:
        self._vocabulary = vocabulary
        self._unknown = unknown
        self._table = table
        self._id = id_

    @property
    def id(self) -> str:
        return self._id

    @property
    def dimension(self) -> int:
        return int(self._table.shape[1])

    def encode(self, texts: Sequence[str]) -> Floats:
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            ids = [self._vocabulary.get(c, self._unknown) for c in self._characters(text)]
            if ids:
                vector = self._table[ids].mean(axis=0, dtype=np.float32)
                length = float(np.linalg.norm(vector))
                vectors[row] = vector / length if length > 0 else 0
        return vectors

    def _characters(self, text: str) -> str:
        """What the tokenizers file does: NFKC, lower case, one token for each character but
        white space."""
        folded = unicodedata.normalize("NFKC", text).lower()
        return "".join(folded.split())


def load_encoder(folder: Path = SHIPPED) -> StaticEncoder:
    """Return the encoder in ``folder``. Raises `EncoderError`."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
        if kinds != ["StaticEmbedding", "Normalize"]:
            raise EncoderError(
                f"{folder} holds {' + '.join(kinds)}, not a static embedding. Name it in the "
                "setting SUIFAWEN_ENCODER and install the extra: pip install 'suifawen[models]'"
            )
        inner = folder / modules[0]["path"]
        tokenizer = json.loads((inner / "tokenizer.json").read_text(encoding="utf-8"))
        weights = inner / "model.safetensors"
        tensors = load_file(weights)
        table = tensors["embeddings"].astype(np.float32) * tensors["weights"][:, None]
        digest = hashlib.sha256(weights.read_bytes()).hexdigest()[:16]
        vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
        unknown = vocabulary[tokenizer["model"]["unk_token"]]
    except (OSError, KeyError, ValueError, IndexError) as error:
        raise EncoderError(
            f"the encoder in {folder} cannot be read ({error}); restore the folder from the "
            "repository, or train it again with: suifawen train-encoder"
        ) from error
    return StaticEncoder(vocabulary, unknown, table, f"static-{digest}")
