"""What happens next: one pure function from a session and an event to a new session and effects.

Rules of this module: it only chooses the order in which a message is understood; what is
said stands in the flows beside it. The order is a promise: danger goes before everything,
the citizen's own commands before any form, a form before a search, and a member of staff
who has the conversation before the bot.
"""

from __future__ import annotations

from typing import assert_never

from bot.core import conversing, intake_flow, small_talk, ticket_flow
from bot.core.alarm import on_danger
from bot.core.effects import Decision
from bot.core.events import Event, MessageReceived, SearchCompleted, TicketActed
from bot.core.inbound import MessageKind
from bot.core.playbook import Playbook
from bot.core.session import Session

# A step returns None when the message is not for it.
_TEXT_STEPS = (
    ticket_flow.on_command,
    intake_flow.on_command,
    ticket_flow.on_addition,
    intake_flow.on_answer,
    ticket_flow.while_talking,
    small_talk.on_small_talk,
    conversing.on_pick,
    intake_flow.on_request,
    conversing.on_follow_up,
)
_CHOICE_STEPS = (conversing.on_choice, intake_flow.on_choice)


def decide(session: Session, event: Event, playbook: Playbook) -> Decision:
    """Return what to remember and what to do. Total: every session and event has an answer."""
    match event:
        case MessageReceived():
            return _on_message(session, event, playbook)
        case SearchCompleted():
            return conversing.on_search(session, event, playbook)
        case TicketActed():
            return ticket_flow.on_acted(session, event, playbook)
        case _:
            assert_never(event)


def _on_message(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    if event.screened.danger is not None:
        return on_danger(session, event, playbook)
    if event.message.kind is MessageKind.CHOICE:
        if decision := ticket_flow.on_choice(session, event, playbook):
            return decision
        session = ticket_flow.without_questions(session)
        for step in _CHOICE_STEPS:
            if decision := step(session, event, playbook):
                return decision
        return conversing.stale_choice(session, event, playbook)
    if event.message.kind is not MessageKind.TEXT:
        return small_talk.on_unreadable(session, event, playbook)
    if decision := ticket_flow.on_confirmation(session, event, playbook):
        return decision
    session = ticket_flow.without_questions(session)
    talking = ticket_flow.talking_ticket(session) is not None
    for step in _TEXT_STEPS:
        # While staff have the conversation, small talk and follow-ups are for them.
        if talking and step in (small_talk.on_small_talk, conversing.on_follow_up):
            continue
        if decision := step(session, event, playbook):
            return decision
    return conversing.start_search(session, event, playbook)
