"""What has happened. Every event carries the time, so that deciding needs no clock."""

from __future__ import annotations

from datetime import datetime

from bot.core.handoff import TicketAction
from bot.core.inbound import InboundMessage
from bot.core.screening import Screened
from kb.value import value
from retrieval.types import SearchResult


@value
class MessageReceived:
    """A citizen's message, screened. ``fresh`` is random, for a code or a form's key."""

    at: datetime
    message: InboundMessage
    screened: Screened
    fresh: str


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
