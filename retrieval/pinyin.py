"""Reads Chinese that was typed in Latin letters: "laoban bu gei gongzi" -> "老板不给工资".

Old phones and foreign keyboards leave people no other way. Each run of letters is cut into
syllables, and the syllables into the frequent triples, pairs and single characters of our own
texts that sound so; the likeliest reading wins. Tones are not written, so that this is a guess:
it is only made where a message has no Chinese at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable

from retrieval.homophones import sound, syllables
from retrieval.normalise import is_pinyin

LONGEST = 60
"""Letters; who writes more has a way to write Chinese."""
SELDOM = 2.0
"""Of 10,000 texts; pairs and triples in fewer are more often a chance than a word."""
RARE = math.log(1e-7)
"""What a syllable costs that no known character has; it is left out of the reading."""
Gram = tuple[str, float]
_RUN = re.compile("[a-z]+")


class Pinyin:
    """Immutable. ``counts(n)`` yields the strings of n characters that texts hold, with how many
    of 10,000 hold each."""

    def __init__(self, counts: Callable[[int], Iterable[Gram]]) -> None:
        self._spoken, written = syllables()
        self._best: dict[tuple[str, ...], Gram] = {}
        for length in (1, 2, 3):
            for gram, times in counts(length):
                key = tuple(written.get(character, "") for character in gram)
                if length > 1 and times < SELDOM:
                    continue
                if all(key) and times > self._best.get(key, ("", 0.0))[1]:
                    self._best[key] = (gram, times)

    def read(self, folded: str) -> str:
        """Return ``folded`` in Chinese characters, or as it is if it is no pinyin."""
        if len(folded) > LONGEST or not is_pinyin(folded):
            return folded
        cut = [self._cut(run) for run in _RUN.findall(folded)]
        if any(not run for run in cut):
            return folded
        return self._likeliest([sound(syllable) for run in cut for syllable in run]) or folded

    def _cut(self, run: str) -> list[str]:
        """Return the fewest syllables that make up ``run``, the longer ones first; [] if none."""
        ways: list[list[str] | None] = [[]] + [None] * len(run)
        for end in range(1, len(run) + 1):
            for start in range(max(0, end - 6), end):
                before = ways[start]
                if before is None or run[start:end] not in self._spoken:
                    continue
                shortest = ways[end]
                if shortest is None or len(before) + 1 < len(shortest):
                    ways[end] = [*before, run[start:end]]
        return ways[-1] or []

    def _likeliest(self, sounds: list[str]) -> str:
        best = [(0.0, "")] + [(-math.inf, "")] * len(sounds)
        for end in range(1, len(sounds) + 1):
            for length in (1, 2, 3):
                if length > end:
                    break
                gram, times = self._best.get(tuple(sounds[end - length : end]), ("", 0.0))
                cost = math.log(times / 10_000) if gram else RARE * length
                if length > 1 and not gram:
                    continue
                score, before = best[end - length]
                best[end] = max(best[end], (score + cost, before + gram))
        return best[-1][1]
