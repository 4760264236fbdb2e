"""Why an answer is what it is: a search result as lines of text for an editor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from kb.check import bigrams
from kb.types import Knowledge
from retrieval.types import Hit, SearchResult


def explain(result: SearchResult, knowledge: Knowledge) -> Iterator[str]:
    """Yield lines: how the question was read, what was found, what came second and why."""
    yield f"读成：{result.query}"
    if result.lookup is not None:
        found = "、".join(result.lookup.ids) or "没有"
        yield f"按名字查找：{result.lookup.kind} {result.lookup.asked} -> {found}"
    yield f"结果：{result.outcome}，范围 {result.scope}，把握 {result.confidence:.2f}"
    for topic, share in result.topics:
        yield f"  主题 {share:6.1%}  {topic}（{knowledge.topics[topic].name}）"
    if len(result.topics) > 1:
        yield f"  第一比第二高 {result.topics[0][1] - result.topics[1][1]:.1%}"
    yield f"先找：{'、'.join(result.services) or '无'}"
    yield f"条款：{'、'.join(result.provisions) or '无'}"
    if result.choices:
        yield f"反问的选项：{'、'.join(result.choices)}"
    yield "条目（总分 = 字词、语义、主题三项加权）："
    for hit in result.hits:
        yield _line(hit, knowledge, result.query)
    if result.rejected:
        yield "没有采用的："
        for hit in result.rejected:
            yield _line(hit, knowledge, result.query)
    yield f"起作用的字词：{' '.join(result.terms[:40])}"


def _line(hit: Hit, knowledge: Knowledge, query: str) -> str:
    entry = knowledge.entries.get(hit.id)
    provision = knowledge.provisions.get(hit.id)
    title = entry.title if entry else provision.title if provision else ""
    matched = _nearest_phrasing(query, entry.phrasings if entry else ())
    return (
        f"  {hit.score:.3f} = 字词 {hit.lexical:.2f} 语义 {hit.dense:.2f} 主题 {hit.prior:.2f}"
        f"  {hit.id}（{title}）{matched}"
    )


def _nearest_phrasing(query: str, phrasings: Sequence[str]) -> str:
    """Return the phrasing that shares most with the question, for the editor's eye."""
    if not phrasings:
        return ""
    asked = bigrams(query)
    best = max(phrasings, key=lambda p: len(asked & bigrams(p)) / (1 + len(bigrams(p))) ** 0.5)
    return f"  最像的说法：{best[:24]}"
