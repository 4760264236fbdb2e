"""Checks that concern several parts of the knowledge base together.

`kb.load` finds what is wrong inside one file; here stand the rules between entries:
references, completeness, phrasings. Law facts are checked in `kb.truth`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations

from kb.first_answer import first_answer
from kb.types import Entry, Facet, Kind, Knowledge
from kb.yamlfile import Problem

MIN_PHRASINGS = {Kind.SITUATION: 15, Kind.SERVICE: 8, Kind.PROVISION: 8}
MAX_OVERLAP = 0.6
"""Two phrasings of one entry may share at most this part of the shorter one's bigrams."""
MAX_ID = 36
"""Characters; an id has to fit into the payload of a Telegram button."""
MAX_TITLE = 20
"""Characters; a title is a button on a phone."""
MAX_SENTENCE = 110
"""Characters; a longer sentence cannot be followed when it is read aloud."""
REQUIRED = {
    Kind.SITUATION: (Facet.STEPS, Facet.WHERE, Facet.BRING, Facet.COST, Facet.TIME),
    Kind.SERVICE: (Facet.STEPS, Facet.WHERE, Facet.BRING, Facet.COST, Facet.TIME, Facet.WHO),
}
ID_RULE = f"编号只能用小写字母、数字和短横线，最多 {MAX_ID} 个字符"
_ID = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
HANDOFFS = ("legal_aid", "mediation", "consult", "report")


def check_knowledge(knowledge: Knowledge) -> list[Problem]:
    """Return everything an editor has to mend, sorted by file and line."""
    problems: list[Problem] = []
    owners: dict[str, str] = {}
    for entry in knowledge.entries.values():
        problems.extend(_references(entry, knowledge))
        problems.extend(_completeness(entry))
        problems.extend(_phrasings(entry.id, entry.source, entry.kind, entry.phrasings, owners))
    for provision in knowledge.provisions.values():
        source = f"kb/provisions/{provision.document}.notes.yaml"
        kind = Kind.PROVISION
        if not provision.title:  # not annotated yet; `kb report` lists it
            continue
        problems.extend(_phrasings(provision.id, source, kind, provision.phrasings, owners))
        body = f"{provision.heading}。{provision.text}"
        for fact in provision.facts:
            if fact not in body:
                message = f"{provision.id} 的事实“{fact}”不是原文。请从条款里照抄"
                problems.append(_problem(source, message))
        for id_ in provision.services:
            if id_ not in knowledge.entries:
                problems.append(_problem(source, f"{provision.id} 指向的服务“{id_}”不存在"))
    for topic in knowledge.topics.values():
        for id_ in topic.default:
            if id_ not in knowledge.entries:
                message = f"主题“{topic.id}”的默认服务“{id_}”不存在"
                problems.append(_problem("kb/topics.yaml", message))
    for law, article in {(a.law, a.article) for a in knowledge.articles.values()}:
        if law not in knowledge.laws:
            message = f"《{law}》{article}：这部法律不在 kb/laws/register.yaml 里"
            problems.append(_problem("kb/laws/gists", message))
    problems.extend(_offices(knowledge))
    for place in knowledge.places.values():
        if place.parent and place.parent not in knowledge.places:
            message = f"“{place.name}”的上级“{place.parent}”不存在"
            problems.append(_problem("kb/places", message))
    return sorted(problems)


def is_id(text: str) -> bool:
    """Whether ``text`` may be the id of an entry."""
    return len(text) <= MAX_ID and _ID.fullmatch(text) is not None


_PHONE = re.compile(r"(?:0\d{2,3}-)?\d{7,8}(?:-\d{1,4})?|1[3-9]\d{9}|\d{5}")


def _offices(knowledge: Knowledge) -> Iterator[Problem]:
    for office in knowledge.offices:

        def wrong(message: str, name: str = office.name) -> Problem:
            return _problem("kb/places", f"机构“{name}”：{message}")

        service = knowledge.entries.get(office.service)
        if service is None or service.kind is not Kind.SERVICE:
            yield wrong(f"事项“{office.service}”不存在。可用的事项见 kb/services/")
        if office.place not in knowledge.places:
            yield wrong(f"地方“{office.place}”不存在。可用的编号见 kb/places/suizhou.yaml")
        if not (office.address or office.phone):
            yield wrong("地址和电话至少写一样")
        if office.phone and not _PHONE.fullmatch(office.phone):
            yield wrong(f"电话“{office.phone}”不像电话。座机请写成 0722-1234567")


def _problem(source: str, message: str) -> Problem:
    file, _, line = source.partition(":")
    return Problem(file, int(line or 0), message)


def _references(entry: Entry, knowledge: Knowledge) -> Iterator[Problem]:
    def wrong(message: str) -> Problem:
        return _problem(entry.source, f"{entry.id}：{message}")

    if entry.topic is not None and entry.topic not in knowledge.topics:
        yield wrong(f"主题“{entry.topic}”不存在。可用的主题见 kb/topics.yaml")
    for id_ in entry.services:
        target = knowledge.entries.get(id_)
        if target is None or target.kind is not Kind.SERVICE:
            yield wrong(f"服务“{id_}”不存在。可用的服务见 kb/services/")
    for id_ in entry.provisions:
        if id_ not in knowledge.provisions:
            yield wrong(f"条款“{id_}”不存在。编号见 kb/provisions/")
    for number in entry.hotlines:
        if number not in knowledge.hotlines:
            yield wrong(f"热线“{number}”没有登记在 kb/rules/hotlines.yaml")
    for kind in entry.handoff:
        if kind not in HANDOFFS:
            yield wrong(f"handoff“{kind}”不在可选范围：{'、'.join(HANDOFFS)}")
    if entry.review_by <= entry.verified_on:
        yield wrong("review_by 应当晚于 verified_on")
    if entry.valid_to and entry.valid_from and entry.valid_to < entry.valid_from:
        yield wrong("valid_to 不能早于 valid_from")


_UNFINISHED = re.compile("待[填补写定]|请填写?|TODO|XXX+|示例", re.IGNORECASE)
_PLACEHOLDER = re.compile("（[^（）]*）")
"""What `kb new` leaves to be filled in: all of it stands in brackets."""
_HALF_BRACKETS = re.compile(r"\[[^\]]*第.{1,9}条|\[惯例")


def _completeness(entry: Entry) -> Iterator[Problem]:
    def wrong(message: str) -> Problem:
        return _problem(entry.source, f"{entry.id}：{message}")

    if not is_id(entry.id):
        yield wrong(ID_RULE)
    if not entry.title.strip():
        yield wrong("没有写标题（title）")
    if len(entry.title) > MAX_TITLE:
        yield wrong(f"标题超过 {MAX_TITLE} 个字，手机的按钮放不下。请写短些")
    for text in (entry.title, *(s.text for s in entry.statements()), *entry.phrasings):
        if found := _UNFINISHED.search(text) or _PLACEHOLDER.fullmatch(text.strip()):
            yield wrong(f"“{text[:20]}”里还有“{found[0]}”，没有写完。请改成要说的话")
    for statement in entry.statements():
        if _HALF_BRACKETS.search(statement.text):
            yield wrong(f"“{statement.text[:20]}…”的依据要用全角的【】，不能用 [ ]")
    for facet in REQUIRED[entry.kind]:
        if facet not in entry.facets:
            yield wrong(f"缺少“{facet.value}”")
    if not any(s.basis for s in entry.statements()):
        yield wrong("没有任何依据。请在句子后面写【法律名称 第几条】")
    if entry.kind is Kind.SITUATION and not entry.services:
        yield wrong("没有指向任何服务（services）")
    if entry.kind is Kind.SITUATION and not entry.must_mention:
        yield wrong("没有写 must_mention（第一条回答里必须说到的要点）")
    shown = "\n".join(s.text for s in first_answer(entry))
    for point in entry.must_mention:
        if not any(option in shown for option in point.split("|")):
            yield wrong(f"要点“{point}”没有出现在 answer、steps、time、dont 里")
    for statement in entry.statements():
        if len(statement.text) > MAX_SENTENCE:
            short = statement.text[:20]
            yield wrong(f"“{short}…”超过 {MAX_SENTENCE} 个字。请拆成两句")


def bigrams(text: str) -> set[str]:
    """Return the character bigrams of ``text`` without white space and punctuation."""
    kept = "".join(c for c in text if c.isalnum())
    return {kept[i : i + 2] for i in range(len(kept) - 1)} or {kept}


def overlap(a: set[str], b: set[str]) -> float:
    """Return the share of the smaller set that is in both, 0 to 1."""
    return len(a & b) / max(1, min(len(a), len(b)))


def _phrasings(
    id_: str, source: str, kind: Kind, phrasings: tuple[str, ...], owners: dict[str, str]
) -> Iterator[Problem]:
    need = MIN_PHRASINGS[kind]
    if len(phrasings) < need:
        yield _problem(
            source, f"{id_}：只有 {len(phrasings)} 条说法（phrasings），至少要 {need} 条"
        )
    for phrasing in phrasings:
        other = owners.setdefault(phrasing, id_)
        if other != id_:
            yield _problem(source, f"{id_}：说法“{phrasing}”已经属于“{other}”。请删掉一处")
    grams = [(p, bigrams(p)) for p in phrasings]
    for (p, a), (q, b) in combinations(grams, 2):
        share = overlap(a, b)
        if share > MAX_OVERLAP:
            yield _problem(
                source, f"{id_}：“{p}”和“{q}”太像（{share:.0%}）。请换一种说法，让开头和用词不同"
            )
