"""What is to be done. Matched once, in `bot.turns`; everything is one transaction."""

from __future__ import annotations

from datetime import datetime

from bot.core.handoff import HandoffKind
from bot.core.reply import Judgement, Reply
from bot.core.session import Session
from kb.value import value
from retrieval.types import Query


@value
class Search:
    """Search, and come back with `SearchCompleted`."""

    query: Query


@value
class Say:
    """Send ``reply`` to the citizen."""

    reply: Reply


@value
class KeepWords:
    """What the transcript shows instead of the citizen's message: a phone number is masked."""

    text: str


@value
class OpenTicket:
    """Open a ticket. ``submission`` makes a second try of the same form change nothing."""

    code: str
    submission: str
    kind: HandoffKind
    topic: str
    matter: int
    county: str | None
    town: str | None
    place_words: str | None
    who: str
    story: str
    phone: str
    citations: tuple[str, ...]
    urgent: bool
    consent_version: str
    due_at: datetime | None = None


@value
class AddToTicket:
    """The citizen's message belongs to the ticket and is shown to its owner."""

    code: str


@value
class WithdrawTicket:
    code: str


@value
class RaiseTicket:
    """Danger was recognised: make the ticket urgent and alert its owner."""

    code: str
    danger: str


@value
class RecordAnswer:
    """Keep what was judged and from which bundle, for statistics and for the desk.

    ``redacted`` is the only form of the question that statistics may hold.
    """

    judgement: Judgement
    redacted: str
    bundle: str


@value
class ForgetConversation:
    """Delete everything of this conversation, now."""


@value
class ExportConversation:
    """Send the citizen everything that is stored of this conversation."""


Effect = (
    Search
    | Say
    | KeepWords
    | OpenTicket
    | AddToTicket
    | WithdrawTicket
    | RaiseTicket
    | RecordAnswer
    | ForgetConversation
    | ExportConversation
)


@value
class Decision:
    session: Session
    effects: tuple[Effect, ...]
