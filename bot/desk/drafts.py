"""What staff have filled in on a ticket's page: nothing typed is lost when it cannot be done."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from bot.core.handoff import HandoffKind, Outcome, Ticket, TicketAction
from bot.core.playbook import Playbook
from kb.value import value

MAX_WORDS = 2000
"""Characters of a reply or a note; three of them fit into a request body (64 KiB)."""
_NUMBER = re.compile(r"[0-9]{1,9}")
LOOK = "look"
"""Not an action: show the ticket as it is now, with what was typed."""


class DraftError(ValueError):
    """Something is missing or too long; ``key`` names the wording that says what."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


@value
class Draft:
    """The fields of the page as typed. ``version`` is that of the ticket they were typed for."""

    version: int = -1
    reply: str = ""
    note: str = ""
    words: str = ""
    """For the citizen, when the ticket is closed."""
    kind: str = ""
    county: str = ""
    outcome: str = ""

    def typed(self) -> tuple[str, ...]:
        """Return the texts that would be a pity to lose."""
        return tuple(text for text in (self.reply, self.note, self.words) if text)

    def without(self, action: TicketAction) -> Draft:
        """Return what is left to do after ``action``."""
        match action:
            case TicketAction.REPLY:
                return replace(self, reply="")
            case TicketAction.NOTE:
                return replace(self, note="")
            case TicketAction.CLOSE:
                return replace(self, words="", outcome="")
            case _:
                return self


@value
class Deed:
    """An action with all that it needs; see `Turns.act`."""

    action: TicketAction
    text: str = ""
    kind: HandoffKind | None = None
    county: str | None = None
    outcome: Outcome | None = None


def parse_draft(form: Mapping[str, str]) -> Draft:
    """Return what was typed. Line ends are those of Unix, as everywhere in the store."""
    text = {name: _unix(form.get(name, "")) for name in ("reply", "note", "words")}
    version = form.get("version", "")
    return Draft(
        version=int(version) if _NUMBER.fullmatch(version) else -1,
        kind=form.get("kind", ""),
        county=form.get("county", ""),
        outcome=form.get("outcome", ""),
        **text,
    )


def parse_deed(draft: Draft, action: TicketAction, ticket: Ticket, playbook: Playbook) -> Deed:
    """Return the deed that ``draft`` holds for ``action``. Raises `DraftError`."""
    match action:
        case TicketAction.REPLY:
            return Deed(action=action, text=_words(draft.reply, "desk.ticket.reply_empty"))
        case TicketAction.NOTE:
            return Deed(action=action, text=_words(draft.note, "desk.ticket.note_empty"))
        case TicketAction.CLOSE:
            if draft.outcome not in list(Outcome):
                raise DraftError("desk.ticket.outcome_missing")
            outcome = Outcome(draft.outcome)
            return Deed(action=action, text=_fitting(draft.words), outcome=outcome)
        case TicketAction.TRANSFER:
            return _transfer(draft, ticket, playbook)
        case _:
            return Deed(action=action)


def _transfer(draft: Draft, ticket: Ticket, playbook: Playbook) -> Deed:
    counties = {place.id for place in playbook.counties()}
    kind = HandoffKind(draft.kind) if draft.kind in list(HandoffKind) else None
    county = draft.county if draft.county in counties else None
    if kind in (None, ticket.kind) and county in (None, ticket.county):
        raise DraftError("desk.ticket.transfer_missing")
    return Deed(action=TicketAction.TRANSFER, kind=kind, county=county)


def _words(text: str, empty: str) -> str:
    if not text:
        raise DraftError(empty)
    return _fitting(text)


def _fitting(text: str) -> str:
    if len(text) > MAX_WORDS:
        raise DraftError("desk.ticket.too_long", most=MAX_WORDS, count=len(text))
    return text


def _unix(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
