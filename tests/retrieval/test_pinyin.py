"""Chinese typed in Latin letters is read by what our own texts hold."""

from __future__ import annotations

import pytest

from retrieval.normalise import is_pinyin
from retrieval.pinyin import Pinyin

GRAMS = {
    1: [("我", 900.0), ("想", 300.0), ("不", 900.0), ("给", 200.0), ("先", 50.0), ("西", 5.0)],
    2: [("老板", 80.0), ("工资", 90.0), ("公子", 3.0), ("离婚", 60.0), ("西安", 3.0)],
    3: [("不给工", 20.0)],
}


@pytest.fixture(scope="module")
def pinyin() -> Pinyin:
    return Pinyin(lambda length: GRAMS[length])


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("laoban bu gei gongzi", "老板不给工资"),
        ("laobanbugeigongzi", "老板不给工资"),
        ("wo xiang li hun", "我想离婚"),
        ("lao ban bu gei gong zhi", "老板不给工资"),  # zh and z are one here
        ("xi'an", "西安"),
    ],
)
def test_letters_are_read_as_what_is_often_written(typed: str, meant: str, pinyin: Pinyin) -> None:
    assert pinyin.read(typed) == meant


@pytest.mark.parametrize(
    "other",
    ["help me please", "hello", "老板bu gei", "", "a", "vvvvvv", "http://x.y", "gongzi" * 20],
)
def test_everything_else_stays(other: str, pinyin: Pinyin) -> None:
    assert pinyin.read(other) == other


def test_foreign_words_are_no_syllables() -> None:
    assert is_pinyin("gongzi") and is_pinyin("wo yao lihun!")
    assert not any(map(is_pinyin, ("help", "divorce", "salary not paid", "gong资", "123")))
