"""Times as staff read them: Beijing time, and how long until something is due. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from enum import StrEnum

from bot.core.handoff import Ticket, TicketState
from kb.value import value

BEIJING = timezone(timedelta(hours=8))
SOON = timedelta(hours=4)
_OWED = (TicketState.WAITING, TicketState.CLAIMED)

Say = Callable[..., str]
"""`Playbook.say`: a wording by its key."""


class DueLevel(StrEnum):
    LATE = "late"
    SOON = "soon"
    LATER = "later"


@value
class Due:
    """How near a time limit is. ``words`` say it without the colour."""

    level: DueLevel
    words: str


def show_time(at: datetime, now: datetime, say: Say) -> str:
    """Return ``at`` in Beijing time, no longer than needed: 14:05, 11月24日 14:05, 2025年…"""
    local, today = at.astimezone(BEIJING), now.astimezone(BEIJING)
    if local.date() == today.date():
        key = "desk.time.today"
    elif local.year == today.year:
        key = "desk.time.day"
    else:
        key = "desk.time.year"
    clock = f"{local:%H:%M}"
    return say(key, year=local.year, month=local.month, day=local.day, clock=clock)


def show_span(span: timedelta, say: Say) -> str:
    """Return a length of time in its two largest units: 2天5小时, 3小时20分钟, 15分钟, 3天."""
    hours, minutes = divmod(int(span.total_seconds() // 60), 60)
    days, hours = divmod(hours, 24)
    parts = (("days", days), ("hours", hours), ("minutes", 0 if days else minutes))
    words = [say(f"desk.span.{unit}", count=count) for unit, count in parts if count]
    return "".join(words) or say("desk.span.moment")


def assess_due(ticket: Ticket, now: datetime, say: Say) -> Due | None:
    """Return how near the limit is; None while staff owe nothing."""
    if ticket.due_at is None or ticket.state not in _OWED:
        return None
    left = ticket.due_at - now
    if left < timedelta(0):
        return Due(level=DueLevel.LATE, words=say("desk.due.late", span=show_span(-left, say)))
    if left <= SOON:
        return Due(level=DueLevel.SOON, words=say("desk.due.soon", span=show_span(left, say)))
    at = show_time(ticket.due_at, now, say)
    return Due(level=DueLevel.LATER, words=say("desk.due.later", at=at))
