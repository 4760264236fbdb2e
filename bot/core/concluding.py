"""The end of every turn: say something and record how it was judged."""

from __future__ import annotations

from dataclasses import replace

from bot.core.choices import Verb, render_choice
from bot.core.effects import Decision, Effect, RecordAnswer, Say
from bot.core.events import MessageReceived, SearchCompleted
from bot.core.playbook import Playbook
from bot.core.reply import Block, BlockKind, Button, ButtonStyle, Judgement, Line, Reply
from bot.core.session import Session, matter_of


def conclude(
    session: Session,
    event: MessageReceived | SearchCompleted,
    playbook: Playbook,
    reply: Reply,
    judgement: Judgement | str | None = None,
    *effects: Effect,
) -> Decision:
    """Return the decision that says ``reply``.

    ``judgement`` may be just a topic; None means the topic of the current matter.
    """
    if judgement is None:
        matter = matter_of(session, session.current)
        judgement = matter.topic if matter else "unclear"
    if isinstance(judgement, str):
        judgement = Judgement(status=reply.status, topic=judgement)
    if judgement.status is not reply.status:
        judgement = replace(judgement, status=reply.status)
    reply = _remind_of_form(session, reply, playbook)
    record = RecordAnswer(
        judgement=judgement, redacted=event.screened.redacted, bundle=playbook.bundle
    )
    return Decision(session=session, effects=(Say(reply=reply), record, *effects))


def _remind_of_form(session: Session, reply: Reply, playbook: Playbook) -> Reply:
    """Say that a form is still open when something else was answered in its middle."""
    draft = session.intake
    if draft is None or draft.paused or reply.status.value.startswith("handoff_"):
        return reply
    note = Block(kind=BlockKind.NOTE, lines=(Line(text=playbook.say("intake.still_open")),))
    choice = render_choice(Verb.INTAKE, 0, "resume")
    resume = Button(choice=choice, label=playbook.say("button.resume"), style=ButtonStyle.PRIMARY)
    return replace(reply, blocks=(*reply.blocks, note), buttons=(resume, *reply.buttons))
