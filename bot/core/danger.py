"""Is somebody in danger now? Rules, never thresholds.

A message is read with less and less in it:

1. What is told, not happening, is left out: from a word of the past ("去年") to a word of the
   present ("现在") or the end. So "去年他打我" is calm, and "去年他打过我，现在又拿刀来了" is not.
2. For each kind of danger, words that only sound like it ("打官司", "跳楼价") are left out.
3. A `strong` pattern in what remains is danger. So is a `when` pattern, unless the message asks
   about the law or about what comes after (`calm`: "判几年", "怎么赔"); then it needs a word of
   the present ("正在") before it in its clause.

What danger looks like is data for editors (`kb/rules/danger.yaml`); words of time are grammar and
stand here. Patterns see a message with one clause a line, so that `.` stays within a clause.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.value import value

_COUNT = "[0-9一二两三四五六七八九十几半好多]"
_PAST = "|".join(
    (
        "去年|前年|早年|当年|那年|那时候?|那[天晚次]|小时候|从前|曾经|之前|以前|前不久|后来",
        "当[时场晚]|上个?(?:月|星期|礼拜)|上(?:周|次|回|半年)|第[二三四五]天|前天(?!津)|年[初底]",
        "前(?:几|两|些|段|阵|一)(?:天|日|年|个?月|次|时间|阵|子)",
        f"{_COUNT}+(?:年|个?月|个?(?:星期|礼拜)|周|天)[多半]?[以之]?前",
        "(?:19|20)[0-9]{2}年|[0-9]{1,2}月(?:份|[0-9]{1,2}[日号])",
        "[打砍捅掐关摸咬撞抢绑侵奸亵暴死]过(?![来去敏程])|(?:欺负|虐待|自杀|自残|着火)过",
        "新闻|电视|电影|小说|普法|案例",
    )
)
_NOW = (
    "现在|刚[才刚]|刚(?![好性])|正在|今[天早晚夜]|昨[晚夜]|此刻|这会|马上|突然|还在|"
    "又[在来要打拿]|救命|快来|分钟前|小时前"
)
_TOLD_CLAUSE = re.compile(f"(?:{_PAST}).*?(?={_NOW}|[,。.!?; ]|$)")
_TOLD_SENTENCE = re.compile(f"(?:{_PAST}).*?(?={_NOW}|[。.!?;]|$)")
_HAPPENING = re.compile("现在|刚[才刚]|正在|此刻|这会|马上|突然|还在|又在|一直在")
_CLAUSE_ENDS = re.compile("[,。.!?;:、 ]+")


@value
class DangerKind:
    """One kind of danger. ``topics`` maps cues to topics; the last one without cue is the default.

    ``unless`` are words that only sound like this kind; they are not looked at.
    """

    id: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]
    topics: tuple[tuple[re.Pattern[str] | None, str], ...]
    strong: tuple[re.Pattern[str], ...]
    when: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]


@value
class DangerRules:
    """``calm`` are signs of a question about the law or the aftermath; they hold for all kinds."""

    kinds: tuple[DangerKind, ...]
    calm: tuple[re.Pattern[str], ...]


@value
class Danger:
    """What was recognised: the kind, the topic it is about, and whom to call."""

    kind: str
    topic: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]


def detect_danger(folded: str, rules: DangerRules) -> Danger | None:
    """Return the first kind of danger that ``folded`` speaks of, or None."""
    text = one_clause_a_line(folded)
    calm = _any(rules.calm, text)
    # A story of the past goes on over commas; only what is unmistakable is looked for in it.
    unmistakable = one_clause_a_line(_TOLD_CLAUSE.sub("", folded))
    happening = one_clause_a_line(_TOLD_SENTENCE.sub("", folded))
    for kind in rules.kinds:
        if _any(kind.strong, _without(kind.unless, unmistakable)) or _happens(
            kind.when, _without(kind.unless, happening), calm
        ):
            topic = next(t for cue, t in kind.topics if cue is None or cue.search(text))
            return Danger(kind=kind.id, topic=topic, numbers=kind.numbers, services=kind.services)
    return None


def one_clause_a_line(folded: str) -> str:
    """Return ``folded`` as the patterns see it."""
    return _CLAUSE_ENDS.sub("\n", folded).strip("\n")


def _any(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(p.search(text) for p in patterns)


def _happens(patterns: Sequence[re.Pattern[str]], text: str, calm: bool) -> bool:
    """Whether one of ``patterns`` is in ``text``; if ``calm``, after a word of the present."""
    if not calm:
        return _any(patterns, text)
    if not _HAPPENING.search(text):
        return False
    matches = (match for pattern in patterns for match in pattern.finditer(text))
    return any(
        _HAPPENING.search(text, text.rfind("\n", 0, match.start()) + 1, match.end())
        for match in matches
    )


def _without(patterns: Sequence[re.Pattern[str]], text: str) -> str:
    for pattern in patterns:
        text = pattern.sub("·", text)  # keeps apart what stood on both sides
    return text
