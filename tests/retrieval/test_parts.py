"""The parts of search against slow references and hostile texts."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retrieval.analyse import analyse, terms
from retrieval.classifier import load_classifiers, save_classifiers, train_classifiers
from retrieval.dense import build_dense, load_dense
from retrieval.encoder import EncoderError, load_encoder
from retrieval.lexical import K1, B, build_lexical, load_lexical
from retrieval.normalise import Dialect, fold, strip_invisible

TEXTS = ["老板拖欠工资不给", "邻居漏水到我家", "离婚孩子归谁", "老板不给加班费", "拖欠工资怎么告"]


def _bm25(documents: list[list[str]], asked: list[str], number: int) -> float:
    """Okapi BM25 as the textbook writes it, one document at a time."""
    average = sum(map(len, documents)) / len(documents)
    counts = Counter(documents[number])
    total = 0.0
    for term in dict.fromkeys(asked):
        holding = sum(term in d for d in documents)
        if not holding:
            continue
        idf = math.log(1 + (len(documents) - holding + 0.5) / (holding + 0.5))
        f = counts[term]
        total += idf * f * (K1 + 1) / (f + K1 * (1 - B + B * len(documents[number]) / average))
    return total


def test_bm25_equals_the_textbook(tmp_path: Path) -> None:
    documents = [analyse(text) for text in TEXTS]
    index = build_lexical(documents)
    index.save(tmp_path / "i.npz")
    for question in ("拖欠工资", "漏水", "没有的词xyz", ""):
        asked = analyse(question)
        slow = [_bm25(documents, asked, i) for i in range(len(TEXTS))]
        assert np.allclose(index.scores(asked), slow, atol=1e-5)
        assert np.array_equal(load_lexical(tmp_path / "i.npz").scores(asked), index.scores(asked))
        assert index.best_possible(asked) + 1e-5 >= max(slow)


def test_building_again_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        build_lexical([analyse(t) for t in TEXTS]).save(tmp_path / f"{name}.npz")
        labels = {"topic": ["x", "y", "x", "y", "x"] * 2}
        trained = train_classifiers([fold(t) for t in TEXTS * 2], labels)
        save_classifiers(tmp_path / f"{name}t.npz", trained)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert (tmp_path / "at.npz").read_bytes() == (tmp_path / "bt.npz").read_bytes()


def test_the_dense_index_compares_every_vector(tmp_path: Path) -> None:
    encoder = load_encoder()
    vectors = encoder.encode(TEXTS)
    index = build_dense(vectors)
    index.save(tmp_path / "d.faiss")
    vector = encoder.encode(["老板欠工资"])[0]
    for each in (index, load_dense(tmp_path / "d.faiss")):
        numbers, cosines = each.search(vector, 3)
        slow = vectors @ vector
        assert list(numbers) == list(np.argsort(-slow)[:3])
        assert np.allclose(cosines, np.sort(slow)[::-1][:3], atol=1e-6)


def test_classifiers_learn_together_and_survive_saving(tmp_path: Path) -> None:
    topics = ["wage", "neighbor", "custody", "wage", "wage"] * 4
    services = ["labor", None, "court", "labor", "labor"] * 4
    trained = train_classifiers(
        [fold(t) for t in TEXTS * 4], {"topic": topics, "service": services}
    )
    save_classifiers(tmp_path / "t.npz", trained)
    loaded = load_classifiers(tmp_path / "t.npz")
    assert loaded["topic"].features is loaded["service"].features
    for each in (trained, loaded):
        assert each["service"].classes == ("court", "labor")
        for name, right in (("topic", "wage"), ("service", "labor")):
            shares = each[name].probabilities(fold("工资拖欠"))
            assert each[name].classes[int(shares.argmax())] == right
            assert abs(float(shares.sum()) - 1) < 1e-5
            assert np.isfinite(each[name].probabilities("")).all()


HOSTILE = [
    "",
    "。",
    "？！…",
    "😀😀👨‍👩‍👧",
    "\u202e\u2066\u200bA\U000e0041",
    "a" * 5000,
    "欠" * 5000,
    "ｆｕｌｌ１２３",
    "老闆拖欠薪資，該怎麼辦",
    "𠮷野家",
    "\ud800lone",
    "第9999999999999999999条",
    "' OR 1=1; --",
    "<script>alert(1)</script>",
    "0" * 400,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_texts_have_terms_and_a_finite_vector(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded  # once is enough
    assert isinstance(terms(folded), list)
    vector = load_encoder().encode([folded])[0]
    assert np.isfinite(vector).all()
    assert abs(float(np.linalg.norm(vector)) - 1) < 1e-5 or not vector.any()


@given(st.text(max_size=200))
@settings(max_examples=300, deadline=None)
def test_folding_is_total_and_stable(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert strip_invisible(folded) == folded


@pytest.mark.parametrize(
    ("written", "folded"),
    [
        ("　老闆欠　１２０００ 工資！！！", "老板欠 12000 工资!"),
        ("著作权", "著作权"),  # 著 is a standard character here
        ("10000元", "10000元"),  # digits are never shortened
        ("啊啊啊啊啊啊", "啊啊"),
        ("Ⅷ", "viii"),
    ],
)
def test_folding(written: str, folded: str) -> None:
    assert fold(written) == folded


def test_articles_are_one_term_however_written() -> None:
    assert "第二十二条" in analyse("劳动法第22条")
    assert "第二十二条" in analyse("劳动法第二十二条")
    assert "第二十二条" in analyse("劳动法22条")


def test_dialect_is_replaced_once_longest_first() -> None:
    dialect = Dialect(
        [("么办", "怎么办"), ("怎么办", "怎么办"), ("冇得", "没有"), ("冇得钱", "没有钱")]
    )
    assert dialect.apply("冇得钱么办") == "没有钱怎么办"
    assert dialect.apply("怎么办") == "怎么办"


def test_a_damaged_encoder_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(EncoderError, match="restore the folder"):
        load_encoder(tmp_path)
