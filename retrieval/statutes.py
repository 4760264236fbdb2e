"""The operator's imported statutes: read in full by number, found by words, kept apart.

    DATA/statutes/   laws.json articles.json texts.bin offsets.npy
                     terms.json term_offsets.npy documents.npy impacts.npy

They never compete with entries: their scores are not comparable, and an entry tells a citizen
what to do. Texts and postings are memory-mapped, so that tens of thousands of articles cost
little memory.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.statute_files import StatuteArticle
from retrieval.analyse import analyse, terms
from retrieval.lexical import LexicalIndex, build_lexical
from retrieval.normalise import fold

COMMON = 0.2
"""Terms in more than this share of the articles say nothing and are not looked up."""
_LAWS, _ARTICLES, _TEXTS, _OFFSETS = "laws.json", "articles.json", "texts.bin", "offsets.npy"
_TERMS, _TERM_OFFSETS = "terms.json", "term_offsets.npy"
_DOCUMENTS, _IMPACTS = "documents.npy", "impacts.npy"


class StatutesError(Exception):
    """The imported statutes cannot be used; the message says what to do."""


class StatuteLibrary(Mapping[str, StatuteArticle]):
    """Articles by citation id, `law/NAME/ARTICLE`; immutable, safe in several threads."""

    def __init__(self, folder: Path) -> None:
        try:
            laws = json.loads((folder / _LAWS).read_text(encoding="utf-8"))
            rows = json.loads((folder / _ARTICLES).read_text(encoding="utf-8"))
            self._texts = np.memmap(folder / _TEXTS, dtype=np.uint8, mode="r")
            self._offsets = np.load(folder / _OFFSETS)
            names = json.loads((folder / _TERMS).read_text(encoding="utf-8"))
            self._index = LexicalIndex(
                {term: i for i, term in enumerate(names)},
                np.load(folder / _TERM_OFFSETS),
                np.load(folder / _DOCUMENTS, mmap_mode="r"),
                np.load(folder / _IMPACTS, mmap_mode="r"),
                len(rows),
            )
        except (OSError, ValueError, KeyError) as error:
            raise StatutesError(
                f"导入的法律 {folder} 读不出来（{error}）。"
                "请重新导入：suifawen kb import-statutes --replace 文件…"
            ) from error
        self._laws: list[tuple[str, str, str | None]] = [tuple(law) for law in laws]
        self._rows: list[tuple[int, str, str]] = [tuple(row) for row in rows]
        self._numbers = {self._id(i): i for i in range(len(self._rows))}
        self._law_of: NDArray[np.int32] = np.array([r[0] for r in self._rows], dtype=np.int32)
        self._folded = sorted(
            ((fold(name), i) for i, (name, _, _) in enumerate(self._laws)),
            key=lambda pair: -len(pair[0]),
        )

    def __getitem__(self, id_: str) -> StatuteArticle:
        number = self._numbers[id_]
        law, article, chapter = self._rows[number]
        name, status, effective = self._laws[law]
        raw = self._texts[self._offsets[number] : self._offsets[number + 1]]
        return StatuteArticle(
            law=name,
            article=article,
            text=raw.tobytes().decode(),
            chapter=chapter,
            status=status,
            effective=date.fromisoformat(effective) if effective else None,
        )

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._rows)

    def _id(self, number: int) -> str:
        law, article, _ = self._rows[number]
        return f"law/{self._laws[law][0]}/{article}"

    def find_law(self, folded: str) -> tuple[str, str] | None:
        """Return the law that ``folded`` names, and the name as written there; longest first."""
        for name, number in self._folded:
            if len(name) >= 3 and name in folded:
                return self._laws[number][0], name
        return None

    def search(self, folded: str, most: int, law: str | None = None) -> tuple[str, ...]:
        """Return the ids of the ``most`` best articles, of ``law`` only if given."""
        scores = self._index.scores(terms(folded))
        if law is not None:
            number = next(i for i, (name, _, _) in enumerate(self._laws) if name == law)
            scores = np.where(self._law_of == number, scores, 0)
        best = np.argpartition(-scores, min(most, len(scores) - 1))[:most]
        ranked = best[np.argsort(-scores[best])]
        return tuple(self._id(int(i)) for i in ranked if scores[i] > 0)


def write_statutes(folder: Path, articles: Iterable[StatuteArticle], as_of: date) -> dict[str, int]:
    """Write the library to ``folder`` whole; return counts of laws, articles and what was left out.

    Of several versions of a law the latest in force on ``as_of`` is kept; repealed laws and
    those not yet in force are left out.
    """
    versions: dict[tuple[str, date | None], list[StatuteArticle]] = {}
    for article in articles:
        versions.setdefault((article.law, article.effective), []).append(article)
    chosen: dict[str, tuple[date | None, list[StatuteArticle]]] = {}
    left_out = 0
    for (law, effective), rows in versions.items():
        over = rows[0].status == "已废止" or (effective is not None and effective > as_of)
        older = law in chosen and (chosen[law][0] or date.min) > (effective or date.min)
        if over or older:
            left_out += 1
            continue
        left_out += law in chosen
        chosen[law] = (effective, rows)
    kept = [article for _, rows in chosen.values() for article in rows]
    if not kept:
        raise StatutesError("没有可以导入的现行法律")
    folder.parent.mkdir(parents=True, exist_ok=True)
    built = Path(tempfile.mkdtemp(prefix="statutes-", dir=folder.parent))
    try:
        _write(built, kept, list(chosen))
        old = folder.with_name(folder.name + ".old")
        shutil.rmtree(old, ignore_errors=True)
        if folder.exists():
            folder.rename(old)
        built.rename(folder)
        shutil.rmtree(old, ignore_errors=True)
    except BaseException:
        shutil.rmtree(built, ignore_errors=True)
        raise
    return {"laws": len(chosen), "articles": len(kept), "left_out": left_out}


def _write(folder: Path, kept: Sequence[StatuteArticle], laws: Sequence[str]) -> None:
    numbers = {law: i for i, law in enumerate(laws)}
    first = {a.law: a for a in reversed(kept)}
    described = [
        [law, first[law].status, str(first[law].effective) if first[law].effective else None]
        for law in laws
    ]
    rows = [[numbers[a.law], a.article, a.chapter] for a in kept]
    texts = [a.text.encode() for a in kept]
    offsets = np.cumsum([0, *map(len, texts)])
    documents = [analyse(f"{a.law} {a.article} {a.chapter} {a.text}") for a in kept]
    names, term_offsets, posted, impacts = build_lexical(documents).arrays(COMMON)
    (folder / _LAWS).write_text(json.dumps(described, ensure_ascii=False), encoding="utf-8")
    (folder / _ARTICLES).write_text(json.dumps(rows, ensure_ascii=False), encoding="utf-8")
    (folder / _TEXTS).write_bytes(b"".join(texts))
    (folder / _TERMS).write_text(json.dumps(names, ensure_ascii=False), encoding="utf-8")
    for name, array in (
        (_OFFSETS, offsets),
        (_TERM_OFFSETS, term_offsets),
        (_DOCUMENTS, posted),
        (_IMPACTS, impacts),
    ):
        np.save(folder / name, array)


def open_statutes(folder: Path) -> StatuteLibrary | None:
    """Return the library in ``folder``, or None if nothing was imported."""
    return StatuteLibrary(folder) if (folder / _LAWS).exists() else None
