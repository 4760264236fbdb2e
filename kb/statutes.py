"""Read official statute texts to keep the register and the extract of cited articles true.

Input is a folder with `articles.jsonl.gz`, one JSON object a line:
``{"law", "article", "text", "status", "effective", "cat"}`` (see shared/laws/README.md).
Only article numbers, dates, digests and quantities go into the repository.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from kb.numerals import NUMERAL, find_quantities, parse_numeral
from kb.truth import render_quantity

_WORKING_DAYS = re.compile(r"指工作日|为工作日|按工作日|均以工作日")
_INSERTED = re.compile(rf"之([{NUMERAL}]+)[\s\u3000]+")
_EFFECTIVE = re.compile(
    rf"自([12]\d{{3}}|二[〇零{NUMERAL}]{{3}}|一九[{NUMERAL}]{{2}})年"
    rf"(\d+|[{NUMERAL}]+)月(\d+|[{NUMERAL}]+)日起(?:施行|实施|生效)"
)


@dataclass(frozen=True, slots=True)
class Statute:
    """One version of a law: its articles by number, as 第十条."""

    name: str
    category: str
    effective: date | None
    articles: dict[str, str]


def load_statutes(folder: Path, as_of: date) -> dict[str, Statute]:
    """Return, by name, the version of each law that is in force on ``as_of``.

    Of several versions the latest that has come into force counts, whatever its status
    says: the status was true on the day of the snapshot only.
    """
    versions: dict[tuple[str, str], list[dict[str, str]]] = {}
    path = folder / "articles.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            versions.setdefault((row["law"], row["effective"]), []).append(row)
    found: dict[str, Statute] = {}
    for (name, effective), rows in versions.items():
        articles = dict(mend_article(row["article"], row["text"]) for row in rows)
        day = date.fromisoformat(effective) if effective else effective_date(articles.values())
        if day is not None and day > as_of:
            continue
        statute = Statute(name, rows[0]["cat"], day, articles)
        other = found.get(name)
        if other is None or (statute.effective or date.min) >= (other.effective or date.min):
            found[name] = statute
    return found


def mend_article(number: str, text: str) -> tuple[str, str]:
    """Mend what the snapshot splits wrong: 第五条 with the text `之一　…` is 第五条之一."""
    match = _INSERTED.match(text)
    return (f"{number}之{match[1]}", text[match.end() :]) if match else (number, text)


def effective_date(texts: Iterable[str]) -> date | None:
    """Return the day that a statute names for itself (自2007年4月1日起施行), or None."""
    for text in reversed(list(texts)):
        match = _EFFECTIVE.search(text)
        if match:
            year, month, day = (parse_numeral(part) for part in match.groups())
            if year and month and day:
                return date(year, month, day)
    return None


def extract_article(text: str) -> tuple[tuple[str, ...], str]:
    """Return the quantities of an article and the digest of its text.

    An article that defines days as working days (指工作日) yields them in both units.
    """
    quantities = find_quantities(text)
    if _WORKING_DAYS.search(text):
        quantities += [(number, "工作日") for number, unit in quantities if unit == "日"]
    unique = tuple(dict.fromkeys(map(render_quantity, quantities)))
    return unique, hashlib.sha256(text.encode()).hexdigest()[:16]
