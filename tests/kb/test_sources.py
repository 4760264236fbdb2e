"""Every character of the source is in exactly one part; ids and texts are as promised."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest

from kb.load import SHIPPED, DocumentFile
from kb.sources import Part, SourceError, normalise, parse_provisions, split_source
from kb.types import Document, Knowledge
from kb.yamlfile import load_yaml, parse_file

SOURCE = (SHIPPED / "sources/suizhou-plans-2021-2025.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def documents() -> tuple[Document, ...]:
    file = load_yaml(SHIPPED / "sources/documents.yaml", "documents.yaml")
    return parse_file(file, DocumentFile).documents


def test_every_character_is_in_exactly_one_part(documents: tuple[Document, ...]) -> None:
    segments = split_source(SOURCE, documents)
    assert segments[0].start == 0 and segments[-1].end == len(SOURCE)
    for before, after in pairwise(segments):
        assert before.end == after.start
    parts = Counter(s.part for s in segments)
    assert parts[Part.PROVISION] == 91
    assert parts[Part.TITLE] == 1  # the other two titles are not in the source
    assert parts[Part.PREAMBLE] > 3 and parts[Part.CHAPTER] == 15 and parts[Part.SECTION] == 13


def test_ids_are_final(documents: tuple[Document, ...]) -> None:
    ids = [p.id for p in parse_provisions(SOURCE, documents)]
    wanted = [f"plan-{i}" for i in range(1, 37)]
    wanted += [f"gov-{i}" for i in range(1, 31)] + [f"soc-{i}" for i in range(1, 26)]
    assert ids == wanted


def test_the_original_stays_and_only_named_rules_change_the_text(
    documents: tuple[Document, ...],
) -> None:
    for provision in parse_provisions(SOURCE, documents):
        assert provision.original in SOURCE
        shown = f"{provision.heading}。{provision.text}"
        again = "\n".join(normalise(line) for line in provision.original.split("\n"))
        assert again.endswith(shown) or again.replace("\n", "").endswith(shown.replace("\n", ""))


def test_the_shipped_files_are_what_the_parser_gives(
    documents: tuple[Document, ...], knowledge: Knowledge
) -> None:
    for parsed in parse_provisions(SOURCE, documents):
        shipped = knowledge.provisions[parsed.id]
        bare = replace(shipped, title="", summary="", facts=(), services=(), phrasings=())
        assert bare == parsed


@pytest.mark.parametrize(
    ("scanned", "shown"),
    [
        ("事先审査制度", "事先审查制度"),
        ("(一) 指导思想", "（一）指导思想"),
        ("方案(2021-2025年)", "方案（2021—2025年）"),
        ("12・4", "12·4"),
        ("—-法治社会", "——法治社会"),
        ("互联网+监管,40%", "互联网+监管，40%"),
    ],
)
def test_scanning_noise(scanned: str, shown: str) -> None:
    assert normalise(scanned) == shown
    assert normalise(shown) == shown  # once is enough


def test_a_missing_number_is_named(documents: tuple[Document, ...]) -> None:
    with pytest.raises(SourceError, match="expected number 2"):
        split_source(
            SOURCE.replace("(二) 总体目标", "总体目标", 1).replace("(三)", "(五)", 1), documents
        )


def test_the_numbers_of_the_plan_are_quoted_as_they_stand(knowledge: Knowledge) -> None:
    assert "40%以上" in knowledge.provisions["plan-30"].text
    assert "2022年" in knowledge.provisions["soc-13"].text
