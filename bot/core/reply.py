"""What the bot says, in the words of no channel."""

from __future__ import annotations

from enum import StrEnum

from kb.value import value


class Status(StrEnum):
    """How a turn ended. The first word is the family that statistics count by."""

    ANSWERED = "answered"
    CLARIFY_TOPIC = "clarify_topic"
    CLARIFY_DETAIL = "clarify_detail"
    CLARIFY_EMPTY = "clarify_empty"
    UNANSWERABLE_NOT_COVERED = "unanswerable_not_covered"
    UNANSWERABLE_NOT_LEGAL = "unanswerable_not_legal"
    SAFEGUARD_DANGER = "safeguard_danger"
    SAFEGUARD_WRONGDOING = "safeguard_wrongdoing"
    SAFEGUARD_PRIVATE = "safeguard_private"
    SAFEGUARD_HOSTILE = "safeguard_hostile"
    HANDOFF_INTAKE = "handoff_intake"
    HANDOFF_OPENED = "handoff_opened"
    HANDOFF_PROGRESS = "handoff_progress"
    SOCIAL_GREETING = "social_greeting"
    SOCIAL_THANKS = "social_thanks"
    SOCIAL_OTHER = "social_other"
    ERROR_BUSY = "error_busy"
    ERROR_INTERNAL = "error_internal"


class Urgency(StrEnum):
    DANGER = "danger"
    DEADLINE = "deadline"
    NORMAL = "normal"


class BlockKind(StrEnum):
    """How a block is shown; every channel has a plain-text form for each."""

    LEAD = "lead"
    """The one-sentence answer; shown first and largest."""
    TEXT = "text"
    STEPS = "steps"
    """A numbered list."""
    LIST = "list"
    QUOTE = "quote"
    """Words of a document, quoted exactly."""
    ALARM = "alarm"
    """Danger lines with numbers to call."""
    NOTE = "note"
    """Small print: validity, not yet approved."""
    STAFF = "staff"
    """Words of a member of staff; ``heading`` is the name shown."""


@value
class Line:
    """One sentence; ``marks`` are the numbers of its citations, from 1."""

    text: str
    marks: tuple[int, ...] = ()


@value
class Block:
    kind: BlockKind
    heading: str = ""
    lines: tuple[Line, ...]


@value
class Citation:
    """A source that can be opened. ``id`` is an entry id, a provision id or `law/NAME/ARTICLE`.

    ``quote`` is an exact quotation for provisions and our own words for laws and entries;
    ``note`` says which, and until when the source ran. ``choice`` opens it in channels that
    can only send buttons.
    """

    number: int
    id: str
    title: str
    quote: str
    note: str = ""
    choice: str = ""


class ButtonStyle(StrEnum):
    NORMAL = "normal"
    PRIMARY = "primary"
    DANGER = "danger"
    """Calls a number: ``call`` is set."""


@value
class Button:
    """Something to tap. ``choice`` comes back as `InboundMessage.choice`, at most 48 bytes."""

    choice: str
    label: str
    style: ButtonStyle = ButtonStyle.NORMAL
    call: str = ""
    """A telephone number; channels that can, dial it and send no choice."""


@value
class Judgement:
    """What the contract reports beside the text (see docs/contract.md)."""

    status: Status
    topic: str
    situation: str | None = None
    services: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    urgency: Urgency = Urgency.NORMAL
    handoff: str | None = None
    confidence: float = 0.0


@value
class Reply:
    """One message to the citizen."""

    status: Status
    blocks: tuple[Block, ...]
    citations: tuple[Citation, ...] = ()
    buttons: tuple[Button, ...] = ()


def plain_text(reply: Reply) -> str:
    """Return ``reply`` as text with numbered citations marked ［1］; for logs of `ask` and for
    channels without layout. Buttons and the list of citations are left to the channel."""
    parts: list[str] = []
    for block in reply.blocks:
        lines = [line.text + "".join(f"［{mark}］" for mark in line.marks) for line in block.lines]
        if block.kind is BlockKind.STEPS:
            lines = [f"{i}. {line}" for i, line in enumerate(lines, 1)]
        elif block.kind is BlockKind.LIST:
            lines = [f"· {line}" for line in lines]
        if block.heading:
            lines.insert(0, f"【{block.heading}】")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)
