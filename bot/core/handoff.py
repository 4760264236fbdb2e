"""Tickets: their states, who may do what when, and what a citizen is told.

Rules of this module: the table `TRANSITIONS` is the whole truth about states; an action
that is not in it raises and changes nothing; due times are computed from rules and a
time that is handed in.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kb.value import value


class HandoffKind(StrEnum):
    """What the citizen asks a person for."""

    LEGAL_AID = "legal_aid"
    MEDIATION = "mediation"
    CONSULT = "consult"
    REPORT = "report"
    """办不成事, complaint."""


class TicketState(StrEnum):
    WAITING = "waiting"
    """In the queue; nobody has it. The bot answers as ever."""
    CLAIMED = "claimed"
    """A member of staff has it and owes the next word."""
    REPLIED = "replied"
    """Staff have answered; the citizen owes the next word."""
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


class TicketAction(StrEnum):
    CLAIM = "claim"
    REPLY = "reply"
    CITIZEN_ADD = "citizen_add"
    NOTE = "note"
    TRANSFER = "transfer"
    HAND_BACK = "hand_back"
    SILENCE = "silence"
    """The silence limit passed; done by the system."""
    CLOSE = "close"
    REOPEN = "reopen"
    WITHDRAW = "withdraw"
    RAISE = "raise"
    """Danger was recognised: the ticket becomes urgent."""


S, A = TicketState, TicketAction  # the table below reads better with short names
TRANSITIONS: dict[tuple[TicketState, TicketAction], TicketState] = {
    (S.WAITING, A.CLAIM): S.CLAIMED,
    (S.WAITING, A.CITIZEN_ADD): S.WAITING,
    (S.WAITING, A.NOTE): S.WAITING,
    (S.WAITING, A.TRANSFER): S.WAITING,
    (S.WAITING, A.CLOSE): S.CLOSED,
    (S.WAITING, A.WITHDRAW): S.WITHDRAWN,
    (S.WAITING, A.RAISE): S.WAITING,
    (S.CLAIMED, A.REPLY): S.REPLIED,
    (S.CLAIMED, A.CITIZEN_ADD): S.CLAIMED,
    (S.CLAIMED, A.NOTE): S.CLAIMED,
    (S.CLAIMED, A.TRANSFER): S.WAITING,
    (S.CLAIMED, A.HAND_BACK): S.WAITING,
    (S.CLAIMED, A.SILENCE): S.WAITING,
    (S.CLAIMED, A.CLOSE): S.CLOSED,
    (S.CLAIMED, A.WITHDRAW): S.WITHDRAWN,
    (S.CLAIMED, A.RAISE): S.CLAIMED,
    (S.REPLIED, A.REPLY): S.REPLIED,
    (S.REPLIED, A.CITIZEN_ADD): S.CLAIMED,
    (S.REPLIED, A.NOTE): S.REPLIED,
    (S.REPLIED, A.TRANSFER): S.WAITING,
    (S.REPLIED, A.HAND_BACK): S.WAITING,
    (S.REPLIED, A.SILENCE): S.REPLIED,
    (S.REPLIED, A.CLOSE): S.CLOSED,
    (S.REPLIED, A.WITHDRAW): S.WITHDRAWN,
    (S.REPLIED, A.RAISE): S.CLAIMED,
    (S.CLOSED, A.REOPEN): S.WAITING,
    (S.CLOSED, A.NOTE): S.CLOSED,
    (S.WITHDRAWN, A.NOTE): S.WITHDRAWN,
}
OPEN_STATES = frozenset({S.WAITING, S.CLAIMED, S.REPLIED})
# Actions after which staff no longer have the conversation.
_RELEASES = frozenset({A.TRANSFER, A.HAND_BACK, A.SILENCE, A.CLOSE, A.WITHDRAW})


class TicketError(Exception):
    """The action does not fit the ticket's state. The desk words it from `kb/wording/`."""

    def __init__(self, state: TicketState, action: TicketAction) -> None:
        super().__init__(f"a ticket that is {state} cannot {action}; reload to see its state")
        self.state = state
        self.action = action


class Outcome(StrEnum):
    """How a ticket was closed."""

    ANSWERED = "answered"
    ACCEPTED = "accepted"
    """Legal aid granted or mediation taken on."""
    REFERRED = "referred"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@value
class Ticket:
    """A ticket as decisions see it. No personal words and no contact data."""

    code: str
    """Unguessable; the citizen's only handle."""
    kind: HandoffKind
    state: TicketState
    topic: str
    matter: int
    """Which matter of the conversation it belongs to."""
    county: str | None = None
    urgent: bool = False
    talking: bool = False
    """True while the owner has the conversation (接话)."""
    owner: int | None = None
    owner_name: str = ""
    opened_at: datetime
    due_at: datetime | None = None
    acted_at: datetime
    """Last action of anybody; the silence limit counts from it."""
    outcome: Outcome | None = None
    version: int = 0


def next_state(state: TicketState, action: TicketAction) -> TicketState:
    """Return the state after ``action``. Raises `TicketError` when the table forbids it."""
    try:
        return TRANSITIONS[state, action]
    except KeyError:
        raise TicketError(state, action) from None


def is_talking(ticket: Ticket, action: TicketAction) -> bool:
    """Whether staff have the conversation after ``action``."""
    if action is A.CLAIM:
        return True
    if action in _RELEASES:
        return False
    if action is A.REPLY:
        return True
    return ticket.talking
