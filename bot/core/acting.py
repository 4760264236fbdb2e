"""What an action makes of a ticket: a pure function from ticket, act and rules to ticket."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from bot.core.handoff import (
    HandoffKind,
    Outcome,
    Ticket,
    TicketAction,
    TicketState,
    is_talking,
    next_state,
)
from bot.core.playbook import HandoffRules
from kb.value import value


@value
class Act:
    """One action on a ticket. ``staff`` None: the citizen or the system."""

    action: TicketAction
    at: datetime
    staff: int | None = None
    staff_name: str = ""
    kind: HandoffKind | None = None
    county: str | None = None
    outcome: Outcome | None = None


def act_on(ticket: Ticket, act: Act, rules: HandoffRules) -> Ticket:
    """Return ``ticket`` after ``act``. Raises `TicketError` when its state forbids it."""
    state = next_state(ticket.state, act.action)
    changed = replace(ticket, state=state, talking=is_talking(ticket, act.action), acted_at=act.at)
    match act.action:
        case TicketAction.CLAIM:
            changed = replace(changed, owner=act.staff, owner_name=act.staff_name)
        case TicketAction.TRANSFER:
            changed = replace(
                changed, kind=act.kind or ticket.kind, county=act.county or ticket.county
            )
        case TicketAction.CLOSE:
            changed = replace(changed, outcome=act.outcome)
        case TicketAction.REOPEN:
            due = act.at + timedelta(hours=rules.due_hours[ticket.kind])
            changed = replace(changed, outcome=None, due_at=due)
        case TicketAction.CITIZEN_ADD if ticket.state is TicketState.REPLIED:
            # The citizen has answered: the desk owes the next word from now on.
            hours = rules.urgent_due_hours if ticket.urgent else rules.due_hours[ticket.kind]
            changed = replace(changed, due_at=act.at + timedelta(hours=hours))
        case TicketAction.RAISE:
            soon = act.at + timedelta(hours=rules.urgent_due_hours)
            due = min(ticket.due_at, soon) if ticket.due_at else soon
            changed = replace(changed, urgent=True, due_at=due)
        case _:
            pass
    if state is TicketState.WAITING:  # nobody's until somebody claims it
        changed = replace(changed, owner=None, owner_name="")
    return changed


def changed_fields(before: Ticket, after: Ticket) -> dict[str, str]:
    """Return the codes that changed, for the history; never words of people."""
    pairs = {
        "kind": (before.kind, after.kind),
        "county": (before.county, after.county),
        "outcome": (before.outcome, after.outcome),
    }
    return {key: str(new) for key, (old, new) in pairs.items() if new != old and new is not None}
