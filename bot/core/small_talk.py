"""Everything that is no question about a trouble: greetings, thanks, hostility, nothing."""

from __future__ import annotations

import re

from bot.core.answering import handoff_buttons, simple_reply
from bot.core.concluding import conclude
from bot.core.effects import AddToTicket, Decision, Effect
from bot.core.events import MessageReceived
from bot.core.playbook import Playbook, bare
from bot.core.reply import Button, Status
from bot.core.session import Session
from bot.core.ticket_flow import talking_ticket
from retrieval.normalise import is_pinyin

# Phrase of kb/rules/phrases.yaml, how the turn ends, wording, topic. First match counts.
TABLE: tuple[tuple[str, Status, str, str], ...] = (
    ("wrongdoing", Status.SAFEGUARD_WRONGDOING, "safeguard.wrongdoing", "other-legal"),
    ("private", Status.SAFEGUARD_PRIVATE, "safeguard.private", "other-legal"),
    ("hostile", Status.SAFEGUARD_HOSTILE, "social.hostile", "not-legal"),
    ("greeting", Status.SOCIAL_GREETING, "social.greeting", "not-legal"),
    ("thanks", Status.SOCIAL_THANKS, "social.thanks", "not-legal"),
    ("goodbye", Status.SOCIAL_OTHER, "social.goodbye", "not-legal"),
    ("who_are_you", Status.SOCIAL_OTHER, "social.who", "not-legal"),
    ("help", Status.SOCIAL_OTHER, "social.help", "not-legal"),
    ("vague", Status.CLARIFY_EMPTY, "clarify.vague", "unclear"),
    ("upset", Status.CLARIFY_EMPTY, "clarify.upset", "unclear"),
    ("injection", Status.UNANSWERABLE_NOT_LEGAL, "none.not_legal", "not-legal"),
)
_WITHOUT_HUMAN = frozenset(
    {
        Status.SOCIAL_GREETING,
        Status.SOCIAL_THANKS,
        Status.SOCIAL_OTHER,
        Status.UNANSWERABLE_NOT_LEGAL,
    }
)
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


def on_unreadable(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    """Answer voice, pictures and the like; while staff have the conversation they see it."""
    ticket = talking_ticket(session)
    effects: tuple[Effect, ...] = (AddToTicket(code=ticket.code),) if ticket else ()
    lines = [playbook.say(f"unreadable.{event.message.kind.value}")]
    reply = simple_reply(Status.CLARIFY_EMPTY, lines, handoff_buttons(session.current, playbook))
    return conclude(session, event, playbook, reply, "unclear", *effects)


def on_small_talk(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Answer what needs no search; None if the message is a question."""
    folded = event.screened.folded
    words = bare(folded)
    if not any(c.isalnum() for c in words):
        key = "clarify.only_signs" if event.screened.text else "clarify.empty"
        return _talk(session, event, playbook, Status.CLARIFY_EMPTY, key, "unclear")
    for phrase, status, key, topic in TABLE:
        if playbook.is_phrase(phrase, folded):
            return _talk(session, event, playbook, status, key, topic)
    foreign = not _CHINESE.search(words) and len(_LETTER.findall(words)) >= 4
    ours = words in playbook.knowledge.provisions  # plan-12
    if foreign and not ours and not is_pinyin(words):
        return _talk(session, event, playbook, Status.SOCIAL_OTHER, "social.language", "unclear")
    return None


def _talk(
    session: Session, event: MessageReceived, playbook: Playbook, status: Status, key: str,
    topic: str,
) -> Decision:  # fmt: skip
    lines = playbook.say(key).strip().split("\n")
    if status is Status.SOCIAL_GREETING and not playbook.approved:
        lines.append(playbook.say("note.not_approved"))
    buttons: list[Button] = []
    if status not in _WITHOUT_HUMAN:
        buttons = handoff_buttons(session.current, playbook)
    return conclude(session, event, playbook, simple_reply(status, lines, buttons), topic)
