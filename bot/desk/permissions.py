"""Who may do what. One pure function over role, ownership and the state table."""

from __future__ import annotations

from bot.core.handoff import TRANSITIONS, Ticket, TicketAction
from bot.storage.store import Role, Staff

ACTIONS = (
    TicketAction.CLAIM,
    TicketAction.REPLY,
    TicketAction.NOTE,
    TicketAction.TRANSFER,
    TicketAction.HAND_BACK,
    TicketAction.CLOSE,
    TicketAction.REOPEN,
)
"""What staff do; all other actions are the citizen's or the system's."""


def may_open(staff: Staff, ticket: Ticket) -> bool:
    """Whether ``staff`` may see a ticket: a clerk those of nobody and their own."""
    if not staff.active:
        return False
    return staff.role is not Role.CLERK or ticket.owner in (None, staff.id)


def may(staff: Staff, ticket: Ticket, action: TicketAction) -> bool:
    """Whether ``staff`` may do ``action`` to ``ticket`` in its present state."""
    return action in ACTIONS and (ticket.state, action) in TRANSITIONS and may_open(staff, ticket)


def may_manage_staff(staff: Staff) -> bool:
    return staff.active and staff.role is Role.ADMIN


def sees_colleagues(staff: Staff) -> bool:
    """Whether tickets that colleagues have are this person's business."""
    return staff.active and staff.role is not Role.CLERK
