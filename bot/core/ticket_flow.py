"""What a citizen and a ticket have to do with each other.

进度, 补充, 撤回, 我的数据, 删除我的信息 work at any time, in the middle of a form and while
staff have the conversation. While staff have it, what the citizen writes goes to them with
one acknowledgement, unless it is clearly about another matter.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from bot.core.answering import call_button, handoff_buttons, simple_reply
from bot.core.choices import Verb, parse_choice, render_choice
from bot.core.concluding import conclude
from bot.core.effects import (
    AddToTicket,
    Decision,
    Effect,
    ExportConversation,
    ForgetConversation,
    Say,
    WithdrawTicket,
)
from bot.core.events import MessageReceived, SearchCompleted, TicketActed
from bot.core.handoff import OPEN_STATES, Ticket, TicketAction, TicketState
from bot.core.playbook import Playbook, bare
from bot.core.reply import Block, BlockKind, Button, ButtonStyle, Line, Reply, Status
from bot.core.session import Session

SHOWN = 3
"""Tickets listed by 进度; older ones can be asked for by code."""


def open_tickets(session: Session) -> tuple[Ticket, ...]:
    """Return the conversation's tickets that are not over, newest first."""
    return tuple(t for t in session.tickets if t.state in OPEN_STATES)


def talking_ticket(session: Session) -> Ticket | None:
    """Return the ticket whose owner has the conversation, or None."""
    return next((t for t in session.tickets if t.talking), None)


# -- the citizen's own commands ---------------------------------------------------------


def on_confirmation(
    session: Session, event: MessageReceived, playbook: Playbook
) -> Decision | None:
    """Take the message as the answer to "delete?" or "withdraw?" if that was asked last."""
    if session.forget_asked and playbook.is_phrase("confirm_forget", event.screened.folded):
        return _forget(session, event, playbook)
    if session.withdrawing:
        return _answered_withdraw(without_questions(session), event, playbook, session.withdrawing)
    return None


def without_questions(session: Session) -> Session:
    """Return ``session`` without a confirmation that was asked for and passed over."""
    if not session.forget_asked and not session.withdrawing:
        return session
    return replace(session, forget_asked=False, withdrawing=())


def on_command(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Handle 进度, 补充, 撤回, 我的数据 and 删除我的信息."""
    folded = event.screened.folded
    if playbook.is_phrase("progress", folded) or event.named is not None:
        return _progress(session, event, playbook)
    if playbook.is_phrase("my_data", folded):
        reply = simple_reply(Status.SOCIAL_OTHER, [playbook.say("data.export")])
        return conclude(session, event, playbook, reply, None, ExportConversation())
    if playbook.is_phrase("forget", folded):
        return _ask_forget(session, event, playbook)
    in_form = session.intake is not None and not session.intake.paused
    if playbook.is_phrase("withdraw", folded) and not in_form:  # in a form 取消 is about it
        return _ask_withdraw(session, event, playbook)
    return _add_command(session, event, playbook)


def _add_command(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    match = re.match(
        r"\s*(?:我要|我想)?(?:再)?补充(?:一下|说明|材料|情况)?[，,：:\s]*", event.screened.text
    )
    if match is None or (session.intake is not None and not session.intake.paused):
        return None
    tickets = open_tickets(session)
    if not tickets:
        reply = simple_reply(
            Status.HANDOFF_PROGRESS, [playbook.say("ticket.none")],
            handoff_buttons(session.current, playbook),
        )  # fmt: skip
        return conclude(session, event, playbook, reply)
    ticket = talking_ticket(session) or tickets[0]
    if len(bare(event.screened.folded)) <= len(bare(match[0])) + 1:
        session = replace(session, adding_to=ticket.code)
        reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.add_what")])
        return conclude(session, event, playbook, reply, ticket.topic)
    return _added(session, event, playbook, ticket)


def on_addition(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Take the message as the addition that was asked for."""
    ticket = next((t for t in open_tickets(session) if t.code == session.adding_to), None)
    if ticket is None:
        return None
    if playbook.is_phrase("cancel", event.screened.folded):
        session = replace(session, adding_to=None)
        reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.add_cancelled")])
        return conclude(session, event, playbook, reply, ticket.topic)
    return _added(session, event, playbook, ticket)


def _added(
    session: Session, event: MessageReceived, playbook: Playbook, ticket: Ticket
) -> Decision:
    reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.added")])
    session = replace(session, adding_to=None)
    return conclude(session, event, playbook, reply, ticket.topic, AddToTicket(code=ticket.code))


def _progress(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    named = event.named
    if named is not None:
        own = next((t for t in session.tickets if t.code == named.code), None)
        if own is None:
            # Another conversation: the code opens the state, never the content.
            reply = simple_reply(Status.HANDOFF_PROGRESS, _describe(named, playbook))
            return conclude(session, event, playbook, reply, named.topic)
        return show_progress(session, event, playbook, [own])
    tickets = (open_tickets(session) or session.tickets)[:SHOWN]
    if tickets:
        return show_progress(session, event, playbook, tickets)
    lines = [playbook.say("ticket.none")]
    if session.intake is not None:
        lines.append(playbook.say("intake.unfinished"))
    reply = simple_reply(Status.HANDOFF_PROGRESS, lines, handoff_buttons(session.current, playbook))
    return conclude(session, event, playbook, reply)


def show_progress(
    session: Session, event: MessageReceived, playbook: Playbook, tickets: Sequence[Ticket],
    opening: str = "",
) -> Decision:  # fmt: skip
    """Tell how the conversation's own ``tickets`` (at least one) stand."""
    described = [_describe(ticket, playbook) for ticket in tickets]
    if opening:
        described.insert(0, [opening])
    blocks = tuple(
        Block(kind=BlockKind.TEXT, lines=tuple(Line(text=text) for text in lines))
        for lines in described
    )
    buttons = [b for t in tickets if t.state in OPEN_STATES for b in _ticket_buttons(t, playbook)]
    reply = Reply(
        status=Status.HANDOFF_PROGRESS,
        blocks=blocks,
        buttons=(*buttons, call_button("12348", playbook)),
    )
    return conclude(session, event, playbook, reply, tickets[0].topic)


def progress_button(playbook: Playbook) -> Button:
    """Return the button that asks for 进度."""
    choice = render_choice(Verb.COMMAND, 0, "progress")
    return Button(choice=choice, label=playbook.say("button.progress"))


def _describe(ticket: Ticket, playbook: Playbook) -> list[str]:
    lines = [
        playbook.say(
            "ticket.headline",
            kind=playbook.say(f"kind.{ticket.kind}"),
            code=ticket.code,
            state=playbook.say(f"state.{ticket.state}"),
        )
    ]
    if ticket.owner_name and ticket.state in OPEN_STATES:
        lines.append(playbook.say("ticket.owner", name=ticket.owner_name))
    if ticket.state is TicketState.CLOSED and ticket.outcome is not None:
        lines.append(playbook.say(f"outcome.{ticket.outcome}"))
    lines.append(playbook.say(f"next.{ticket.state}"))
    return lines


def _ticket_buttons(ticket: Ticket, playbook: Playbook) -> list[Button]:
    return [
        Button(
            choice=render_choice(Verb.TICKET, ticket.matter, f"{action}-{ticket.code}"),
            label=playbook.say(f"button.{action}", code=ticket.code),
        )
        for action in ("add", "withdraw")
    ]


def on_choice(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Handle the buttons under 进度 and the confirmations."""
    choice = parse_choice(event.message.choice or "")
    if choice is None:
        return None
    if choice.verb is Verb.COMMAND and choice.argument == "progress":
        return _progress(session, event, playbook)
    if choice.verb is Verb.FORGET:
        if choice.argument == "yes" and session.forget_asked:
            return _forget(session, event, playbook)
        reply = simple_reply(Status.SOCIAL_OTHER, [playbook.say("data.kept")])
        return conclude(without_questions(session), event, playbook, reply)
    session = without_questions(session)
    if choice.verb is not Verb.TICKET:
        return None
    action, _, code = choice.argument.partition("-")
    ticket = next((t for t in open_tickets(session) if t.code == code), None)
    if ticket is None:
        return None
    match action:
        case "add":
            session = replace(session, adding_to=code)
            reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.add_what")])
            return conclude(session, event, playbook, reply, ticket.topic)
        case "withdraw":
            return _ask_withdraw(session, event, playbook, ticket)
        case "gone":
            return _withdraw(session, event, playbook, ticket)
        case "keep":
            return _keep(session, event, playbook, ticket)
        case _:
            return None


def _withdraw(
    session: Session, event: MessageReceived, playbook: Playbook, ticket: Ticket
) -> Decision:
    reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.withdrawn")])
    effect = WithdrawTicket(code=ticket.code)
    return conclude(session, event, playbook, reply, ticket.topic, effect)


def _keep(session: Session, event: MessageReceived, playbook: Playbook, ticket: Ticket) -> Decision:
    reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.kept")])
    return conclude(session, event, playbook, reply, ticket.topic)


def _answered_withdraw(
    session: Session, event: MessageReceived, playbook: Playbook, asked: tuple[str, ...]
) -> Decision | None:
    """Understand a typed answer to "withdraw or keep?": yes, no, or the number of a button."""
    folded = event.screened.folded
    tickets = [t for t in open_tickets(session) if t.code in asked]
    if not tickets:
        return None
    if playbook.is_phrase("no", folded) or playbook.is_phrase("keep", folded):
        return _keep(session, event, playbook, tickets[0])
    number = bare(folded)
    if number.isdecimal() and 1 <= int(number[:3]) <= len(tickets):
        return _withdraw(session, event, playbook, tickets[int(number[:3]) - 1])
    sure = any(playbook.is_phrase(name, folded) for name in ("yes", "withdraw", "withdraw_yes"))
    if sure and len(tickets) == 1:
        return _withdraw(session, event, playbook, tickets[0])
    return _ask_withdraw(session, event, playbook) if sure else None


def _ask_withdraw(
    session: Session, event: MessageReceived, playbook: Playbook, ticket: Ticket | None = None
) -> Decision:
    tickets = (ticket,) if ticket else open_tickets(session)
    if not tickets:
        reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.none")])
        return conclude(session, event, playbook, reply)
    buttons = [
        Button(
            choice=render_choice(Verb.TICKET, t.matter, f"gone-{t.code}"),
            label=playbook.say("button.confirm_withdraw", kind=playbook.say(f"kind.{t.kind}"),
                               code=t.code),
        )
        for t in tickets[:SHOWN]
    ]  # fmt: skip
    keep = render_choice(Verb.TICKET, tickets[0].matter, f"keep-{tickets[0].code}")
    buttons.append(Button(choice=keep, label=playbook.say("button.keep")))
    reply = simple_reply(Status.HANDOFF_PROGRESS, [playbook.say("ticket.withdraw_sure")], buttons)
    session = replace(session, withdrawing=tuple(t.code for t in tickets[:SHOWN]))
    return conclude(session, event, playbook, reply, tickets[0].topic)


def _ask_forget(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    buttons = [
        Button(
            choice=render_choice(Verb.FORGET, 0, "yes"),
            label=playbook.say("button.confirm_forget"),
            style=ButtonStyle.PRIMARY,
        ),
        Button(choice=render_choice(Verb.FORGET, 0, "no"), label=playbook.say("button.keep")),
    ]
    lines = [playbook.say("data.forget_sure")]
    if open_tickets(session):
        lines.append(playbook.say("data.forget_tickets"))
    reply = simple_reply(Status.SOCIAL_OTHER, lines, buttons)
    return conclude(replace(session, forget_asked=True), event, playbook, reply)


def _forget(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    empty = Session(conversation=session.conversation, channel=session.channel)
    reply = simple_reply(Status.SOCIAL_OTHER, [playbook.say("data.forgotten")])
    return Decision(session=empty, effects=(ForgetConversation(), Say(reply=reply)))


# -- while staff have the conversation -----------------------------------------------------


def while_talking(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Forward what is no question; a question is searched, it may be about another matter."""
    ticket = talking_ticket(session)
    if ticket is None or playbook.is_phrase("asks", event.screened.folded):
        return None
    return forward_to_staff(session, event, playbook, ticket)


def forward_to_staff(
    session: Session, event: MessageReceived | SearchCompleted, playbook: Playbook, ticket: Ticket
) -> Decision:
    """Give the message to the ticket's owner, with one acknowledgement."""
    add: Effect = AddToTicket(code=ticket.code)
    if session.acknowledged_at is not None:
        return Decision(session=session, effects=(add,))
    lines = [playbook.say("talking.acknowledged", name=ticket.owner_name)]
    reply = simple_reply(Status.HANDOFF_PROGRESS, lines)
    session = replace(session, acknowledged_at=event.at)
    return conclude(session, event, playbook, reply, ticket.topic, add)


# -- what staff and the system do --------------------------------------------------------------

_TOLD = {
    TicketAction.CLAIM: "told.claim",
    TicketAction.HAND_BACK: "told.hand_back",
    TicketAction.TRANSFER: "told.transfer",
    TicketAction.CLOSE: "told.close",
    TicketAction.REOPEN: "told.reopen",
}


def on_acted(session: Session, event: TicketActed, playbook: Playbook) -> Decision:
    """Tell the citizen what happened to the ticket; inner notes are never told."""
    ticket = next((t for t in session.tickets if t.code == event.code), None)
    if ticket is None:
        return Decision(session=session, effects=())
    kind = playbook.say(f"kind.{ticket.kind}")
    if event.action is TicketAction.REPLY:
        session = replace(session, acknowledged_at=None)
        lines = tuple(Line(text=line) for line in event.text.split("\n"))
        heading = playbook.say("told.reply", name=event.staff_name)
        block = Block(kind=BlockKind.STAFF, heading=heading, lines=lines)
        reply = Reply(status=Status.HANDOFF_PROGRESS, blocks=(block,))
        return Decision(session=session, effects=(Say(reply=reply),))
    key = _TOLD.get(event.action)
    if event.action is TicketAction.SILENCE and ticket.state is TicketState.WAITING:
        key = "told.silence"
    if key is None:
        return Decision(session=session, effects=())
    session = replace(session, acknowledged_at=None)
    text = [playbook.say(key, kind=kind, code=ticket.code, name=event.staff_name)]
    if event.action is TicketAction.CLOSE:
        if ticket.outcome is not None:
            text.append(playbook.say(f"outcome.{ticket.outcome}"))
        if event.text:
            text.append(event.text)
        text.append(playbook.say("told.close_more"))
    reply = simple_reply(Status.HANDOFF_PROGRESS, text)
    return Decision(session=session, effects=(Say(reply=reply),))
