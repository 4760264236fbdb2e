"""The truth checker finds what it is there for."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from kb.statement import parse_statement
from kb.truth import check_truth
from kb.types import Article, Entry, Facet, Kind, Knowledge, LawVersion, Statement

LAW = LawVersion(
    name="测试法", category="法律", effective=date(2020, 1, 1), verified_on=date(2026, 11, 24)
)
ARTICLES = {
    "law/测试法/第一条": Article(
        law="测试法", article="第一条", gist="7日内办。", quantities=("7 日",), digest="a"
    ),
    "law/测试法/第二条": Article(
        law="测试法",
        article="第二条",
        gist="7日是工作日。",
        quantities=("7 日", "7 工作日"),
        digest="b",
    ),
}


def _problems(*lines: str, facet: Facet = Facet.STEPS, law: LawVersion = LAW) -> str:
    entry = Entry(
        id="x", kind=Kind.SITUATION, title="x", answer=Statement(text="话"),
        facets={facet: tuple(parse_statement(line, {}) for line in lines)},
        verified_on=date(2026, 11, 24), review_by=date(2027, 1, 1), source="kb/x.yaml:3",
    )  # fmt: skip
    knowledge = Knowledge(
        topics={}, hotlines={}, entries={"x": entry}, documents={}, provisions={},
        laws={"测试法": law}, articles=ARTICLES, places={},
    )  # fmt: skip
    return "\n".join(str(p) for p in check_truth(knowledge).problems)


@pytest.mark.parametrize(
    "line",
    [
        "7天内办。【测试法 第一条】",
        "七日内办。【测试法 第一条】",
        "7个工作日内办。【测试法 第一条；测试法 第二条】",
    ],
)
def test_what_is_true_passes(line: str) -> None:
    assert _problems(line) == ""


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("8天内办。【测试法 第一条】", "8 日"),
        ("7个工作日内办。【测试法 第一条】", "7 工作日"),
        ("7个月内办。【测试法 第一条】", "7 月"),
        ("7天内办。", "没有依据"),
        ("办。【测试法 第三条】", "还没有写要点"),
        ("办。【没有法 第一条】", "不在 kb/laws/register.yaml"),
    ],
)
def test_what_is_wrong_is_named(line: str, says: str) -> None:
    assert says in _problems(line)


def test_a_deadline_cannot_rest_on_practice() -> None:
    assert "必须有法条" in _problems("9天内办。【惯例：一般如此】", facet=Facet.TIME)


def test_practice_is_limited() -> None:
    assert "最多 10%" in _problems("收9元。【惯例：一般如此】", facet=Facet.COST)


def test_repealed_and_future_laws_cannot_be_cited() -> None:
    gone = replace(LAW, repealed_on=date(2026, 1, 1), repealed_by="新法")
    assert "废止" in _problems("办。【测试法 第一条】", law=gone)
    assert "才施行" in _problems(
        "办。【测试法 第一条】", law=replace(LAW, effective=date(2027, 1, 1))
    )


def test_the_shipped_knowledge_is_true(knowledge: Knowledge) -> None:
    report = check_truth(knowledge)
    assert report.statements > 5000 and report.bases > 4000 and report.numbers > 1000
    assert not report.problems
