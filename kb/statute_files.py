"""Read statutes from JSON lines, Markdown, plain text and .docx into articles.

A statute in text form has its title first, then lines of 编, 章 and 节, and articles that begin
with 第…条. The day it came into force is read from the text (自…起施行) unless the file says it.
"""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

from kb.numerals import NUMERAL, parse_article
from kb.statutes import effective_date, mend_article
from kb.value import value

MAX_DOCX = 50_000_000
"""Bytes of the text inside a .docx; more is no statute."""


class StatuteFileError(ValueError):
    """The file cannot be read as a statute; the message says why and what to do."""


@value
class StatuteArticle:
    """One article as imported. ``status`` is the database's word: 有效, 已废止, …, or 未知."""

    law: str
    article: str
    text: str
    chapter: str = ""
    status: str = "未知"
    effective: date | None = None


_HEAD = re.compile(rf"^[\s#*　]*(第(?:[{NUMERAL}]+|\d+)[编章节])[\s　]*(.*)$")
_ARTICLE = re.compile(
    rf"^[\s#*　]*(第(?:[{NUMERAL}]+|\d+)条(?:之[{NUMERAL}]+)?)[\s　:：]*(.*)$", re.S
)
_MARKS = re.compile(r"^[#>\s　]+|\*\*|__")
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


def read_statutes(path: Path) -> Iterator[StatuteArticle]:
    """Yield the articles in ``path``, by its ending. Raises `StatuteFileError`."""
    ending = "".join(path.suffixes[-1:]).lower()
    if ending == ".gz" or ending in (".jsonl", ".json"):
        yield from _read_json_lines(path)
    elif ending in (".md", ".markdown", ".txt", ""):
        yield from _read_text(path, _lines_of_text(path))
    elif ending == ".docx":
        yield from _read_text(path, _lines_of_docx(path))
    else:
        raise StatuteFileError(f"{path}：只认识 .jsonl（也可以 .gz）、.md、.txt 和 .docx")


def _read_json_lines(path: Path) -> Iterator[StatuteArticle]:
    import gzip

    opened = gzip.open if path.suffix == ".gz" else open
    try:
        with opened(path, "rt", encoding="utf-8") as lines:
            yield from _articles(path, lines)
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise StatuteFileError(f"{path} 打不开，或者不完整、不是 UTF-8（{error}）") from error


def _articles(path: Path, lines: Iterable[str]) -> Iterator[StatuteArticle]:
    for count, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            effective = row.get("effective") or None
            number, text = mend_article(row["article"], row["text"])
            yield StatuteArticle(
                law=row["law"].removeprefix("中华人民共和国"),
                article=parse_article(number) or number,
                text=text,
                chapter=row.get("chapter", ""),
                status=row.get("status") or "未知",
                effective=date.fromisoformat(effective) if effective else None,
            )
        except (json.JSONDecodeError, KeyError, TypeError, ValueError, AttributeError) as error:
            raise StatuteFileError(
                f'{path}:{count}：每行要写成 {{"law": "…", "article": "第一条", "text": "…"}}'
                f"（{error}）"
            ) from error


def _lines_of_text(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise StatuteFileError(f"{path}：不是 UTF-8 编码，请另存为 UTF-8") from error


def _lines_of_docx(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            if archive.getinfo("word/document.xml").file_size > MAX_DOCX:
                raise StatuteFileError(f"{path}：内容太大，不像一部法律")
            root = ElementTree.fromstring(archive.read("word/document.xml"))  # noqa: S314  # expat limits entity expansion; an operator's own file
    except (zipfile.BadZipFile, KeyError, ElementTree.ParseError, OSError) as error:
        raise StatuteFileError(f"{path}：打不开，请用 Word 另存为 .docx") from error
    return ["".join(t.text or "" for t in p.iter(f"{_W}t")) for p in root.iter(f"{_W}p")]


def _read_text(path: Path, lines: list[str]) -> Iterator[StatuteArticle]:
    kept = [_MARKS.sub("", line).strip(" \t　") for line in lines]
    title = next((line for line in kept if line), "")
    law = title.strip("《》").removeprefix("中华人民共和国")
    if not law or len(law) > 80 or _ARTICLE.match(title):
        raise StatuteFileError(f"{path}：第一行应当是法律的名称")
    found: list[tuple[str, str, list[str]]] = []
    chapter = ""
    for line in kept:
        if head := _HEAD.match(line):
            chapter = f"{head[1]} {head[2]}".strip()
        elif article := _ARTICLE.match(line):
            number = parse_article(article[1])
            if number is None:
                continue
            # The contents list repeats headings, never articles: a number once more is an error.
            found.append((number, chapter, [article[2].strip()] if article[2].strip() else []))
        elif found and line:
            found[-1][2].append(line)
    if not found:
        raise StatuteFileError(f"{path}：没有找到“第…条”，不像一部法律")
    seen: set[str] = set()
    for number, _, _ in found:
        if number in seen:
            raise StatuteFileError(f"{path}：{number}出现了两次。一个文件只放一部法律的一个版本")
        seen.add(number)
    day = effective_date(kept)
    for number, chapter, text in found:
        yield StatuteArticle(
            law=law, article=number, text="\n".join(text), chapter=chapter, effective=day
        )
