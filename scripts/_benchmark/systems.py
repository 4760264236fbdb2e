"""The searches that `benchmark retrieval` compares: ours, and what others would take instead.

Each is built from the same `Task`, kept in a folder and read back, in its own natural way and
with the constants its makers chose. Libraries are imported inside the methods: what a system
needs is then part of its time and memory, and one that is absent stops only its own row.
"""

from __future__ import annotations

import json
import re
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Self

from scripts._benchmark.task import CATALOGUE, Answer, Task

if TYPE_CHECKING:
    from retrieval.ranking import Ranking, Weights

MOST = 10
"""Candidates in an answer."""
NEAR_TEXTS = 100
"""Texts among which the `MOST` nearest candidates are looked for: a candidate has many texts."""

Cut = Callable[[str], list[str]]


class System(Protocol):
    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        """Build from ``task`` and keep in ``folder`` what `load` needs."""

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        """Return the system that `build` kept in ``folder``."""

    def ask(self, text: str) -> Answer:
        """Return at most `MOST` candidates, best first."""


class Ours:
    """`Searcher.search`, as it stands in every answer of the bot.

    Reading the whole knowledge base counts as a part of it: it cannot search without.
    """

    def __init__(self, searcher: Any) -> None:
        self._searcher = searcher

    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        from kb.catalogue import open_catalogue
        from retrieval.encoders import open_encoder
        from retrieval.index import build_index
        from retrieval.labelled import Labelled
        from retrieval.normalise import parse_dialect

        knowledge, _ = open_catalogue(task.folder / CATALOGUE)
        messages = [Labelled(text=a, topic=b, service=c) for a, b, c in task.messages]
        dialect = parse_dialect(task.dialect)
        build_index(knowledge, open_encoder(task.encoder), messages, dialect).save(folder)
        return cls.load(task, folder)

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        from kb.catalogue import open_catalogue
        from retrieval.encoders import open_encoder
        from retrieval.index import load_index
        from retrieval.normalise import parse_dialect
        from retrieval.search import Searcher

        knowledge, _ = open_catalogue(task.folder / CATALOGUE)
        encoder, dialect = open_encoder(task.encoder), parse_dialect(task.dialect)
        return cls(Searcher(load_index(folder), knowledge, encoder, cls.ranking(), dialect))

    @staticmethod
    def ranking() -> Ranking:
        from retrieval.ranking import load_ranking

        return load_ranking()

    def ask(self, text: str) -> Answer:
        from retrieval.types import Query

        found = self._searcher.search(Query(text=text))
        ids = [hit.id for hit in (*found.hits, *found.rejected)]
        return Answer(tuple(ids[:MOST]), found.topic, next(iter(found.services), None))


class OursWithoutEncoder(Ours):
    """Ours with the encoder's voice left out of the ranking, and the other two raised to sum to 1.

    The shipped encoder was trained with all phrasings, also those that are held out here; this
    is what is left of ours where nothing has seen them. Not a system that anybody would run: the
    voice is still computed, so that its times are those of ours.
    """

    @staticmethod
    def ranking() -> Ranking:
        ranking = Ours.ranking()
        return replace(ranking, topic=_mute(ranking.topic), order=_mute(ranking.order))


def _mute(weights: Weights) -> Weights:
    """Return ``weights`` without the dense voice; they sum to 1 again."""
    rest = weights.lexical + weights.prior
    return replace(weights, lexical=weights.lexical / rest, dense=0.0, prior=weights.prior / rest)


class _Bm25s(ABC):
    """BM25 of the library bm25s; the subclasses say how a text is cut."""

    def __init__(self, retriever: Any, cut: Cut, ids: Sequence[str]) -> None:
        self._retriever = retriever
        self._cut = cut
        self._ids = ids

    @staticmethod
    @abstractmethod
    def cutter(folder: Path) -> Cut:
        """Return the function that cuts a text; what it keeps lies in ``folder``."""

    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        import bm25s

        retriever, cut = bm25s.BM25(), cls.cutter(folder)
        retriever.index([cut(d.whole) for d in task.documents], show_progress=False)
        retriever.save(folder, show_progress=False)
        return cls(retriever, cut, [d.id for d in task.documents])

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        import bm25s

        ids = [d.id for d in task.documents]
        return cls(bm25s.BM25.load(folder), cls.cutter(folder), ids)

    def ask(self, text: str) -> Answer:
        words = self._cut(text)
        if not words:
            return Answer(())
        most = min(MOST, len(self._ids))
        numbers, scores = self._retriever.retrieve([words], k=most, show_progress=False)
        found = zip(numbers[0].tolist(), scores[0].tolist(), strict=True)
        return Answer(tuple(self._ids[number] for number, score in found if score > 0))


class Bm25Words(_Bm25s):
    """Words of jieba, cut as its makers advise for search: long words also in their parts."""

    @staticmethod
    def cutter(folder: Path) -> Cut:
        import logging

        import jieba

        jieba.setLogLevel(logging.WARNING)
        tokenizer = jieba.Tokenizer()
        # Left alone, its cache goes to the machine's /tmp and speeds up somebody's next run.
        # Here it is what it is to a user: there at every start but the first.
        tokenizer.tmp_dir = str(folder)

        def cut(text: str) -> list[str]:
            words = tokenizer.lcut_for_search(text.lower())
            return [word for word in words if re.search(r"\w", word)]

        return cut


class Bm25Characters(_Bm25s):
    """Single characters and pairs of neighbours, where no dictionary is wanted."""

    @staticmethod
    def cutter(folder: Path) -> Cut:
        def cut(text: str) -> list[str]:
            words: list[str] = []
            for run in re.findall(r"\w+", text.lower()):
                words.extend(run)
                words.extend(run[i : i + 2] for i in range(len(run) - 1))
            return words

        return cut


class Fts5:
    """SQLite's own full-text search over triples of characters, ranked by its bm25()."""

    FILE = "fts5.sqlite"

    def __init__(self, db: sqlite3.Connection, ids: Sequence[str]) -> None:
        self._db = db
        self._ids = ids

    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        with closing(sqlite3.connect(folder / cls.FILE)) as db, db:
            db.execute("CREATE VIRTUAL TABLE documents USING fts5(text, tokenize='trigram')")
            rows = [(number, d.whole) for number, d in enumerate(task.documents)]
            db.executemany("INSERT INTO documents (rowid, text) VALUES (?, ?)", rows)
        return cls.load(task, folder)

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        return cls(sqlite3.connect(folder / cls.FILE), [d.id for d in task.documents])

    def ask(self, text: str) -> Answer:
        plain = text.replace("\0", " ").replace('"', " ")
        triples = dict.fromkeys(plain[i : i + 3] for i in range(len(plain) - 2))
        if not triples:
            return Answer(())
        # `rank` is bm25() with less work, as SQLite's documentation advises.
        rows = self._db.execute(
            f"SELECT rowid FROM documents WHERE documents MATCH ? ORDER BY rank LIMIT {MOST}",
            (" OR ".join(f'"{triple}"' for triple in triples),),
        )
        return Answer(tuple(self._ids[number] for (number,) in rows))


class TopicThenCosine:
    """TF-IDF of one to three characters. A linear classifier picks the topic; its candidates
    come first, each group by cosine."""

    FILE = "sklearn.joblib"

    def __init__(self, parts: tuple[Any, Any, Any], task: Task) -> None:
        import numpy as np

        self._vectorizer, self._classifier, self._matrix = parts
        self._ids = [d.id for d in task.documents]
        self._topics = np.array([d.topic or "" for d in task.documents])

    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        import joblib
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.svm import LinearSVC

        said = [(text, topic) for text, topic, _ in task.messages] + list(task.phrasings)
        labelled = [(text, topic) for text, topic in said if topic is not None]
        wholes = [d.whole for d in task.documents]
        vectorizer = TfidfVectorizer(analyzer="char", ngram_range=(1, 3), sublinear_tf=True)
        vectorizer.fit([*wholes, *(text for text, _ in labelled)])
        rows = vectorizer.transform([text for text, _ in labelled])
        classifier = LinearSVC(random_state=0).fit(rows, [topic for _, topic in labelled])
        parts = (vectorizer, classifier, vectorizer.transform(wholes))
        joblib.dump(parts, folder / cls.FILE)
        return cls(parts, task)

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        import joblib

        return cls(joblib.load(folder / cls.FILE), task)

    def ask(self, text: str) -> Answer:
        row = self._vectorizer.transform([text])
        topic = str(self._classifier.predict(row)[0])
        cosines = (self._matrix @ row.T).toarray()[:, 0]
        # A cosine is at most 1, so that 2 puts the topic's own candidates first.
        order = (-cosines - 2 * (self._topics == topic)).argsort(kind="stable")[:MOST]
        return Answer(tuple(self._ids[number] for number in order), topic)


class HubVectors:
    """FAISS over the vectors of a sentence-transformers model, one for each text of a candidate;
    the nearest text speaks for it."""

    FILE, OWNERS = "dense.faiss", "owners.json"

    def __init__(self, encoder: Any, index: Any, owners: Sequence[str]) -> None:
        self._encoder = encoder
        self._index = index
        self._owners = owners

    @classmethod
    def build(cls, task: Task, folder: Path) -> Self:
        from retrieval.dense import build_dense
        from retrieval.hub_encoder import HubEncoder

        texts = [(t, d.id) for d in task.documents for t in (d.title, d.text, *d.phrasings) if t]
        encoder, owners = HubEncoder(task.hub_model), [id_ for _, id_ in texts]
        index = build_dense(encoder.encode([text for text, _ in texts]))
        index.save(folder / cls.FILE)
        (folder / cls.OWNERS).write_text(json.dumps(owners), encoding="utf-8")
        return cls(encoder, index, owners)

    @classmethod
    def load(cls, task: Task, folder: Path) -> Self:
        from retrieval.dense import load_dense
        from retrieval.hub_encoder import HubEncoder

        owners = json.loads((folder / cls.OWNERS).read_text(encoding="utf-8"))
        return cls(HubEncoder(task.hub_model), load_dense(folder / cls.FILE), owners)

    def ask(self, text: str) -> Answer:
        numbers, _ = self._index.search(self._encoder.encode([text])[0], NEAR_TEXTS)
        nearest = dict.fromkeys(self._owners[number] for number in numbers.tolist())
        return Answer(tuple(nearest)[:MOST])


OURS = "ours"
OURS_MUTED = "ours without encoder"
HUB = "FAISS, sentence model"
SYSTEMS: dict[str, type[System]] = {
    OURS: Ours,
    OURS_MUTED: OursWithoutEncoder,
    "BM25, jieba words": Bm25Words,
    "BM25, characters 1+2": Bm25Characters,
    "SQLite FTS5, trigram": Fts5,
    "TF-IDF, linear topic": TopicThenCosine,
    HUB: HubVectors,
}
"""By the name of its row."""
