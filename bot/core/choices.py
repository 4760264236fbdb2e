"""The ids of buttons: `VERB:MATTER:ARGUMENT`, at most 48 bytes, opaque to every channel.

They carry the number of their matter, so that a button under an old answer still means the
matter it was shown for.
"""

from __future__ import annotations

from enum import StrEnum

from kb.value import value

MAX_BYTES = 48


class Verb(StrEnum):
    FACET = "f"
    HANDOFF = "h"
    REPHRASE = "r"
    NONE = "n"
    """None of what was offered."""
    CITE = "c"
    """Argument: the index of the citation within its matter."""
    SHOW = "s"
    """Argument: an entry id (at most 36 characters, see `kb.check`)."""
    INTAKE = "i"
    """Argument: what was answered, see `bot.core.intake_flow`."""
    TICKET = "t"
    """Argument: ACTION-CODE."""
    FORGET = "d"
    COMMAND = "k"
    """Argument: the name of a command phrase."""


@value
class Choice:
    verb: Verb
    matter: int
    argument: str


def render_choice(verb: Verb, matter: int | None, argument: str = "") -> str:
    """Return the button id."""
    choice = f"{verb}:{matter or 0}:{argument}"
    assert len(choice.encode()) <= MAX_BYTES, choice
    return choice


def parse_choice(text: str) -> Choice | None:
    """Return the choice that ``text`` writes, or None if it is none of ours."""
    parts = text.split(":", 2)
    if len(parts) != 3 or not parts[1].isdigit() or len(parts[1]) > 9:
        return None
    try:
        return Choice(verb=Verb(parts[0]), matter=int(parts[1]), argument=parts[2])
    except ValueError:
        return None
