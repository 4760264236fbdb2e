"""A ticket as its page shows it. Pure: from what the store returns to what is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from bot.core.handoff import OPEN_STATES, TicketAction
from bot.core.playbook import CitationDetail, Playbook
from bot.core.reply import plain_text
from bot.desk.naming import code_name, place_name, topic_name
from bot.desk.permissions import ACTIONS, may
from bot.desk.times import BEIJING, Due, assess_due, show_time
from bot.storage.store import Author, Contact, Staff, StoredMessage, TicketDetail, TicketEvent
from kb.value import value


@value
class LineView:
    """A line of the conversation. ``more`` is what folds under ``lead``."""

    author: Author
    who: str
    at: str
    lead: str
    more: str = ""


@value
class IntakeView:
    """What the citizen filled in; "" is not given. ``dial`` is the number without signs."""

    who: str
    place: str
    phone: str
    dial: str
    story: str


@value
class EventView:
    at: str
    who: str
    what: str
    detail: str


@value
class CaseView:
    """Everything on the page of one ticket."""

    code: str
    version: int
    mark: str
    """Changes with the ticket and with every new line of the conversation."""
    urgent: bool
    talking: bool
    kind: str
    kind_id: str
    county_id: str
    topic: str
    place: str
    state: str
    outcome: str
    owner: str
    mine: bool
    channel: str
    opened: str
    due: Due | None
    is_open: bool
    forgotten: bool
    """The citizen had the conversation deleted: nothing can be said or noted any more."""
    lines: tuple[LineView, ...]
    intake: IntakeView | None
    citations: tuple[CitationDetail, ...]
    history: tuple[EventView, ...]
    undelivered: tuple[str, ...]
    allowed: frozenset[TicketAction]


def build_case(
    detail: TicketDetail, undelivered: list[str], staff: Staff, playbook: Playbook, now: datetime
) -> CaseView:
    """Return the page of a ticket as ``staff`` may see and use it."""
    ticket, say = detail.ticket, playbook.say
    forgotten = detail.conversation is None
    return CaseView(
        code=ticket.code,
        version=ticket.version,
        mark=mark_of(detail),
        urgent=ticket.urgent,
        talking=ticket.talking,
        kind=code_name(playbook, "kind", ticket.kind),
        kind_id=ticket.kind,
        county_id=ticket.county or "",
        topic=topic_name(playbook, ticket.topic),
        place=place_name(playbook, ticket.county),
        state=code_name(playbook, "desk.state", ticket.state),
        outcome=code_name(playbook, "desk.outcome", ticket.outcome) if ticket.outcome else "",
        owner=ticket.owner_name,
        mine=ticket.owner == staff.id,
        channel=code_name(playbook, "desk.channel", detail.channel),
        opened=show_time(ticket.opened_at, now, say),
        due=assess_due(ticket, now, say),
        is_open=ticket.state in OPEN_STATES,
        forgotten=forgotten,
        lines=tuple(_line(message, playbook, now) for message in detail.transcript),
        intake=_intake(detail.contact, ticket.county, playbook) if detail.contact else None,
        citations=tuple(_citations(detail, playbook, now)),
        history=tuple(_event(event, playbook, now) for event in detail.events),
        undelivered=tuple(undelivered),
        allowed=frozenset(a for a in ACTIONS if not forgotten and may(staff, ticket, a)),
    )


def mark_of(detail: TicketDetail) -> str:
    last = detail.transcript[-1].seq if detail.transcript else 0
    return f"{detail.ticket.version}.{last}"


def _line(message: StoredMessage, playbook: Playbook, now: datetime) -> LineView:
    """The bot's answers fold to their first line; what people wrote is shown whole."""
    text = message.text or (plain_text(message.reply) if message.reply else "")
    lead, more = text, ""
    if message.author is Author.BOT:
        lead, _, more = text.strip().partition("\n")
        lead = lead or playbook.say("desk.ticket.unreadable")
    name = "" if message.author is Author.BOT else message.staff_name
    return LineView(
        author=message.author,
        who=name or playbook.say(f"desk.author.{message.author}"),
        at=show_time(message.at, now, playbook.say),
        lead=lead,
        more=more.strip(),
    )


def _intake(contact: Contact, county: str | None, playbook: Playbook) -> IntakeView:
    named = (place_name(playbook, county), place_name(playbook, contact.town), contact.place_words)
    return IntakeView(
        who=code_name(playbook, "desk.who", contact.who),
        place=" ".join(part for part in named if part),
        phone=contact.phone,
        dial="".join(c for c in contact.phone if c.isdigit() or c == "+"),
        story=contact.story,
    )


def _citations(detail: TicketDetail, playbook: Playbook, now: datetime) -> Iterator[CitationDetail]:
    """What the citizen was shown, each once: before the ticket, and in answers since."""
    shown = [*detail.citations]
    for message in detail.transcript:
        shown += [c.id for c in message.reply.citations] if message.reply else []
    today = now.astimezone(BEIJING).date()
    for id_ in dict.fromkeys(shown):
        gone = CitationDetail(id=id_, title=id_, note="", paragraphs=())
        yield playbook.cite(id_, today) or gone


def _event(event: TicketEvent, playbook: Playbook, now: datetime) -> EventView:
    by = "citizen" if event.action in _BY_CITIZEN else "system"
    return EventView(
        at=show_time(event.at, now, playbook.say),
        who=event.actor_name or playbook.say(f"desk.author.{by}"),
        what=code_name(playbook, "desk.action", event.action),
        detail="，".join(_details(event.detail, playbook)),
    )


_BY_CITIZEN = frozenset(
    {"open", TicketAction.CITIZEN_ADD, TicketAction.WITHDRAW, TicketAction.RAISE}
)


def _details(detail: Mapping[str, str], playbook: Playbook) -> Iterator[str]:
    """Return the codes of an event in words; what is not known stays a code."""
    families = {"kind": "kind", "outcome": "desk.outcome", "danger": "desk.danger",
                "reason": "desk.reason"}  # fmt: skip
    for key, code in detail.items():
        if key == "county":
            yield place_name(playbook, code)
        else:
            yield code_name(playbook, families.get(key, key), code)
