"""Why an answer is what it is, as lines of text: for editors (`kb try`) and for the desk.

Everything is asked again with the bundle in use, so that the lines tell what would be answered
now. Pure but for the search in memory.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.asking import MAX_TEXT, AskRequest, ask
from bot.core.danger import DangerRules, danger_shares
from bot.thinking import Mind
from kb.check import bigrams
from kb.types import Knowledge
from kb.value import value
from retrieval.normalise import fold
from retrieval.ranking import Ranking
from retrieval.types import CALM, Hit, Query, Reason, SearchResult


@value
class Explanation:
    """``answer`` is what the citizen would read, ``lines`` say why."""

    answer: str
    status: str
    lines: tuple[str, ...]


def explain(mind: Mind, text: str, now: datetime) -> Explanation:
    """Return what would be answered to ``text`` as a first message, and why."""
    text = text[:MAX_TEXT]
    answer = ask(mind, AskRequest(text=text), now)
    result, knowledge = mind.searcher.search(Query(text=text)), mind.playbook.knowledge
    lines = (
        *danger_lines(fold(text), mind.playbook.danger),
        *result_lines(result, knowledge, mind.searcher.ranking),
    )
    return Explanation(answer=answer["text"], status=answer["status"], lines=lines)


def danger_lines(folded: str, rules: DangerRules) -> Iterator[str]:
    """Yield how likely danger is, and of which kind."""
    shares = danger_shares(folded, rules)
    kind = max((k for k in shares if k != CALM), key=shares.__getitem__)
    yield f"危险：{1 - shares[CALM]:.1%}（到 {rules.threshold:.0%} 就按危险答），最像 {kind}"


def result_lines(result: SearchResult, knowledge: Knowledge, ranking: Ranking) -> Iterator[str]:
    """Yield how the question was read, what was found, what came second and why."""
    yield f"读成：{result.query}"
    if result.lookup is not None:
        found = "、".join(result.lookup.ids) or "没有"
        yield f"按名字查找：{result.lookup.kind} {result.lookup.asked} -> {found}"
    yield f"结果：{result.outcome}，范围 {result.scope}，把握 {result.confidence:.2f}"
    yield f"为什么：{REASONS[result.reason].format(ranking)}"
    for topic, share in result.topics:
        yield f"  主题 {share:6.1%}  {topic}（{knowledge.topics[topic].name}）"
    if len(result.topics) > 1:
        yield f"  第一比第二高 {result.topics[0][1] - result.topics[1][1]:.1%}"
    yield f"先找：{'、'.join(result.services) or '无'}"
    yield f"条款：{'、'.join(result.provisions) or '无'}"
    if result.choices:
        yield f"反问的选项：{'、'.join(result.choices)}"
    order = ranking.order
    yield f"条目（总分 = {order.lexical}×字词 + {order.dense}×语义 + {order.prior}×主题）："
    for hit in result.hits:
        yield _line(hit, knowledge, result.query)
    if result.rejected:
        yield "没有采用的："
        for hit in result.rejected:
            yield _line(hit, knowledge, result.query)
    yield f"起作用的字词：{' '.join(result.terms[:40])}"


REASONS = {
    Reason.NAMED: "问的是一个名字、号码或者条号，直接查到，不看分数",
    Reason.WRITTEN: "和条目里写的一条说法一字不差",
    Reason.SURE: "把握不低于 {0.answer_above}，又没有别的情形一样近",
    Reason.FOREIGN: "像是与法律无关的话（到 {0.not_legal_above:.0%} 就不答）",
    Reason.TOO_LITTLE: "说得太少（到 {0.unclear_above:.0%} 就请他多说）",
    Reason.UNSURE: "把握低于 {0.answer_above} 就反问，低于 {0.ask_above} 就不猜了",
    Reason.DOUBTFUL: "有 {0.doubt_above:.0%} 以上像是无关或者说得太少的话，所以反问",
    Reason.AGAIN: "最近的一条刚刚答过，所以问是别的哪一种",
    Reason.CLOSE: "主题有把握，但是前两个情形差不到 {0.situation_lead}，所以反问是哪一种",
    Reason.NO_OTHER: "没有别的可选，就用最近的一条答",
    Reason.TWO_MATTERS: "一句话里说了两件事，两件都列出来",
}
"""Filled in with the thresholds of the `Ranking`."""


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
