"""The entries as a spreadsheet and back, for editors who do not write YAML.

One sheet for situations and one for services, one row an entry, one column a key; a list
stands in one cell, one item a line. Everything is text: a cell that begins with = is no
formula. Nothing is lost on the way out and in again: a hidden last column holds the digest of
what was written out, so that `changes` tells an edit from a text that has grown old meanwhile.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet.worksheet import Worksheet

from kb.types import Entry, Kind
from kb.writing import KEYS, LISTS, entry_record, record_digest

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
STAMP = "导出时的指纹，请不要改"
"""Header of the hidden column."""
_DATES = ("valid_from", "valid_to", "verified_on", "review_by")
_KEY_OF = {header: key for key, header in HEADERS.items()} | {STAMP: "stamp"}
_DATE = re.compile(r"(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?")


class SpreadsheetError(ValueError):
    """The spreadsheet cannot be read; the message names the sheet, the row and what to do."""


@dataclass(frozen=True, slots=True)
class Row:
    """One entry of a spreadsheet, as `kb.writing.write_records` takes it."""

    kind: Kind
    topic: str
    """Of a situation; empty for a service, whose topic stands in the record."""
    record: dict[str, Any]
    where: str
    """Sheet and row, as the editor sees them."""
    stamp: str = ""
    """Digest of the row as it was written out; empty if it is new."""
    columns: frozenset[str] = frozenset(HEADERS)
    """The keys that the sheet has a column for; the others are left as they are."""

    @property
    def id(self) -> str:
        return str(self.record["id"])

    @property
    def digest(self) -> str:
        return record_digest({**self.record, "topic": self.topic})


def row_of(entry: Entry) -> Row:
    """Return the row that ``entry`` is written out as."""
    topic = entry.topic or "" if entry.kind is Kind.SITUATION else ""
    return Row(entry.kind, topic, entry_record(entry), entry.source)


def write_spreadsheet(path: Path, entries: Iterable[Entry]) -> None:
    """Write ``entries`` to the `.xlsx` file ``path``."""
    book = Workbook()
    book.remove(book.worksheets[0])
    entries = list(entries)
    for kind, name in SHEETS.items():
        sheet = book.create_sheet(name)
        sheet.append([*HEADERS.values(), STAMP])
        for cell in sheet[1]:
            cell.font = Font(bold=True)
        for number, entry in enumerate((e for e in entries if e.kind is kind), 2):
            row = row_of(entry)
            record = row.record | {"topic": entry.topic or ""}
            for column, key in enumerate(HEADERS, 1):
                _put(sheet, number, column, record.get(key))
            _put(sheet, number, len(HEADERS) + 1, row.digest)
        sheet.freeze_panes = "D2"
        for column in sheet.columns:
            sheet.column_dimensions[column[0].column_letter].width = 28
        sheet.column_dimensions[get_column_letter(len(HEADERS) + 1)].hidden = True
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
        book = load_workbook(path, read_only=True)
    except (InvalidFileException, BadZipFile, OSError, KeyError, ValueError) as error:
        raise SpreadsheetError(
            f"{path} 打不开，请确认是 .xlsx 表格（{type(error).__name__}）"
        ) from error
    names = "、".join(SHEETS.values())
    strange = [s.title for s in book.worksheets if s.title not in SHEETS.values() and _filled(s)]
    if strange:
        raise SpreadsheetError(
            f"不认识的表“{'”“'.join(strange)}”。只读名叫 {names} 的表；改回原来的名字，或者删掉它"
        )
    rows = [row for kind, name in SHEETS.items() if name in book.sheetnames
            for row in _rows(book[name], kind)]  # fmt: skip
    if not rows:
        raise SpreadsheetError(f"{path} 里没有名叫 {names} 的表，或者表是空的")
    first: dict[str, Row] = {}
    for row in rows:
        if first.setdefault(row.id, row) is not row:
            raise SpreadsheetError(
                f"编号“{row.id}”用了两次：{first[row.id].where}，{row.where}。请给新的那个另取编号"
            )
    return rows


def _filled(sheet: Any) -> bool:
    return any(
        value not in (None, "") for row in sheet.iter_rows(values_only=True) for value in row
    )


@dataclass(frozen=True, slots=True)
class Changes:
    """What rows that come back mean for the present entries."""

    changed: tuple[Row, ...]
    """Edited or new: to be written."""
    outdated: tuple[Row, ...]
    """Not edited, but the entry was changed since the sheet was written out: left alone."""
    conflicts: tuple[Row, ...]
    """Edited in the sheet and changed here since: somebody has to look at both."""


def changes(rows: Iterable[Row], entries: Mapping[str, Entry]) -> Changes:
    """Compare ``rows`` with the present ``entries``."""
    changed, outdated, conflicts = [], [], []
    for row in rows:
        entry = entries.get(row.id)
        if entry is None:  # new; if its row was copied, so was the fingerprint of another one
            changed.append(row)
            continue
        row = _completed(row, entry)
        now = row_of(entry).digest
        if row.digest == now:
            continue
        if row.digest == row.stamp:
            outdated.append(row)
        elif row.stamp not in ("", now):
            conflicts.append(row)
        else:
            changed.append(row)
    return Changes(tuple(changed), tuple(outdated), tuple(conflicts))


def _completed(row: Row, entry: Entry) -> Row:
    """Return ``row`` with what stands in ``entry`` where the sheet has no column."""
    kept = {k: v for k, v in entry_record(entry).items() if k not in row.columns}
    merged = row.record | kept
    return replace(row, record={key: merged[key] for key in KEYS if merged.get(key)})


def _rows(sheet: Any, kind: Kind) -> Iterator[Row]:
    lines = sheet.iter_rows()
    header = [str(cell.value or "").strip() for cell in next(lines, ())]
    unknown = [name for name in header if name and name not in _KEY_OF]
    if unknown:
        raise SpreadsheetError(f"表“{sheet.title}”第 1 行不认识的列：{'、'.join(unknown)}")
    if "编号" not in header:
        raise SpreadsheetError(f"表“{sheet.title}”第 1 行没有“编号”这一列")
    columns = frozenset(_KEY_OF[name] for name in header if name)
    for number, line in enumerate(lines, 2):
        where = f"表“{sheet.title}”第 {number} 行"
        cells = {}
        for name, cell in zip(header, line, strict=False):
            if not name or cell.value in (None, ""):
                continue
            if cell.data_type == "f":
                raise SpreadsheetError(f"{where}的“{name}”是公式。请复制以后“粘贴为数值”再读")
            cells[_KEY_OF[name]] = cell.value
        if not cells:
            continue
        if not cells.get("id"):
            raise SpreadsheetError(f"{where}没有编号")
        record = {key: _value(key, cells[key], where) for key in KEYS if key in cells}
        topic = str(record.get("topic", ""))
        if kind is Kind.SITUATION:
            record.pop("topic", None)
            if not topic:
                raise SpreadsheetError(f"{where}没有主题")
        stamp = str(cells.get("stamp", "")).strip()
        yield Row(kind, topic if kind is Kind.SITUATION else "", record, where, stamp, columns)


def _value(key: str, cell: Any, where: str) -> Any:
    if key in _DATES:
        if isinstance(cell, datetime):
            return cell.date()
        match = _DATE.fullmatch(str(cell).strip())
        try:
            return date(*map(int, match.groups())) if match else date.fromisoformat(str(cell))
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
