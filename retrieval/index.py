"""Everything that is searched, built from the knowledge and kept in a few files.

A *candidate* is what can be answered with: a situation, a service or a provision. Its lexical
document holds its title, its sentences and its phrasings together, and its vector is the mean
of those of its phrasings and its title (both measured best, see README.md).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.types import Entry, Kind, Knowledge, Provision
from retrieval.analyse import terms
from retrieval.classifier import (
    Classifier,
    load_classifiers,
    save_classifiers,
    train_classifiers,
)
from retrieval.dense import DenseIndex, build_dense, load_dense
from retrieval.encoder import Encoder, Floats
from retrieval.labelled import Labelled, phrasings
from retrieval.lexical import LexicalIndex, build_lexical, load_lexical
from retrieval.normalise import Dialect, fold

SEEN = 3
"""Texts: half of all n-grams are rarer, and the topic does not need them (see README.md)."""
SMOOTHING = 0.1
"""Topics and services of messages are a matter of judgement (see README.md)."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that can be answered with. ``topic`` is None for an office of many topics."""

    id: str
    kind: Kind
    topic: str | None
    said: tuple[str, ...]
    """Its phrasings as they are searched: folded, dialect replaced."""


@dataclass(frozen=True, slots=True)
class Index:
    """The searchable parts of a bundle; immutable."""

    candidates: tuple[Candidate, ...]
    lexical: LexicalIndex
    dense: DenseIndex
    """One vector for each candidate, in their order."""
    topics: Classifier
    services: Classifier
    """Of the first service to go to; shares its features with ``topics``."""
    topic_of: NDArray[np.int32]
    """Topic of each candidate as a class of ``topics``; -1 for none."""

    def save(self, folder: Path) -> None:
        self.lexical.save(folder / "lexical.npz")
        self.dense.save(folder / "dense.faiss")
        classifiers = {"topic": self.topics, "service": self.services}
        save_classifiers(folder / "classifiers.npz", classifiers)
        rows = [[c.id, c.kind, c.topic, c.said] for c in self.candidates]
        text = json.dumps(rows, ensure_ascii=False, separators=(",", ":"))
        (folder / "candidates.json").write_text(text, encoding="utf-8")


FILES = ("lexical.npz", "dense.faiss", "classifiers.npz", "candidates.json")


def build_index(
    knowledge: Knowledge,
    encoder: Encoder,
    messages: Iterable[Labelled],
    dialect: Dialect,
) -> Index:
    """Return the index of ``knowledge``. ``messages`` teach the classifiers more.

    ``dialect`` is applied to what people say, here as in every question.
    """

    def said_as(text: str) -> str:
        return dialect.apply(fold(text))

    candidates: list[Candidate] = []
    documents: list[list[str]] = []
    vectors: list[Floats] = []

    def add(each: Entry | Provision, kind: Kind, topic: str | None, head: str, body: str) -> None:
        said = tuple(said_as(p) for p in each.phrasings)
        documents.append([*terms(fold(body)), *(t for p in said for t in terms(p))])
        vectors.append(mean_vector(encoder, [said_as(head), *said]))
        candidates.append(Candidate(each.id, kind, topic, said))

    for entry in knowledge.entries.values():
        body = " ".join((entry.title, *(s.text for s in entry.statements())))
        head = f"{entry.title}。{entry.answer.text}"
        add(entry, entry.kind, entry.topic, head, body)
    for provision in knowledge.provisions.values():
        body = " ".join((provision.title, provision.summary, provision.heading, provision.text))
        head = f"{provision.title or provision.heading}。{provision.summary}"
        add(provision, Kind.PROVISION, "plan-content", head, body)
    labelled = [*messages, *phrasings(knowledge)]
    classifiers = train_classifiers(
        [said_as(each.text) for each in labelled],
        {
            "topic": [each.topic for each in labelled],
            "service": [each.service for each in labelled],
        },
        smoothing=SMOOTHING,
        seen=SEEN,
    )
    return _index(
        candidates,
        build_lexical(documents),
        build_dense(np.stack(vectors)),
        classifiers,
    )


def load_index(folder: Path) -> Index:
    """Return the index that `Index.save` wrote."""
    rows = json.loads((folder / "candidates.json").read_text(encoding="utf-8"))
    candidates = [Candidate(id_, Kind(kind), topic, tuple(said)) for id_, kind, topic, said in rows]
    return _index(
        candidates,
        load_lexical(folder / "lexical.npz"),
        load_dense(folder / "dense.faiss"),
        load_classifiers(folder / "classifiers.npz"),
    )


def mean_vector(encoder: Encoder, texts: Sequence[str]) -> Floats:
    """Return the mean of the vectors of ``texts``, scaled to length 1, shape (dimension,)."""
    mean: Floats = encoder.encode(texts).mean(axis=0)
    length = float(np.linalg.norm(mean))
    return mean / length if length > 0 else mean


def _index(
    candidates: Sequence[Candidate],
    lexical: LexicalIndex,
    dense: DenseIndex,
    classifiers: Mapping[str, Classifier],
) -> Index:
    topics = classifiers["topic"]
    numbers = {topic: i for i, topic in enumerate(topics.classes)}
    return Index(
        candidates=tuple(candidates),
        lexical=lexical,
        dense=dense,
        topics=topics,
        services=classifiers["service"],
        topic_of=np.array([numbers.get(c.topic or "", -1) for c in candidates], dtype=np.int32),
    )
