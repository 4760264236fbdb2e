"""What has happened. Every event carries the time, so that deciding needs no clock."""

from __future__ import annotations

from datetime import datetime

from bot.core.handoff import Ticket, TicketAction
from bot.core.inbound import InboundMessage
from bot.core.screening import Screened
from kb.value import value
from retrieval.types import SearchResult


@value
class MessageReceived:
    """A citizen's message, screened, with what deciding on it may need.

    ``fresh`` is random, for a ticket's code or a form's key. ``named`` is the ticket whose
    code stands in the message, of whatever conversation. ``openings`` are the tickets opened
    in the last 24 hours by this conversation and from this address.
    """

    at: datetime
    message: InboundMessage
    screened: Screened
    fresh: str
    named: Ticket | None = None
    openings: tuple[int, int] = (0, 0)


@value
class SearchCompleted:
    """The answer to a `Search` effect of this turn."""

    at: datetime
    message: InboundMessage
    screened: Screened
    result: SearchResult


@value
class TicketActed:
    """Staff or the system did something to a ticket of this conversation.

    The ticket in the session is already in its new state. ``text`` is what staff wrote to
    the citizen.
    """

    at: datetime
    code: str
    action: TicketAction
    text: str = ""
    staff_name: str = ""


Event = MessageReceived | SearchCompleted | TicketActed
