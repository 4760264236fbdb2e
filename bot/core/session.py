"""What the bot remembers of one conversation between two messages."""

from __future__ import annotations

from datetime import datetime

from bot.core.handoff import Ticket
from bot.core.intake import Answers
from kb.value import value

MAX_MATTERS = 8
"""Older matters are forgotten; their tickets stay."""


@value
class Matter:
    """One trouble of one person. ``words`` are the citizen's own, for the intake's story."""

    id: int
    topic: str
    situation: str | None = None
    entry: str | None = None
    """The entry that was shown last, for follow-up questions; a situation or a service."""
    services: tuple[str, ...] = ()
    words: str = ""
    citations: tuple[str, ...] = ()
    """Ids of the citations shown, in the order of their numbers."""


@value
class Session:
    """The state of one conversation.

    ``tickets`` are read with the session and never stored in it. Everything else is
    stored as JSON, and deleted with the conversation.
    """

    conversation: int
    channel: str
    matters: tuple[Matter, ...] = ()
    current: int | None = None
    """Id of the matter being talked about."""
    last_matter: int = 0
    """Ids are counted up and never reused."""
    choices: tuple[str, ...] = ()
    """What was offered last when asking back, so that `1` or `第二个` is understood."""
    intake: Answers | None = None
    adding_to: str | None = None
    """Code of the ticket that the next text is added to."""
    place: str | None = None
    acknowledged_at: datetime | None = None
    """When the one acknowledgement was given while staff have the conversation."""
    forget_asked: bool = False
    """The citizen has asked for deletion and not yet confirmed."""
    withdrawing: tuple[str, ...] = ()
    """Codes of the tickets that the citizen was just asked about: withdraw or keep?"""
    tickets: tuple[Ticket, ...] = ()


def matter_of(session: Session, id_: int | None) -> Matter | None:
    """Return the matter with ``id_``, or None."""
    return next((m for m in session.matters if m.id == id_), None)
