"""The parser of the three city documents: from the text as received to 91 provisions.

The text is cut into segments that cover every character exactly once; nothing is
dropped and nothing stands twice (`tests/kb/test_sources.py` proves it). What a citizen
reads is normalised by the named rules below, and the original stays beside it.

Layout of the source, one paragraph a line: `plan` numbers its provisions （一）to
（三十六） inside chapters 一、二、…; `gov` and `soc` number theirs 1. to 30. and 1. to
25. inside sections （一）… inside chapters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb.numerals import NUMERAL, parse_numeral
from kb.types import Document, Provision


class SourceError(ValueError):
    """The source does not have the layout that the parser expects; says where it stopped."""


class Part(StrEnum):
    """What a stretch of the source is."""

    TITLE = "title"
    PREAMBLE = "preamble"
    CHAPTER = "chapter"
    SECTION = "section"
    PROVISION = "provision"


@dataclass(frozen=True, slots=True)
class Segment:
    """``source[start:end]`` is one part of ``document``; line ends belong to the segment before."""

    document: str
    part: Part
    start: int
    end: int


# -- normalisation, each rule with a name ---------------------------------------


def variant_characters(text: str) -> str:
    """Scanned variant forms back to the standard character: 査 -> 查."""
    return text.replace("査", "查")


def stray_spaces(text: str) -> str:
    """Spaces that scanning left between characters; Chinese text has none."""
    return re.sub(r"[ \u3000\t]+", "", text)


def dashes(text: str) -> str:
    """A damaged dash (—-) becomes ——; a hyphen between years becomes —."""
    return re.sub(r"(\d)-(\d)", r"\1—\2", text.replace("—-", "——"))


def middle_dots(text: str) -> str:
    """The katakana dot (12・4) becomes the Chinese middle dot (12·4)."""
    return text.replace("・", "·")


def chinese_punctuation(text: str) -> str:
    """ASCII , ; : ( ) become full width. % + and the dot of `1.` stay."""
    return text.translate(str.maketrans(",;:()", "，；：（）"))


RULES: tuple[Callable[[str], str], ...] = (
    variant_characters,
    stray_spaces,
    dashes,
    middle_dots,
    chinese_punctuation,
)


def normalise(text: str) -> str:
    """Return ``text`` with every rule of `RULES` applied, in order."""
    for rule in RULES:
        text = rule(text)
    return text


# -- cutting ---------------------------------------------------------------------

_CHAPTER = re.compile(rf"[{NUMERAL}]+、")
_PAREN = re.compile(rf"[(（]([{NUMERAL}]+)[)）][ \u3000]?")
_ARABIC = re.compile(r"(\d+)[.．、]")


def split_source(source: str, documents: Sequence[Document]) -> list[Segment]:
    """Return segments that cover ``source`` from its first to its last character.

    Raises `SourceError` when a document is not found or a number is out of order.
    """
    segments: list[Segment] = []
    pending = list(documents)
    current: Document | None = None
    expected = 1
    offset = 0
    for line in source.splitlines(keepends=True):
        start, end = offset, offset + len(line)
        offset = end
        if pending and line.startswith(pending[0].opens_with):
            current, expected = pending.pop(0), 1
            part = Part.TITLE if current.title_line else Part.PREAMBLE
            segments.append(Segment(current.id, part, start, end))
            continue
        if current is None:
            raise SourceError(f"text before the first document: {line[:20]!r}")
        id_ = current.id
        label = (_PAREN if current.numbering == "chinese" else _ARABIC).match(line)
        if _CHAPTER.match(line):
            segments.append(Segment(id_, Part.CHAPTER, start, end))
        elif label:
            number = parse_numeral(label[1])
            if number != expected:
                raise SourceError(f"{id_}: expected number {expected}, found {line[:12]!r}")
            expected += 1
            segments.append(Segment(id_, Part.PROVISION, start, end))
        elif _PAREN.match(line):
            segments.append(Segment(id_, Part.SECTION, start, end))
        elif segments[-1].part is Part.PROVISION:  # a further paragraph of it
            segments[-1] = Segment(id_, Part.PROVISION, segments[-1].start, end)
        else:  # the opening words of a document or of a chapter
            segments.append(Segment(id_, Part.PREAMBLE, start, end))
    if pending:
        raise SourceError(f"not found in the source: {[d.id for d in pending]}")
    return segments


def parse_provisions(source: str, documents: Sequence[Document]) -> list[Provision]:
    """Return the provisions of ``source`` with their final ids, in order."""
    by_id = {d.id: d for d in documents}
    provisions: list[Provision] = []
    chapter = section = ""
    counts = dict.fromkeys(by_id, 0)
    for segment in split_source(source, documents):
        raw = source[segment.start : segment.end].rstrip("\n")
        match segment.part:
            case Part.TITLE:
                chapter = section = ""
            case Part.CHAPTER:
                chapter, section = normalise(raw), ""
            case Part.SECTION:
                section = normalise(raw)
            case Part.PROVISION:
                counts[segment.document] += 1
                provisions.append(
                    _provision(by_id[segment.document], counts, chapter, section, raw)
                )
            case Part.PREAMBLE:
                pass
    for id_, document in by_id.items():
        if not counts[id_]:
            raise SourceError(f"{document.title}: no provision found")
    return provisions


def _provision(
    document: Document, counts: dict[str, int], chapter: str, section: str, raw: str
) -> Provision:
    id_, number = document.id, counts[document.id]
    pattern = _PAREN if document.numbering == "chinese" else _ARABIC
    label = pattern.match(raw)
    assert label  # split_source matched it
    text = "\n".join(normalise(line) for line in raw[label.end() :].split("\n"))
    heading, _, body = text.partition("。")
    return Provision(
        id=f"{id_}-{number}",
        document=id_,
        number=number,
        label=f"（{label[1]}）" if document.numbering == "chinese" else label[1],
        chapter=chapter,
        section=section,
        heading=heading,
        text=body.lstrip("\n"),
        original=raw,
    )
