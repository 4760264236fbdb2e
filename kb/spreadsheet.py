"""The entries as a spreadsheet and back, for editors who do not write YAML.

One sheet for situations and one for services, one row an entry, one column a key; a list
stands in one cell, one item a line. Everything is text: a cell that begins with = is no
formula. Nothing is lost on the way out and in again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from kb.types import Entry, Kind
from kb.writing import KEYS, LISTS, entry_record

SHEETS = {Kind.SITUATION: "情形", Kind.SERVICE: "事项"}
HEADERS = {
    "id": "编号", "topic": "主题", "title": "名字", "answer": "一句话回答", "steps": "步骤",
    "where": "去哪里", "bring": "要带什么", "evidence": "要留的证据", "cost": "要不要钱",
    "time": "时限", "who": "谁可以办", "help": "能得到的帮助", "refused": "不满意怎么办",
    "dont": "千万不要／不归这里管", "exceptions": "例外", "hotlines": "热线",
    "services": "相关事项", "provisions": "相关条款", "must_mention": "必须说到",
    "phrasings": "说法", "handoff": "转哪种人工",
    "owner": "负责人", "valid_from": "有效从", "valid_to": "有效到", "verified_on": "核对日期",
    "review_by": "下次核对",
}  # fmt: skip
_DATES = ("valid_from", "valid_to", "verified_on", "review_by")
_KEY_OF = {header: key for key, header in HEADERS.items()}


class SpreadsheetError(ValueError):
    """The spreadsheet cannot be read; the message names the sheet, the row and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a spreadsheet, as `kb.writing.write_records` takes it."""

    kind: Kind
    topic: str
    record: dict[str, Any]


def write_spreadsheet(path: Path, entries: Iterable[Entry]) -> None:
    """Write ``entries`` to the `.xlsx` file ``path``."""
    book = Workbook()
    book.remove(book.worksheets[0])
    entries = list(entries)
    for kind, name in SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append(list(HEADERS.values()))
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, entry in enumerate((e for e in entries if e.kind is kind), 2):
            record = entry_record(entry) | {"topic": entry.topic or ""}
            for column, key in enumerate(HEADERS, 1):
                _put(sheet, number, column, record.get(key))
        sheet.freeze_panes = "D2"
        for column in sheet.columns:
            sheet.column_dimensions[column[0].column_letter].width = 28
    book.save(path)


def _put(sheet: Worksheet, row: int, column: int, value: Any) -> None:
    if value in (None, "", []):
        return
    text = "\n".join(value) if isinstance(value, list) else str(value)
    cell = sheet.cell(row=row, column=column)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text)
    cell.data_type = "s"  # a text that begins with = is no formula
    cell.alignment = Alignment(wrap_text=True, vertical="top")


def read_spreadsheet(path: Path) -> list[Row]:
    """Return the rows of ``path``. Raises `SpreadsheetError`."""
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as error:
        raise SpreadsheetError(
            f"{path} 打不开，请确认是 .xlsx 表格（{type(error).__name__}）"
        ) from error
    rows = [row for kind, name in SHEETS.items() if name in book.sheetnames
            for row in _rows(book[name], kind)]  # fmt: skip
    if not rows:
        names = "、".join(SHEETS.values())
        raise SpreadsheetError(f"{path} 里没有名叫 {names} 的表，或者表是空的")
    return rows


def _rows(sheet: Any, kind: Kind) -> Iterator[Row]:
    lines = sheet.iter_rows(values_only=True)
    header = [str(name or "").strip() for name in next(lines, ())]
    unknown = [name for name in header if name and name not in _KEY_OF]
    if unknown:
        raise SpreadsheetError(f"表“{sheet.title}”第 1 行不认识的列：{'、'.join(unknown)}")
    if "编号" not in header:
        raise SpreadsheetError(f"表“{sheet.title}”第 1 行没有“编号”这一列")
    for number, line in enumerate(lines, 2):
        cells = {
            _KEY_OF[name]: value
            for name, value in zip(header, line, strict=False)
            if name and value not in (None, "")
        }
        if not cells:
            continue
        where = f"表“{sheet.title}”第 {number} 行"
        if not cells.get("id"):
            raise SpreadsheetError(f"{where}没有编号")
        record = {key: _value(key, cells[key], where) for key in KEYS if key in cells}
        topic = str(record.get("topic", ""))
        if kind is Kind.SITUATION:
            record.pop("topic", None)
            if not topic:
                raise SpreadsheetError(f"{where}没有主题")
        yield Row(kind, topic, record)


def _value(key: str, cell: Any, where: str) -> Any:
    if key in _DATES:
        if isinstance(cell, datetime):
            return cell.date()
        try:
            return date.fromisoformat(str(cell).strip())
        except ValueError:
            raise SpreadsheetError(
                f"{where}的“{HEADERS[key]}”不是日期，请写成 2026-11-24"
            ) from None
    if isinstance(cell, float) and cell.is_integer():  # 12348 typed as a number
        cell = int(cell)
    text = str(cell).replace("\r\n", "\n")
    if key in LISTS:
        return [line.strip() for line in text.split("\n") if line.strip()]
    return text.strip()
