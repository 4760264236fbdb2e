"""numpy and sentence-transformers read the shipped encoder alike."""

from __future__ import annotations

import numpy as np
import pytest

from kb.types import Knowledge
from retrieval.encoder import SHIPPED, load_encoder
from retrieval.encoders import open_encoder

pytestmark = [
    pytest.mark.models,
    # torch and its loaders warn of their own futures
    pytest.mark.filterwarnings("default"),
]

ODD = [
    "老板跑路了，工钱没给怎么办？",
    "ＡＢＣ１２３ 全角",
    "請問勞動仲裁要多少錢",
    "a b\tc\n\nd",
    "㊣①½ｶﾞ",
    "👍🏽🙏",
    "\u200b\u202e",
    "!!!???",
    "ß Straße İI ﬁ",
    "e\u0301 é",
    "工" * 5000,
    " ",
]


def test_vectors_are_the_same_in_both(knowledge: Knowledge) -> None:
    from sentence_transformers import SentenceTransformer

    texts = ODD + [p for entry in knowledge.entries.values() for p in entry.phrasings]
    ours = load_encoder().encode(texts)
    theirs = SentenceTransformer(str(SHIPPED), device="cpu").encode(texts, convert_to_numpy=True)
    assert ours.shape == theirs.shape and len(texts) > 1000
    assert np.abs(ours - theirs).max() < 1e-5


def test_a_named_folder_goes_through_sentence_transformers() -> None:
    named = open_encoder(str(SHIPPED))
    shipped = load_encoder()
    assert named.dimension == shipped.dimension
    assert np.abs(named.encode(ODD) - shipped.encode(ODD)).max() < 1e-5
