"""Texts with what they are about: what the classifiers learn from."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kb.types import Kind, Knowledge
from kb.value import value

TRAINING = Path(__file__).parent / "training" / "topics"
"""Messages beside the entries' own phrasings; where they come from stands in README.md."""


@value
class Labelled:
    """``service`` is the one to go to first. None: the text does not tell."""

    text: str
    topic: str | None
    service: str | None = None


def load_messages(knowledge: Knowledge, folder: Path = TRAINING) -> list[Labelled]:
    """Return the messages of every `.jsonl` file in ``folder``: text, topic and services.

    Where services are not named the topic's own are meant.
    """
    messages = []
    for row in read_rows(folder):
        services = row.get("services") or knowledge.topics[row["topic"]].default
        first = services[0] if services else None
        messages.append(Labelled(text=row["text"], topic=row["topic"], service=first))
    return messages


def read_rows(folder: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of every `.jsonl` file in ``folder``, in the order of their names."""
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            yield json.loads(line)


def phrasings(knowledge: Knowledge) -> Iterator[Labelled]:
    """Yield the phrasings of all entries and provisions."""
    for entry in knowledge.entries.values():
        services = entry.services
        if entry.kind is Kind.SERVICE:
            services = (entry.id,)
        elif not services and entry.topic:
            services = knowledge.topics[entry.topic].default
        first = services[0] if services else None
        for text in entry.phrasings:
            yield Labelled(text=text, topic=entry.topic, service=first)
    for provision in knowledge.provisions.values():
        for text in provision.phrasings:
            yield Labelled(text=text, topic="plan-content")
