"""Mends characters that sound like the ones that were meant: "拖欠功资" -> "拖欠工资".

People write by sound, on keyboards that guess, and by voice. In short messages, where one wrong
character hides the trouble, a pair of neighbouring characters that nobody has ever written is
replaced by one that sounds the same and stands in a title. Sounds are compared without tones and
without the differences that local speech does not make (n/l, h/f, z/zh, c/ch, s/sh, -n/-ng).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

LONGEST = 20
"""Characters; longer messages say it more than once."""
OFTEN = 10.0
"""Of 10,000 texts, so many must hold a pair for it to be taken for what was meant."""
_INITIALS = (("zh", "z"), ("ch", "c"), ("sh", "s"), ("n", "l"), ("h", "f"))
_PAIR = re.compile("[\u4e00-\u9fff]{2}")


def sound(syllable: str) -> str:
    """Return the class of ``syllable`` that local speech keeps apart from others.

    >>> sound("zhuang") == sound("zuan")
    True
    """
    for written, spoken in _INITIALS:
        if syllable.startswith(written):
            syllable = spoken + syllable.removeprefix(written)
            break
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


@cache
def syllables() -> tuple[frozenset[str], Mapping[str, str]]:
    """Return every syllable there is, and the `sound` of each character."""
    lines = (Path(__file__).parent / "pinyin.txt").read_text(encoding="utf-8").splitlines()
    rows = [line.split(" ") for line in lines if not line.startswith("#")]
    sounds = {
        character: sound(syllable) for syllable, characters in rows for character in characters
    }
    return frozenset(syllable for syllable, _ in rows), sounds


class Homophones:
    """Immutable. ``pairs`` are those that texts are known to hold, with how many of 10,000 hold
    each; ``titles`` are where the words stand that people come with; ``known`` are further pairs
    that are right as they are."""

    def __init__(
        self, pairs: Iterable[tuple[str, float]], titles: Iterable[str], known: Iterable[str] = ()
    ) -> None:
        counts = {pair: times for pair, times in pairs if _PAIR.fullmatch(pair)}
        self._known = frozenset(counts).union(known)
        words = {title[i : i + 2] for title in titles for i in range(len(title) - 1)}
        meant: dict[tuple[str, str], str] = {}
        for pair in sorted(words & set(counts), key=lambda pair: (counts[pair], pair)):
            if counts[pair] >= OFTEN and (key := _key(pair)):
                meant[key] = pair  # the most frequent comes last
        self._meant = meant

    def mend(self, folded: str) -> str:
        """Return ``folded`` with pairs that nobody writes replaced by frequent ones."""
        if len(folded) > LONGEST:
            return folded
        mended = folded
        for start in range(len(folded) - 1):
            pair = mended[start : start + 2]
            if pair in self._known or not _PAIR.fullmatch(pair):
                continue
            meant = self._meant.get(_key(pair) or ("", ""))
            # One character may be wrong; two at once are more likely a word not known here.
            if meant and sum(a != b for a, b in zip(pair, meant, strict=True)) == 1:
                tried = mended[:start] + meant + mended[start + 2 :]
                if self._reads_well(tried, start):
                    mended = tried
        return mended

    def _reads_well(self, text: str, start: int) -> bool:
        """Whether the pairs on both sides of the one at ``start`` are known, too."""
        beside = (text[max(start - 1, 0) : start + 1], text[start + 1 : start + 3])
        return all(pair in self._known or not _PAIR.fullmatch(pair) for pair in beside)


def _key(pair: str) -> tuple[str, str] | None:
    _, sounds = syllables()
    first, second = (sounds.get(character) for character in pair)
    return (first, second) if first and second else None
