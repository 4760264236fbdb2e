"""Is somebody in danger now? A trained judgement, and phrases that count whatever it says.

The judgement is a classifier of short texts whose classes are the kinds of danger and `calm`. It
learns at every build from messages that people wrote for it (`retrieval/training/danger/`): danger
in all its voices, and what sounds alike but is past, a question about the law, or a figure of
speech. 700 lines of patterns, tried before, found 71 in 100 dangerous messages of somebody who had
not seen them, with 4 false alarms in 100; the classifier finds 97 with less than 1
(`retrieval/README.md`).

What is told of the past is left out first; that much grammar a bag of characters does not learn.
In a long story the danger is one clause among many, so that it is also read piece by piece.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from kb.value import value
from retrieval.types import CALM

PIECE = 60
"""Characters that are judged at once, besides the whole message."""
SHORTEST = 3
"""Two characters ("孩子", "他们") tell a classifier nothing; what they may say is in `always`."""
SHORT = 5
SURE = 0.85
"""A message with fewer characters than `SHORT` is danger only from this probability."""
_CLAUSE_ENDS = re.compile(r"[\W_]+")
_COUNT = "[0-9一二两三四五六七八九十几半好多]"
_PAST = "|".join(
    (
        "去年|前年|早年|当年|那年|那时候?|那[天晚次]|小时候|从前|曾经|之前|以前|前不久|后来",
        "当[时场晚]|上个?(?:月|星期|礼拜)|上(?:周|次|回|半年)|第[二三四五]天|前天(?!津)|年[初底]",
        "前(?:几|两|些|段|阵|一)(?:天|日|年|个?月|次|时间|阵|子)",
        f"{_COUNT}{{1,4}}(?:年|个?月|个?(?:星期|礼拜)|周|天)[多半]?[以之]?前",
        "(?:19|20)[0-9]{2}年|[0-9]{1,2}月(?:份|[0-9]{1,2}[日号])",
    )
)
_NOW = (
    "现在|刚[才刚]|刚(?![好性])|正在|今[天早晚夜]|昨[晚夜]|此刻|这会|马上|突然|还在|"
    "又[在来要打拿]|救命|快来|分钟前|小时前"
)
_TOLD = re.compile(f"(?:{_PAST}).*?(?={_NOW}|[。.!?;]|$)")
"""What is told: from a word of the past to a word of the present or the end of the sentence."""
_SAYS_LITTLE = 5
"""Characters that must be left for a message to tell of anything besides the past."""


class DangerModel(Protocol):
    """What `retrieval.classifier.Classifier` is."""

    @property
    def classes(self) -> Sequence[str]: ...

    def shares(self, folded: str) -> Mapping[str, float]: ...


@value
class DangerKind:
    """One kind of danger. ``topics`` maps cues to topics; the last one without cue is the default.

    ``always`` are phrases that are this danger whatever the classifier says.
    """

    id: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]
    topics: tuple[tuple[re.Pattern[str] | None, str], ...]
    always: tuple[re.Pattern[str], ...]


@value
class DangerRules:
    """``threshold`` is the probability of any danger from which a message is answered as one."""

    kinds: tuple[DangerKind, ...]
    threshold: float
    model: DangerModel


@value
class Danger:
    """What was recognised: the kind, the topic it is about, and whom to call."""

    kind: str
    topic: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]


def detect_danger(folded: str, rules: DangerRules) -> Danger | None:
    """Return the kind of danger that ``folded`` speaks of, or None."""
    kind = _judged(folded, rules) or _said(folded, rules)
    if kind is None:
        return None
    topic = next(topic for cue, topic in kind.topics if cue is None or cue.search(folded))
    return Danger(kind=kind.id, topic=topic, numbers=kind.numbers, services=kind.services)


def danger_shares(folded: str, rules: DangerRules) -> Mapping[str, float]:
    """Return the probability of each kind and of `CALM`, of the most dangerous piece."""
    shares = _surest(folded, rules.model)
    happening = _TOLD.sub("", folded)
    if happening != folded:  # "去年他打我" is calm; "去年他打过我，现在又拿刀来了" is not
        left = happening if len(happening) >= _SAYS_LITTLE else ""
        shares = max(shares, _surest(left, rules.model), key=lambda each: each[CALM])
    return shares


def pieces(folded: str) -> Iterator[str]:
    """Yield ``folded``, then, if it is longer than `PIECE`, runs of its clauses of that length.

    The runs overlap: one begins at every clause.
    """
    yield folded
    if len(folded) <= PIECE:
        return
    clauses = [
        clause[start : start + PIECE]
        for clause in _CLAUSE_ENDS.split(folded)
        for start in range(0, len(clause), PIECE // 2)
    ]
    for first, piece in enumerate(clauses):
        for clause in clauses[first + 1 :]:
            if len(piece) + 1 + len(clause) > PIECE:
                break
            piece = f"{piece},{clause}"
        yield piece


def _surest(folded: str, model: DangerModel) -> Mapping[str, float]:
    return min((model.shares(piece) for piece in pieces(folded)), key=lambda each: each[CALM])


def _judged(folded: str, rules: DangerRules) -> DangerKind | None:
    if len(_CLAUSE_ENDS.sub("", folded)) < SHORTEST:
        return None
    shares = danger_shares(folded, rules)
    if 1 - shares[CALM] < (rules.threshold if len(folded) >= SHORT else SURE):
        return None
    return max(rules.kinds, key=lambda kind: shares.get(kind.id, 0.0))


def _said(folded: str, rules: DangerRules) -> DangerKind | None:
    return next((k for k in rules.kinds if any(p.search(folded) for p in k.always)), None)
