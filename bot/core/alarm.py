"""What is said when somebody is in danger: numbers first, never a form."""

from __future__ import annotations

from dataclasses import replace

from bot.core.answering import call_button, handoff_buttons
from bot.core.concluding import conclude
from bot.core.effects import AddToTicket, Decision, Effect, RaiseTicket
from bot.core.events import MessageReceived
from bot.core.playbook import Playbook
from bot.core.reply import Block, BlockKind, Judgement, Line, Reply, Status, Urgency
from bot.core.session import Session
from bot.core.ticket_flow import open_tickets, talking_ticket, without_questions


def on_danger(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    """Answer at once, pause any form, and alert whoever has a ticket of this person."""
    danger = event.screened.danger
    assert danger is not None
    lines = playbook.say(f"danger.{danger.kind}").strip().split("\n")
    notes = [playbook.say("danger.after")]
    if session.intake is not None and not session.intake.paused:
        session = replace(session, intake=replace(session.intake, paused=True))
        notes.append(playbook.say("intake.paused_by_danger"))
    effects: list[Effect] = []
    ticket = talking_ticket(session) or next(iter(open_tickets(session)), None)
    if ticket is not None:
        raised = RaiseTicket(code=ticket.code, danger=danger.kind)
        effects += [AddToTicket(code=ticket.code), raised]
        notes.append(playbook.say("danger.staff_alerted"))
    buttons = [call_button(number, playbook) for number in danger.numbers]
    reply = Reply(
        status=Status.SAFEGUARD_DANGER,
        blocks=(
            Block(kind=BlockKind.ALARM, lines=tuple(Line(text=line) for line in lines)),
            Block(kind=BlockKind.TEXT, lines=tuple(Line(text=note) for note in notes)),
        ),
        buttons=(*buttons, *handoff_buttons(session.current, playbook)),
    )
    judgement = Judgement(
        status=reply.status,
        topic=danger.topic,
        services=danger.services,
        urgency=Urgency.DANGER,
        confidence=1.0,
    )
    session = replace(without_questions(session), choices=(), adding_to=None)
    return conclude(session, event, playbook, reply, judgement, *effects)
