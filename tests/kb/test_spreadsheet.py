from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from openpyxl import Workbook, load_workbook

from kb.load import SHIPPED, load_knowledge
from kb.spreadsheet import SpreadsheetError, read_spreadsheet, write_spreadsheet
from kb.types import Kind, Knowledge, Statement
from kb.writing import write_records


def test_nothing_is_lost_on_the_round_trip(knowledge: Knowledge, tmp_path: Path) -> None:
    write_spreadsheet(tmp_path / "k.xlsx", knowledge.entries.values())
    root = tmp_path / "kb"
    by_file: dict[tuple[Kind, str], list[dict[str, object]]] = {}
    for row in read_spreadsheet(tmp_path / "k.xlsx"):
        by_file.setdefault((row.kind, row.topic if row.kind is Kind.SITUATION else ""), []).append(
            row.record
        )
    for (kind, topic), records in by_file.items():
        write_records(root, kind, topic, records)
    again = load_knowledge((SHIPPED, root))
    assert len(again.entries) == len(knowledge.entries)
    for id_, entry in knowledge.entries.items():
        assert replace(again.entries[id_], source="") == replace(entry, source="")


def test_a_text_that_looks_like_a_formula_stays_text(knowledge: Knowledge, tmp_path: Path) -> None:
    entry = next(iter(knowledge.entries.values()))
    odd = replace(entry, answer=Statement(text='=cmd|"/c calc"!A1'), phrasings=("+1", "@x", "-2"))
    write_spreadsheet(tmp_path / "k.xlsx", [odd])
    sheet = load_workbook(tmp_path / "k.xlsx")["情形" if odd.kind is Kind.SITUATION else "事项"]
    assert all(c.data_type == "s" for row in sheet.iter_rows(min_row=2) for c in row if c.value)
    assert read_spreadsheet(tmp_path / "k.xlsx")[0].record["phrasings"] == ["+1", "@x", "-2"]


def _book(tmp_path: Path, *rows: tuple[object, ...], title: str = "情形") -> Path:
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for row in rows:
        sheet.append(row)
    book.save(tmp_path / "b.xlsx")
    return tmp_path / "b.xlsx"


@pytest.mark.parametrize(
    ("rows", "says"),
    [
        ((("编号", "颜色"), ("a", "红")), "不认识的列：颜色"),
        ((("名字",), ("a",)), "没有“编号”"),
        ((("编号", "名字"), (None, "a")), "第 2 行没有编号"),
        ((("编号", "名字"), ("a", "b")), "第 2 行没有主题"),
        ((("编号", "主题", "核对日期"), ("a", "divorce", "昨天")), "不是日期"),
    ],
)
def test_what_is_wrong_is_named_with_its_row(
    tmp_path: Path, rows: tuple[tuple[object, ...], ...], says: str
) -> None:
    with pytest.raises(SpreadsheetError, match=says):
        read_spreadsheet(_book(tmp_path, *rows))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"no spreadsheet")
    with pytest.raises(SpreadsheetError, match=r"\.xlsx"):
        read_spreadsheet(tmp_path / "x.xlsx")
    with pytest.raises(SpreadsheetError, match="不认识的表“别的”"):
        read_spreadsheet(_book(tmp_path, ("编号",), title="别的"))
    with pytest.raises(SpreadsheetError, match="表是空的"):
        read_spreadsheet(_book(tmp_path, ("编号",)))


def test_numbers_typed_as_numbers_are_read_as_text(tmp_path: Path) -> None:
    path = _book(tmp_path, ("编号", "主题", "热线"), ("a", "divorce", 12348.0))
    assert read_spreadsheet(path)[0].record["hotlines"] == ["12348"]


def test_heads_of_files_and_other_entries_stay(tmp_path: Path) -> None:
    path = tmp_path / "situations/divorce.yaml"
    path.parent.mkdir()
    path.write_text(
        "# 本地的说明\ntopic: divorce\nverified_on: 2026-11-24\nreview_by: 2027-05-24\n"
        "situations:\n  - {id: kept, title: 留着, answer: 话。}\n"
    )
    write_records(
        tmp_path, Kind.SITUATION, "divorce", [{"id": "new", "title": "新", "answer": "话。"}]
    )
    text = path.read_text()
    assert text.startswith("# 本地的说明\n") and "kept" in text and "new" in text
