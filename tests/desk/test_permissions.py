"""Who may do what, over the whole matrix; written out here apart from the state table."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest

from bot.core.handoff import HandoffKind, Ticket, TicketAction, TicketState
from bot.desk.permissions import may, may_manage_staff, may_open, sees_colleagues
from bot.storage.store import Role, Staff
from tests.storage.builders import NOW

A, S = TicketAction, TicketState
HELD = {A.REPLY, A.NOTE, A.TRANSFER, A.HAND_BACK, A.CLOSE}
EXPECTED = {
    S.WAITING: {A.CLAIM, A.NOTE, A.TRANSFER, A.CLOSE},
    S.CLAIMED: HELD,
    S.REPLIED: HELD,
    S.CLOSED: {A.NOTE, A.REOPEN},
    S.WITHDRAWN: {A.NOTE},
}
ME = Staff(id=1, login="wang", name="王敏", role=Role.CLERK, password_hash="x")
TICKET = Ticket(
    code="TEST-CODE-2345", kind=HandoffKind.CONSULT, state=S.WAITING, topic="other", matter=1,
    opened_at=NOW, acted_at=NOW,
)  # fmt: skip


@pytest.mark.parametrize(("role", "state", "owner"), list(product(Role, TicketState, (None, 1, 2))))
def test_who_may_do_what(role: Role, state: TicketState, owner: int | None) -> None:
    staff = replace(ME, role=role)
    ticket = replace(TICKET, state=state, owner=owner)
    strange = role is Role.CLERK and owner == 2
    assert may_open(staff, ticket) is not strange
    allowed = {action for action in TicketAction if may(staff, ticket, action)}
    assert allowed == (set() if strange else EXPECTED[state])
    assert not any(may(replace(staff, active=False), ticket, action) for action in TicketAction)


def test_only_admins_look_after_accounts_and_clerks_only_after_their_own_tickets() -> None:
    for role in Role:
        staff = replace(ME, role=role)
        assert may_manage_staff(staff) is (role is Role.ADMIN)
        assert sees_colleagues(staff) is (role is not Role.CLERK)
        assert not may_manage_staff(replace(staff, active=False))
