"""What the page sends -> `InboundMessage`; `StoredMessage` -> what the page shows. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from bot.core.choices import MAX_BYTES
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.playbook import CitationDetail
from bot.core.reply import Reply
from bot.storage.store import StoredMessage
from kb.value import value

CHANNEL = "web"
MAX_BODY = 16 * 1024
"""Bytes of one submission: some 5,000 characters of Chinese."""
MAX_LABEL = 100
_OWNER = 16
"""Digits of the sender's digest that stand before its keys, see `dedupe_key`."""


class SubmissionError(ValueError):
    """The page did not send what it should; nothing was stored. The text is for developers."""


@value
class Submission:
    """One message as the page sends it: ``text``, or ``choice`` with the ``text`` of its button.

    ``key`` is a random id made by the page; the same key means the same message.
    """

    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")]
    text: str | None = None
    choice: Annotated[str, Field(min_length=1, max_length=MAX_BYTES)] | None = None


_SUBMISSION = TypeAdapter(Submission)


def parse_submission(body: bytes) -> Submission:
    """Return what ``body`` says. Raises `SubmissionError`."""
    try:
        submission = _SUBMISSION.validate_json(body, strict=True)
    except ValidationError as error:
        # Only what kind of mistake: the input holds somebody's words, and this is logged.
        kinds = ", ".join(e["type"] for e in error.errors(include_input=False))
        raise SubmissionError(f"not a submission: {kinds}") from None
    if submission.choice is None and submission.text is None:
        raise SubmissionError("not a submission: send text or choice")
    return submission


def parse_message(
    submission: Submission, sender: str, received_at: datetime, address: str | None
) -> InboundMessage:
    """Return the message that ``submission`` is."""
    choice, text = submission.choice, submission.text or ""
    return InboundMessage(
        channel=CHANNEL,
        sender=sender,
        dedupe_key=dedupe_key(sender, submission.key),
        kind=MessageKind.TEXT if choice is None else MessageKind.CHOICE,
        text=text if choice is None else text[:MAX_LABEL],
        choice=choice,
        received_at=received_at,
        address=address,
    )


def dedupe_key(sender: str, key: str) -> str:
    """Return a key that is unique in the channel: pages of two people may make the same one."""
    return f"{sender[:_OWNER]}:{key}"


def render_updates(
    messages: Sequence[StoredMessage], *, thread: str, first: int, last: int, pause: int
) -> dict[str, Any]:
    """Return the answer to a poll.

    ``thread`` changes when the conversation is another one (its numbers then start again),
    ``first`` is the oldest line that still exists (what was deleted leaves the screen, too),
    ``pause`` is how many seconds the page should wait before it asks again.
    """
    return {
        "thread": thread,
        "messages": [render_message(m) for m in messages],
        "first": first,
        "last": last,
        "pause": pause,
    }


def render_message(message: StoredMessage) -> dict[str, Any]:
    """Return one line as the page shows it."""
    rendered: dict[str, Any] = {
        "seq": message.seq,
        "at": message.at.isoformat(),
        "author": message.author.value,
        "text": message.text,
    }
    if message.client_key:
        rendered["key"] = message.client_key.rpartition(":")[2]
    if message.staff_name:
        rendered["staff_name"] = message.staff_name
    if message.reply is not None:
        rendered["reply"] = render_reply(message.reply)
    return rendered


def render_reply(reply: Reply) -> dict[str, Any]:
    return {
        "status": reply.status.value,
        "blocks": [
            {
                "kind": block.kind.value,
                "heading": block.heading,
                "lines": [{"text": line.text, "marks": list(line.marks)} for line in block.lines],
            }
            for block in reply.blocks
        ],
        "citations": [
            {"number": c.number, "id": c.id, "title": c.title, "quote": c.quote, "note": c.note}
            for c in reply.citations
        ],
        "buttons": [
            {"choice": b.choice, "label": b.label, "style": b.style.value, "call": b.call}
            for b in reply.buttons
        ],
    }


def render_citation(detail: CitationDetail) -> dict[str, Any]:
    return {
        "id": detail.id,
        "title": detail.title,
        "note": detail.note,
        "paragraphs": list(detail.paragraphs),
    }
