"""What every system of `benchmark retrieval` is given, and what it answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = "task.json"
CATALOGUE = "catalogue.sqlite"
"""The knowledge that our own search is built from, in the folder of the task."""


@dataclass(frozen=True, slots=True)
class Document:
    """A candidate as the other systems see it: the same words that ours is built from."""

    id: str
    topic: str | None
    title: str
    text: str
    phrasings: tuple[str, ...]

    @property
    def whole(self) -> str:
        return "\n".join((self.title, self.text, *self.phrasings))


@dataclass(frozen=True, slots=True)
class Task:
    """The same for all systems; lies as JSON in ``folder``, with the `CATALOGUE`."""

    folder: Path
    documents: tuple[Document, ...]
    messages: tuple[tuple[str, str | None, str | None], ...]
    """(text, topic, first service) to learn from, beside the phrasings."""
    phrasings: tuple[tuple[str, str | None], ...]
    """(text, topic) of all phrasings, to learn from."""
    questions: tuple[str, ...]
    dialect: Any
    """Our list of dialect words, as parsed from YAML; None for no list."""
    encoder: str
    """Our encoder; "" is the shipped one."""
    hub_model: str
    """Folder or name of the sentence-transformers model to stand beside ours; "" for none."""

    def save(self) -> None:
        rows = {
            "documents": [[d.id, d.topic, d.title, d.text, d.phrasings] for d in self.documents],
            "messages": self.messages,
            "phrasings": self.phrasings,
            "questions": self.questions,
            "dialect": self.dialect,
            "encoder": self.encoder,
            "hub_model": self.hub_model,
        }
        text = json.dumps(rows, ensure_ascii=False)
        (self.folder / FILE).write_text(text, encoding="utf-8")


def load_task(folder: Path) -> Task:
    """Return the task that `Task.save` wrote into ``folder``."""
    rows = json.loads((folder / FILE).read_text(encoding="utf-8"))
    return Task(
        folder=folder,
        documents=tuple(
            Document(id_, topic, title, text, tuple(said))
            for id_, topic, title, text, said in rows["documents"]
        ),
        messages=tuple((text, topic, service) for text, topic, service in rows["messages"]),
        phrasings=tuple((text, topic) for text, topic in rows["phrasings"]),
        questions=tuple(rows["questions"]),
        dialect=rows["dialect"],
        encoder=rows["encoder"],
        hub_model=rows["hub_model"],
    )


@dataclass(frozen=True, slots=True)
class Answer:
    """``ids`` of candidates, best first. A system that judges the topic or the first service
    itself says so; for the others they are those of the best candidate."""

    ids: tuple[str, ...]
    topic: str | None = None
    service: str | None = None
