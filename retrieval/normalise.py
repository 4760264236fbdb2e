"""One form for every way of writing: what search, danger rules and commands compare.

Three steps, each usable alone: `strip_invisible` (what nobody can see), `fold` (width, case,
traditional characters, repeated punctuation), `Dialect.apply` (local and lay words, at
query time only). Length is bounded by the caller.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from kb.value import value

_INVISIBLE = re.compile(
    "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5"
    "\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufe00-\ufe0f\ufeff\uffa0"
    "\ufff9-\ufffb\U000e0000-\U000e0fff\ud800-\udfff]"
)


def strip_invisible(text: str) -> str:
    """Remove control, zero-width, direction and tag characters and lone surrogates."""
    return _INVISIBLE.sub("", text)


@cache
def _traditional() -> dict[int, int]:
    lines = (Path(__file__).parent / "traditional.txt").read_text(encoding="utf-8").splitlines()
    pairs = " ".join(line for line in lines if not line.startswith("#")).split()
    return {ord(pair[0]): ord(pair[1]) for pair in pairs}


_SPACE = re.compile(r"\s+")
_REPEAT = re.compile(r"([^\w\s])\1+")
_REPEATED_CHARACTER = re.compile(r"([^\W\d])\1{3,}")


def fold(text: str) -> str:
    """Return ``text`` in one width, case and script, on one line.

    >>> fold("　老闆欠　１２０００ 工資！！！")
    '老板欠 12000 工资!'
    """
    text = unicodedata.normalize("NFKC", strip_invisible(text)).lower().translate(_traditional())
    text = _REPEATED_CHARACTER.sub(r"\1\1", _REPEAT.sub(r"\1", text))
    return _SPACE.sub(" ", text).strip()


class Dialect:
    """Replaces local and lay words by the ones the entries use; longest word first.

    Replacement is one-directional and happens once, so that it cannot loop.
    """

    def __init__(self, rows: Iterable[tuple[str, str]]) -> None:
        self._means = {fold(word): fold(means) for word, means in rows}
        words = sorted(self._means, key=len, reverse=True)
        self._pattern = re.compile("|".join(map(re.escape, words))) if words else None

    def apply(self, text: str) -> str:
        """Return ``text`` (folded) with every known word replaced."""
        if self._pattern is None:
            return text
        return self._pattern.sub(lambda match: self._means[match[0]], text)


@value
class DialectRow:
    """``kind``: dialect, lay, typo, or guard (an ordinary word that stays as it is)."""

    word: str
    means: str
    example: str
    kind: str


@value
class DialectFile:
    """The shape of `kb/wording/dialect.yaml`."""

    dialect: tuple[DialectRow, ...]


def parse_dialect(data: Any) -> Dialect:
    """Return the word list of a parsed `kb/wording/dialect.yaml`; None is an empty one."""
    if data is None:
        return Dialect(())
    file = TypeAdapter(DialectFile).validate_python(data)
    return Dialect((row.word, row.means) for row in file.dialect)


_SYLLABLE = (
    "(?:zh|ch|sh|[bpmfdtnlgkhjqxrzcsyw])?(?:iang|iong|uang|ang|eng|ong|ing|ian|iao|uai|uan|"
    "ai|ei|ao|ou|an|en|in|un|ia|ie|iu|ua|uo|ui|ue|ve|er|a|o|e|i|u|v)"
)
_PINYIN = re.compile(rf"(?:{_SYLLABLE}[ ']*){{2,}}")


def is_pinyin(folded: str) -> bool:
    """Whether ``folded`` is Latin letters that can be read as Chinese syllables: "gongzi"."""
    return _PINYIN.fullmatch(folded.strip(" ?!.,")) is not None
