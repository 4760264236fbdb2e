"""What stands in the queue: tabs, filters, rows. Pure, but for the two reads of the store."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from urllib.parse import urlencode

from bot.core.handoff import OPEN_STATES, HandoffKind, Ticket, TicketState
from bot.core.playbook import Playbook
from bot.desk.naming import code_name, place_name, topic_name
from bot.desk.permissions import may_open, sees_colleagues
from bot.desk.times import Due, assess_due, show_time
from bot.storage.store import Staff, Store, TicketFilter
from kb.value import value

PAGE_ROWS = 50
"""Rows of one page; more do not fit a screen and nobody reads them."""
_PAGE = re.compile(r"[1-9][0-9]{0,4}")
MOST_OPEN = 5_000
MOST_CLOSED = 2000
"""Older ones are found by their code."""


class Tab(StrEnum):
    NEW = "new"
    MINE = "mine"
    OTHERS = "others"
    """What colleagues have; for those who look after them."""
    REPLIED = "replied"
    CLOSED = "closed"


@value
class QueueQuery:
    """Which part of the queue is asked for."""

    tab: Tab = Tab.NEW
    kind: HandoffKind | None = None
    county: str | None = None
    page: int = 1

    def link(self, **changes: object) -> str:
        """Return the address of the queue with ``changes``; another tab begins at its top."""
        values: dict[str, object] = {"tab": self.tab, "kind": self.kind, "county": self.county}
        values.update(changes)
        return "/desk?" + urlencode({k: str(v) for k, v in values.items() if v})


@value
class Row:
    """A ticket as one line of the queue. No words of people and no contact data."""

    code: str
    urgent: bool
    kind: str
    topic: str
    place: str
    opened: str
    due: Due | None
    state: str
    owner: str


@value
class QueuePage:
    query: QueueQuery
    rows: tuple[Row, ...]
    counts: Mapping[Tab, int]
    """Tickets of each tab within the filters; a tab that was not read has none."""
    pages: int
    mark: str
    """Changes whenever the open tickets that this person sees change."""
    newest: int
    """When the newest waiting ticket was opened, in microseconds; 0 if there is none."""


def parse_query(query: Mapping[str, str], playbook: Playbook, staff: Staff) -> QueueQuery:
    """Return what is asked for; values that mean nothing are as good as none."""
    tab, kind, county, page = (query.get(name, "") for name in ("tab", "kind", "county", "page"))
    return QueueQuery(
        tab=Tab(tab) if tab in tabs_of(staff) else Tab.NEW,
        kind=HandoffKind(kind) if kind in list(HandoffKind) else None,
        county=county if county in {c.id for c in playbook.counties()} else None,
        page=int(page) if _PAGE.fullmatch(page) else 1,
    )


def tabs_of(staff: Staff) -> tuple[Tab, ...]:
    return tuple(tab for tab in Tab if tab is not Tab.OTHERS or sees_colleagues(staff))


def tab_of(ticket: Ticket, staff: Staff) -> Tab:
    """Return where ``staff`` finds the ticket."""
    if ticket.state is TicketState.WAITING:
        return Tab.NEW
    if ticket.state is TicketState.CLAIMED:
        return Tab.MINE if ticket.owner == staff.id else Tab.OTHERS
    return Tab.REPLIED if ticket.state is TicketState.REPLIED else Tab.CLOSED


async def load_queue(
    store: Store, query: QueueQuery, staff: Staff, playbook: Playbook, now: datetime
) -> QueuePage:
    """Return one page of the queue as ``staff`` may see it."""
    tickets = await _visible(store, query, staff, tuple(sorted(OPEN_STATES)), MOST_OPEN)
    closed: list[Ticket] = []
    if query.tab is Tab.CLOSED:
        over = tuple(sorted(set(TicketState) - OPEN_STATES))
        closed = await _visible(store, query, staff, over, MOST_CLOSED, newest_first=True)
    return build_queue([*tickets, *closed], query, staff, playbook, now)


async def _visible(
    store: Store, query: QueueQuery, staff: Staff, states: tuple[TicketState, ...], limit: int,
    newest_first: bool = False,
) -> list[Ticket]:  # fmt: skip
    wanted = TicketFilter(
        states=states,
        kinds=(query.kind,) if query.kind else (),
        counties=(query.county,) if query.county else (),
        newest_first=newest_first,
        limit=limit,
    )
    return [t for t in await store.tickets(wanted) if may_open(staff, t)]


def build_queue(
    tickets: list[Ticket], query: QueueQuery, staff: Staff, playbook: Playbook, now: datetime
) -> QueuePage:
    """Return the page. ``tickets`` in the order in which they are to be shown."""
    tabs: dict[Tab, list[Ticket]] = {tab: [] for tab in tabs_of(staff)}
    for ticket in tickets:
        tabs[tab_of(ticket, staff)].append(ticket)
    chosen = tabs[query.tab]
    pages = max(-(-len(chosen) // PAGE_ROWS), 1)
    first = (min(query.page, pages) - 1) * PAGE_ROWS
    shown = chosen[first : first + PAGE_ROWS]
    counts = {tab: len(found) for tab, found in tabs.items()}
    if query.tab is not Tab.CLOSED:
        del counts[Tab.CLOSED]
    waiting = [t.opened_at for t in tabs[Tab.NEW]]
    return QueuePage(
        query=query,
        rows=tuple(_row(t, playbook, now) for t in shown),
        counts=counts,
        pages=pages,
        mark=_mark(tickets, playbook, now),
        newest=int(max(waiting).timestamp() * 1e6) if waiting else 0,
    )


def _row(ticket: Ticket, playbook: Playbook, now: datetime) -> Row:
    state = code_name(playbook, "desk.state", ticket.state)
    if ticket.outcome is not None:
        state = code_name(playbook, "desk.outcome", ticket.outcome)
    return Row(
        code=ticket.code,
        urgent=ticket.urgent,
        kind=code_name(playbook, "kind", ticket.kind),
        topic=topic_name(playbook, ticket.topic),
        place=place_name(playbook, ticket.county),
        opened=show_time(ticket.opened_at, now, playbook.say),
        due=assess_due(ticket, now, playbook.say),
        state=state,
        owner=ticket.owner_name,
    )


def _mark(tickets: Iterable[Ticket], playbook: Playbook, now: datetime) -> str:
    """Tell one state of the open tickets from another, the nearness of their limits included."""
    parts = []
    for ticket in tickets:
        if ticket.state in OPEN_STATES:
            due = assess_due(ticket, now, playbook.say)
            parts.append(f"{ticket.code} {ticket.version} {due.level if due else ''}")
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]
