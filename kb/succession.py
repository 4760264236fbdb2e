"""When a new plan is published: which of its provisions stand where older ones stood.

Headings and words are compared by shared pairs of characters; it is a proposal for an editor
to read, never a statement to citizens.
"""

from __future__ import annotations

from collections.abc import Sequence

from kb.check import bigrams
from kb.types import Provision
from kb.value import value

ALIKE = 0.30
"""From this likeness on, an older provision is proposed as the one that is replaced."""


@value
class Successor:
    """``old`` is None for a provision that has no likely predecessor."""

    new: str
    old: str | None
    likeness: float


def likeness(a: Provision, b: Provision) -> float:
    """Return how alike two provisions are, 0 to 1; the headings count for half."""

    def share(x: str, y: str) -> float:
        p, q = bigrams(x), bigrams(y)
        return 2 * len(p & q) / max(1, len(p) + len(q))

    return 0.5 * share(a.heading, b.heading) + 0.5 * share(a.text, b.text)


def find_successors(
    new: Sequence[Provision], old: Sequence[Provision]
) -> tuple[list[Successor], list[str]]:
    """Return each new provision's likely predecessor, and the old ones without a successor."""
    found: list[Successor] = []
    for provision in new:
        ranked = sorted(((likeness(provision, o), o.id) for o in old), reverse=True)
        best, id_ = ranked[0] if ranked else (0.0, "")
        kept = id_ if best >= ALIKE else None
        found.append(Successor(new=provision.id, old=kept, likeness=best))
    followed = {s.old for s in found}
    return found, [o.id for o in old if o.id not in followed]
