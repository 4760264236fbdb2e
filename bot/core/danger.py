"""Is somebody in danger now? Rules, never thresholds.

A message is dangerous when one of the patterns of a kind matches and nothing says that it is
a question about the law or about something long past. `strong` patterns count whatever else
is said. The patterns are data (`kb/rules/danger.yaml`); they see folded text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from kb.value import value


@value
class DangerKind:
    """One kind of danger. ``topics`` maps cues to topics; the last one without cue is the default."""

    id: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]
    topics: tuple[tuple[re.Pattern[str] | None, str], ...]
    strong: tuple[re.Pattern[str], ...]
    when: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]


@value
class DangerRules:
    """``calm`` are signs of a question about law or the past; they hold for all kinds."""

    kinds: tuple[DangerKind, ...]
    calm: tuple[re.Pattern[str], ...]


@value
class Danger:
    """What was recognised: the kind, the topic it is about, and whom to call."""

    kind: str
    topic: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]


def _any(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(p.search(text) for p in patterns)


def detect_danger(folded: str, rules: DangerRules) -> Danger | None:
    """Return the first kind of danger that ``folded`` speaks of, or None."""
    calm: bool | None = None
    for kind in rules.kinds:
        if not _any(kind.strong, folded):
            if not _any(kind.when, folded) or _any(kind.unless, folded):
                continue
            if calm is None:
                calm = _any(rules.calm, folded)
            if calm:
                continue
        topic = next(t for cue, t in kind.topics if cue is None or cue.search(folded))
        return Danger(kind=kind.id, topic=topic, numbers=kind.numbers, services=kind.services)
    return None
