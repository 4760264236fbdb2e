"""Everything that is searched, built from the knowledge and kept in a few files.

A *candidate* is what can be answered with: a situation, a service or a provision. Its lexical
document holds its title, its sentences and its phrasings together (measured best, see
README.md); each phrasing and each title with its answer has a vector of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.types import Kind, Knowledge
from retrieval.analyse import terms
from retrieval.dense import DenseIndex, build_dense, load_dense
from retrieval.encoder import Encoder
from retrieval.lexical import LexicalIndex, build_lexical, load_lexical
from retrieval.normalise import Dialect, fold
from retrieval.topics import TopicClassifier, load_topics, train_topics

TRAINING = Path(__file__).parent / "training"
"""Texts with topics beside the entries' own phrasings; each file names its source."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that can be answered with. ``topic`` is None for an office of many topics."""

    id: str
    kind: Kind
    topic: str | None


@dataclass(frozen=True, slots=True)
class Index:
    """The searchable parts of a bundle; immutable."""

    candidates: tuple[Candidate, ...]
    lexical: LexicalIndex
    dense: DenseIndex
    owners: NDArray[np.int32]
    """Candidate of each vector of ``dense``."""
    texts: tuple[str, ...]
    """The text of each vector, for explanations."""
    topics: TopicClassifier
    topic_of: NDArray[np.int32]
    """Topic of each candidate as a class of ``topics``; -1 for none."""

    def save(self, folder: Path) -> None:
        self.lexical.save(folder / "lexical.npz")
        self.dense.save(folder / "dense.faiss")
        self.topics.save(folder / "topics.npz")
        data = {
            "candidates": [[c.id, c.kind, c.topic] for c in self.candidates],
            "owners": self.owners.tolist(),
            "texts": self.texts,
        }
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        (folder / "candidates.json").write_text(text, encoding="utf-8")


FILES = ("lexical.npz", "dense.faiss", "topics.npz", "candidates.json")


def build_index(
    knowledge: Knowledge,
    encoder: Encoder,
    training: Iterable[tuple[str, str]],
    dialect: Dialect,
) -> Index:
    """Return the index of ``knowledge``. ``training`` are further (text, topic) pairs.

    ``dialect`` is applied to what people say, here as in every question.
    """

    def said_as(text: str) -> str:
        return dialect.apply(fold(text))

    candidates: list[Candidate] = []
    documents: list[list[str]] = []
    owners: list[int] = []
    texts: list[str] = []
    labelled = [(said_as(text), topic) for text, topic in training]

    def add(candidate: Candidate, body: str, head: str, phrasings: Sequence[str]) -> None:
        said = [said_as(p) for p in phrasings]
        documents.append([*terms(fold(body)), *(t for p in said for t in terms(p))])
        owners.extend([len(candidates)] * (len(said) + 1))
        texts.extend((head, *phrasings))
        candidates.append(candidate)
        if candidate.topic is not None:
            labelled.extend((p, candidate.topic) for p in said)

    for entry in knowledge.entries.values():
        body = " ".join((entry.title, *(s.text for s in entry.statements())))
        head = f"{entry.title}。{entry.answer.text}"
        add(Candidate(entry.id, entry.kind, entry.topic), body, head, entry.phrasings)
    for provision in knowledge.provisions.values():
        body = " ".join((provision.title, provision.summary, provision.heading, provision.text))
        head = f"{provision.title or provision.heading}。{provision.summary}"
        candidate = Candidate(provision.id, Kind.PROVISION, "plan-content")
        add(candidate, body, head, provision.phrasings)
    topics = train_topics([text for text, _ in labelled], [topic for _, topic in labelled])
    return _index(
        candidates,
        build_lexical(documents),
        build_dense(encoder.encode([said_as(text) for text in texts])),
        owners,
        texts,
        topics,
    )


def load_index(folder: Path) -> Index:
    """Return the index that `Index.save` wrote."""
    data = json.loads((folder / "candidates.json").read_text(encoding="utf-8"))
    candidates = [Candidate(id_, Kind(kind), topic) for id_, kind, topic in data["candidates"]]
    return _index(
        candidates,
        load_lexical(folder / "lexical.npz"),
        load_dense(folder / "dense.faiss"),
        data["owners"],
        data["texts"],
        load_topics(folder / "topics.npz"),
    )


def load_training(folder: Path = TRAINING) -> list[tuple[str, str]]:
    """Return the (text, topic) pairs of every `.jsonl` file in ``folder``."""
    pairs = []
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            pairs.append((row["text"], row["topic"]))
    return pairs


def _index(
    candidates: Sequence[Candidate], lexical: LexicalIndex, dense: DenseIndex,
    owners: Sequence[int], texts: Sequence[str], topics: TopicClassifier,
) -> Index:  # fmt: skip
    numbers = {topic: i for i, topic in enumerate(topics.classes)}
    return Index(
        candidates=tuple(candidates),
        lexical=lexical,
        dense=dense,
        owners=np.array(owners, dtype=np.int32),
        texts=tuple(texts),
        topics=topics,
        topic_of=np.array([numbers.get(c.topic or "", -1) for c in candidates], dtype=np.int32),
    )
