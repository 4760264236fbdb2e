from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.numerals import find_quantities, parse_article, parse_numeral, render_numeral


@given(st.integers(1, 99_999))
def test_numerals_are_read_back(number: int) -> None:
    assert parse_numeral(render_numeral(number)) == number
    assert parse_numeral(str(number)) == number


@pytest.mark.parametrize(
    ("text", "article"),
    [
        ("第一千零七十九条", "第一千零七十九条"),
        ("第1079条", "第一千零七十九条"),
        ("1079条第二款", "第一千零七十九条"),
        ("第二百七十六条之一", "第二百七十六条之一"),
        ("276条之1", "第二百七十六条之一"),
        ("第零条", None),
        ("条", None),
        ("第条", None),
    ],
)
def test_articles(text: str, article: str | None) -> None:
    assert parse_article(text) == article


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("应在15个工作日内", [(15, "工作日")]),
        ("七日内", [(7, "日")]),
        ("7天", [(7, "日")]),
        ("六个月", [(6, "月")]),
        ("百分之五十以上百分之一百以下", [(50, "%"), (100, "%")]),
        ("1万元至5万元", [(10_000, "元"), (50_000, "元")]),
        ("三分之二以上", [(Fraction(2, 3), "分之")]),
        ("2026年3月15日", []),
        ("2025年", []),
        ("四倍", [(4, "倍")]),
        ("四十八小时之内", [(48, "小时")]),
        ("年满八周岁", [(8, "岁")]),
        ("拨打12348", []),
    ],
)
def test_quantities(text: str, found: list[tuple[int, str]]) -> None:
    assert find_quantities(text) == [(Fraction(n), unit) for n, unit in found]


def test_days_and_working_days_differ() -> None:
    assert find_quantities("7日") != find_quantities("7个工作日")
