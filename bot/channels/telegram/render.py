"""From a line of a conversation to messages of the Bot API. Pure.

Layout is made with entities (ranges of plain text), not with HTML: there is nothing to
escape, and nothing that a person wrote can become markup.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from bot.core.reply import Block, BlockKind, Button, Reply
from bot.storage.store import StoredMessage

MAX_UNITS = 4096
"""UTF-16 units of one message. Telegram's own limit; it counts an emoji as two."""
MAX_CALLBACK_BYTES = 64
ROW_WIDTH = 20
"""Characters of Chinese that fit side by side on a small phone, with the buttons' edges."""
BUTTON_EDGE = 2
LINE, PARAGRAPH = "\n", "\n\n"

Say = Callable[..., str]
"""`Playbook.say`: the wording of a key, with values filled in."""
Payload = dict[str, Any]
"""Parameters of `sendMessage`, but for the chat."""


class _Style(StrEnum):
    """Types of entities."""

    PLAIN = ""
    BOLD = "bold"
    QUOTE = "blockquote"
    FOLDED = "expandable_blockquote"


class _Run(NamedTuple):
    """Text of one style. A long one may be cut anywhere between two sentences."""

    text: str
    style: _Style = _Style.PLAIN


_Paragraph = list[_Run]
"""Lines that belong together."""

_BLOCK_STYLES = {
    BlockKind.LEAD: _Style.BOLD,
    BlockKind.ALARM: _Style.BOLD,
    BlockKind.QUOTE: _Style.QUOTE,
}
_SENTENCE_END = re.compile(r"[。！？；!?;\n]+[”’」』）)]*|[.](?=\s)|……")
_JOINER = "\u200d"


def render_reply(message: StoredMessage, say: Say) -> list[Payload]:
    """Return what has to be sent for ``message``, in order; [] if it says nothing.

    Buttons stand under the last message. Numbers to call are lines of text, since buttons
    here cannot dial.
    """
    if message.reply is None:
        heading = say("telegram.staff", name=message.staff_name) if message.staff_name else ""
        paragraphs = [_lines(heading, message.text.split("\n"), _Style.PLAIN)]
        keyboard: list[list[Payload]] = []
    else:
        paragraphs = _paragraphs(message.reply, say)
        keyboard = _keyboard(message.reply, say)
    payloads = [piece.payload() for piece in _pack(paragraphs) if piece.text.strip()]
    if payloads and keyboard:
        payloads[-1]["reply_markup"] = {"inline_keyboard": keyboard}
    return payloads


# -- text ------------------------------------------------------------------------------


def _paragraphs(reply: Reply, say: Say) -> list[_Paragraph]:
    paragraphs = [_block(block) for block in reply.blocks]
    calls = [_Run(_call_line(button, say)) for button in reply.buttons if button.call]
    titles: dict[str, list[str]] = {}  # of the citations that share a note
    for citation in reply.citations:
        titles.setdefault(citation.note, []).append(f"［{citation.number}］{citation.title}")
    sources = [
        _Run("\n".join(filter(None, (*each, note))), _Style.FOLDED) for note, each in titles.items()
    ]
    if sources:
        sources.insert(0, _Run(say("telegram.sources"), _Style.BOLD))
    return [paragraph for paragraph in (*paragraphs, calls, sources) if paragraph]


def _block(block: Block) -> _Paragraph:
    lines = [line.text + "".join(f"［{mark}］" for mark in line.marks) for line in block.lines]
    if block.kind is BlockKind.STEPS:
        lines = [f"{number}. {line}" for number, line in enumerate(lines, 1)]
    elif block.kind is BlockKind.LIST:
        lines = [f"· {line}" for line in lines]
    return _lines(block.heading, lines, _BLOCK_STYLES.get(block.kind, _Style.PLAIN))


def _lines(heading: str, lines: Sequence[str], style: _Style) -> _Paragraph:
    paragraph = [_Run(heading, _Style.BOLD)] if heading else []
    return paragraph + [_Run(line, style) for line in lines]


def _call_line(button: Button, say: Say) -> str:
    key = "telegram.call" if button.call in button.label else "telegram.call_number"
    return say(key, label=button.label, number=button.call)


# -- pieces ----------------------------------------------------------------------------


def _units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)


class _Piece:
    """One message in the making."""

    def __init__(self) -> None:
        self.text = ""
        self.units = 0
        self.entities: list[Payload] = []

    def room(self, gap: str) -> int:
        """Units that are left after ``gap``, which a first line does not need."""
        return MAX_UNITS - self.units - (len(gap) if self.text else 0)

    def add(self, run: _Run, gap: str) -> None:
        gap = gap if self.text else ""
        start, length = self.units + len(gap), _units(run.text)
        self.text += gap + run.text
        self.units = start + length
        if not run.style or not length:
            return
        last = self.entities[-1] if self.entities else None
        follows = last is not None and last["offset"] + last["length"] + len(gap) == start
        if last and follows and last["type"] == run.style and gap != PARAGRAPH:
            last["length"] += len(gap) + length  # the next line of the same quotation
        else:
            self.entities.append({"type": run.style.value, "offset": start, "length": length})

    def payload(self) -> Payload:
        # A preview would fetch a page that the citizen never asked for.
        payload: Payload = {"text": self.text, "link_preview_options": {"is_disabled": True}}
        if self.entities:
            payload["entities"] = self.entities
        return payload


def _pack(paragraphs: Sequence[_Paragraph]) -> list[_Piece]:
    """Fill pieces, and begin a new one between paragraphs, lines or sentences, in this order."""
    pieces = [_Piece()]
    for paragraph in paragraphs:
        size = sum(_units(run.text) + 1 for run in paragraph) - 1
        if pieces[-1].room(PARAGRAPH) < size <= MAX_UNITS:
            pieces.append(_Piece())
        gap = PARAGRAPH
        for run in paragraph:
            for part in _cut(run.text):
                if pieces[-1].room(gap) < _units(part):
                    pieces.append(_Piece())
                pieces[-1].add(_Run(part, run.style), gap)
                gap = ""  # within one line
            gap = LINE
    return pieces


def _cut(text: str) -> Iterator[str]:
    """Yield ``text`` in parts of at most `MAX_UNITS`, whole sentences where possible."""
    while _units(text) > MAX_UNITS:
        end = _fitting(text)
        sentences = [match.end() for match in _SENTENCE_END.finditer(text, 0, end)]
        # A very early end would make a tiny message: rather cut within the sentence.
        end = sentences[-1] if sentences and sentences[-1] > end // 2 else _whole(text, end)
        yield text[:end]
        text = text[end:]
    yield text


def _fitting(text: str) -> int:
    """Return how many characters of ``text`` fit. Python's characters are never half pairs."""
    units = 0
    for index, character in enumerate(text):
        units += 2 if character > "\uffff" else 1
        if units > MAX_UNITS:
            return index
    return len(text)


def _whole(text: str, end: int) -> int:
    """Return the last place up to ``end`` that cuts no picture of several characters."""
    for place in range(end, max(end - 32, 0), -1):
        if text[place - 1] != _JOINER and not _joins(text[place]):
            return place
    return end


def _joins(character: str) -> bool:
    """Whether ``character`` belongs to the one before: joiners, accents, colours of skin."""
    return (
        character == _JOINER
        or unicodedata.category(character) in ("Mn", "Me")
        or "\U0001f3fb" <= character <= "\U0001f3ff"
    )


# -- buttons ---------------------------------------------------------------------------


def _keyboard(reply: Reply, say: Say) -> list[list[Payload]]:
    buttons = [(b.label, b.choice) for b in reply.buttons if not b.call]
    sources = [(say("telegram.source", number=c.number), c.choice) for c in reply.citations]
    return [*_rows(buttons), *_rows(sources)]


def _rows(buttons: Sequence[tuple[str, str]]) -> Iterator[list[Payload]]:
    """Put short buttons side by side."""
    row: list[Payload] = []
    width = 0
    for label, choice in buttons:
        if not label or not 0 < len(choice.encode()) <= MAX_CALLBACK_BYTES:
            continue  # Telegram would refuse the whole message
        needed = len(label) + BUTTON_EDGE
        if row and width + needed > ROW_WIDTH:
            yield row
            row, width = [], 0
        row.append({"text": label, "callback_data": choice})
        width += needed
    if row:
        yield row
