"""Labelled questions and the files they stand in.

`.jsonl`: one row a line. `.yaml`: a list of rows, or a mapping from the parts below to lists of
rows or plain texts. A row is ``{"text", "id", "topic", "services", "situation", "provisions",
"urgency", "scope"}``; only ``text`` is required, and other keys are somebody's notes. In YAML, a
row of nothing but ``id`` and ``text`` is a question on the situation or provision ``id``.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from kb.yamlfile import KnowledgeError, load_yaml

PARTS = {
    "dangerous": {"urgency": "danger"},
    "ordinary": {"urgency": "normal"},
    "not_legal": {"scope": "not_legal"},
    "empty": {"scope": "empty"},
    "near_legal": {"scope": "legal"},
}
"""What a part of a mapping says of the questions in it."""
SCOPES = {
    "legal": "legal",
    "not_legal": "not_legal",
    "not-legal": "not_legal",
    "empty": "empty",
    "unclear": "empty",
}
"""How a scope may be written: as here, or like the topic of the same meaning."""
SHAPE = 'a row is {"text": "...", "topic": "...", "services": ["..."]}'


class QuestionsError(ValueError):
    """The question file cannot be used; the message names the file, the row and what to write."""


@dataclass(frozen=True, slots=True)
class Question:
    """A labelled question. None or empty means that it has no such label."""

    id: str
    text: str
    topic: str | None = None
    services: tuple[str, ...] = ()
    """Best first."""
    situation: str | None = None
    provisions: tuple[str, ...] = ()
    urgency: str | None = None
    scope: str | None = None
    """`legal`, `not_legal` or `empty`: too little to see what is asked."""


@dataclass(frozen=True, slots=True)
class Known:
    """The ids that a row of nothing but ``id`` and ``text`` may name."""

    situations: frozenset[str]
    provisions: frozenset[str]


class _Row(BaseModel):
    """A row as it is written. Other keys are allowed: files are also made for other uses."""

    model_config = ConfigDict(extra="ignore")

    id: str | int | None = None
    text: str
    topic: str | None = None
    services: list[str] | None = None
    situation: str | None = None
    provisions: list[str] | None = None
    urgency: Literal["danger", "deadline", "normal"] | None = None
    scope: Literal["legal", "not_legal", "not-legal", "empty", "unclear"] | None = None


def load_questions(path: Path, known: Known | None = None) -> list[Question]:
    """Return the questions in ``path``. Raises `QuestionsError`.

    Without ``known``, a row of nothing but ``id`` and ``text`` stays without a label.
    """
    if path.suffix in (".yaml", ".yml"):
        questions = list(_from_yaml(path, known))
    else:
        questions = list(_from_lines(path))
    if not questions:
        raise QuestionsError(f"{path}: no questions in it")
    return questions


def _from_lines(path: Path) -> Iterator[Question]:
    try:
        # Editors on Windows put a byte order mark in front. Not splitlines(): it also breaks at
        # signs that may stand within a text, such as U+2028.
        lines = path.read_text(encoding="utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        raise QuestionsError(f"{path}: not UTF-8 (byte {error.start}); save it as UTF-8") from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            row = json.loads(line)
        except json.JSONDecodeError as error:
            raise QuestionsError(f"{where}: {error}; {SHAPE}") from error
        yield _question(where, str(number), row)


def _from_yaml(path: Path, known: Known | None) -> Iterator[Question]:
    try:
        file = load_yaml(path, str(path))
    except KnowledgeError as error:
        raise QuestionsError("\n".join(map(str, error.problems))) from error
    if isinstance(file.data, list):
        for i, row in enumerate(file.data):
            where = f"{path}:{file.line((i,))}: row {i + 1}"
            yield _question(where, str(i + 1), _resolved(where, row, known))
        return
    if not isinstance(file.data, dict):
        raise QuestionsError(f"{path}: neither a list of rows nor a mapping of {_names(PARTS)}")
    for part, rows in file.data.items():
        where = f"{path}:{file.line((part,))}: {part}"
        if part not in PARTS:
            raise QuestionsError(f"{where}: not a part; there are {_names(PARTS)}")
        if not isinstance(rows, list):
            raise QuestionsError(f"{where}: not a list of questions")
        for i, row in enumerate(rows):
            where = f"{path}:{file.line((part, i))}: row {i + 1} of {part}"
            row = {"text": row} if isinstance(row, str) else row
            labelled = {**row, **PARTS[part]} if isinstance(row, dict) else row
            yield _question(where, f"{part}-{i + 1}", labelled)


def _resolved(where: str, row: object, known: Known | None) -> object:
    """Turn the id of a row of nothing but ``id`` and ``text`` into the label that it is."""
    if known is None or not isinstance(row, dict) or row.keys() != {"id", "text"}:
        return row
    if row["id"] in known.situations:
        return {**row, "situation": row["id"]}
    if row["id"] in known.provisions:
        return {**row, "provisions": [row["id"]]}
    raise QuestionsError(
        f"{where}: {row['id']} is the id of no situation and of no provision; "
        "give the row a label (topic, services, ...) if it is only a name"
    )


def _question(where: str, name: str, row: Any) -> Question:
    try:
        checked = _Row.model_validate(row)
        json.dumps(checked.model_dump(), ensure_ascii=False).encode()
    except UnicodeEncodeError as error:  # "\ud800" alone is JSON, but no text that can be saved
        raise QuestionsError(f"{where}: half of a character (a lone surrogate)") from error
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        message = f"{field}: {first['msg']}" if field else first["msg"]
        raise QuestionsError(f"{where}: {message}; {SHAPE}") from error
    return Question(
        id=name if checked.id is None else str(checked.id),
        text=checked.text,
        topic=checked.topic,
        services=tuple(checked.services or ()),
        situation=checked.situation,
        provisions=tuple(checked.provisions or ()),
        urgency=checked.urgency,
        scope=SCOPES[checked.scope] if checked.scope else None,
    )


def _names(parts: dict[str, dict[str, str]]) -> str:
    return ", ".join(parts)
