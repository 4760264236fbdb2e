"""From a text to the terms of the lexical index.

Chinese is cut into overlapping characters and pairs of characters (measured better than
dictionary words on lay questions, see README.md); letters and digits stay whole; an article
number is one term however it is written. The version stands in every bundle: an index made
by another version is refused.
"""

from __future__ import annotations

import re

from kb.numerals import NUMERAL, parse_article
from retrieval.normalise import fold

VERSION = "chars12-1"

_ARTICLE = re.compile(rf"第?(?:[{NUMERAL}]+|\d+)条(?:之[{NUMERAL}\d]+)?")
_RUN = re.compile(r"[a-z0-9]+|[^\Wa-z0-9_]+")
# Characters that carry no topic; as single terms they only add noise, in pairs they stay.
_LIGHT = frozenset("的了呢吗啊吧呀嘛哦么是我你他她它们这那就都也和与及或一个有在")


def terms(folded: str) -> list[str]:
    """Return the terms of ``folded`` (see `retrieval.normalise.fold`), with repetitions.

    >>> terms("欠薪12333")
    ['欠', '薪', '欠薪', '12333']
    """
    found: list[str] = []

    def article(match: re.Match[str]) -> str:
        number = parse_article(match[0])
        if number:
            found.append(number)
        return " "

    for run in _RUN.findall(_ARTICLE.sub(article, folded)):
        if run[0].isascii():
            found.append(run)
            continue
        found.extend(c for c in run if c not in _LIGHT)
        found.extend(run[i : i + 2] for i in range(len(run) - 1))
    return found


def analyse(text: str) -> list[str]:
    """Return the terms of any text."""
    return terms(fold(text))
