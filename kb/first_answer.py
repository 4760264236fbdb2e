"""Which statements of an entry stand in the first answer. The rest folds behind buttons."""

from __future__ import annotations

from kb.types import Entry, Facet, Statement

FIRST_FACETS = (Facet.STEPS, Facet.TIME, Facet.DONT)
"""What a person must not miss: what to do, which deadline runs, what not to do."""


def first_answer(entry: Entry) -> tuple[Statement, ...]:
    """Return the statements of the first answer, the one-sentence answer first."""
    return (entry.answer, *(s for f in FIRST_FACETS for s in entry.facets.get(f, ())))
