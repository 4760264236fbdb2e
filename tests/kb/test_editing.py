"""The editor's commands on the operator's own layer: nothing is lost, nothing half-done passes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from openpyxl import load_workbook

from kb.load import SHIPPED, load_files
from kb.yamlfile import KnowledgeError, load_yaml
from scripts.kb import command

RENT = "rental-deposit"


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(command, list(arguments))


@pytest.fixture
def book(tmp_path: Path) -> Path:
    path = tmp_path / "k.xlsx"
    assert _run("export", str(path), "--data", str(tmp_path)).exit_code == 0
    return path


def _edit(path: Path, edit: Callable[[Any, dict[str, int]], None]) -> None:
    workbook = load_workbook(path)
    sheet = workbook["情形"]
    edit(sheet, {cell.value: cell.column for cell in sheet[1]})
    workbook.save(path)


def _row(sheet: Any, id_: str) -> int:
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, 1).value == id_)


def _set(header: str, value: str) -> Callable[[Any, dict[str, int]], None]:
    def edit(sheet: Any, columns: dict[str, int]) -> None:
        sheet.cell(_row(sheet, RENT), columns[header]).value = value

    return edit


def _own(tmp_path: Path) -> list[str]:
    return sorted(p.name for p in (tmp_path / "kb").rglob("*.yaml"))


def test_an_edit_comes_back_and_nothing_else(book: Path, tmp_path: Path) -> None:
    _edit(book, _set("名字", "押金要不回来了"))
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 0 and "1 个条目变了" in result.output
    assert _own(tmp_path) == ["rental.yaml"]
    assert "押金要不回来了" in (tmp_path / "kb/situations/rental.yaml").read_text()


def test_an_older_sheet_never_writes_over_a_newer_text(book: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.xlsx"
    old.write_bytes(book.read_bytes())
    _edit(book, _set("名字", "押金要不回来了"))
    assert _run("import", str(book), "--data", str(tmp_path)).exit_code == 0
    result = _run("import", str(old), "--data", str(tmp_path))
    assert result.exit_code == 0 and RENT in result.output and "不动" in result.output
    assert "押金要不回来了" in (tmp_path / "kb/situations/rental.yaml").read_text()
    _edit(old, _set("名字", "房东不退押金啊"))
    result = _run("import", str(old), "--data", str(tmp_path))
    assert result.exit_code == 1 and "别处也改过" in result.output
    assert "押金要不回来了" in (tmp_path / "kb/situations/rental.yaml").read_text()


@pytest.mark.parametrize(
    ("header", "value", "says"),
    [("编号", "wage-arrears-iou", "用了两次"), ("主题", "foo", "没有主题“foo”")],
)
def test_a_sheet_with_a_fault_writes_nothing(
    book: Path, tmp_path: Path, header: str, value: str, says: str
) -> None:
    _edit(book, _set(header, value))
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 1 and says in result.output
    assert not (tmp_path / "kb").exists()


def test_a_renamed_sheet_is_told(book: Path, tmp_path: Path) -> None:
    workbook = load_workbook(book)
    workbook["情形"].title = "情形 (2)"
    workbook.save(book)
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 1 and "不认识的表“情形 (2)”" in result.output


def test_an_entry_of_another_topic_moves_to_its_file(book: Path, tmp_path: Path) -> None:
    _edit(book, _set("主题", "house-sale"))
    assert _run("import", str(book), "--data", str(tmp_path)).exit_code == 0
    _edit(book, _set("主题", "contract"))
    fresh = tmp_path / "again.xlsx"
    assert _run("export", str(fresh), "--data", str(tmp_path)).exit_code == 0
    _edit(fresh, _set("主题", "contract"))
    assert _run("import", str(fresh), "--data", str(tmp_path)).exit_code == 0
    assert _own(tmp_path) == ["contract.yaml"]


def test_a_date_as_people_write_it(book: Path, tmp_path: Path) -> None:
    _edit(book, _set("下次核对", "2027/3/5"))
    assert _run("import", str(book), "--data", str(tmp_path)).exit_code == 0
    assert "review_by: 2027-03-05" in (tmp_path / "kb/situations/rental.yaml").read_text()


def test_what_kb_new_leaves_to_fill_in_does_not_pass(tmp_path: Path) -> None:
    assert _run("new", "situation", "divorce", "Bad ID", "--data", str(tmp_path)).exit_code == 1
    done = _run("new", "situation", "divorce", "divorce-own", "--data", str(tmp_path))
    assert done.exit_code == 0
    text = (tmp_path / "kb/situations/divorce.yaml").read_text()
    assert "&id" not in text and "evidence:" in text
    checked = _run("check", "--with", str(tmp_path / "kb"))
    assert checked.exit_code == 1
    for left in ("（去哪里）", "（要不要钱）", "（千万不要）"):
        assert left in checked.output


def test_statutes_imported_before_stay(tmp_path: Path) -> None:
    for name, law in (("a.md", "测试法"), ("b.txt", "考试法")):
        (tmp_path / name).write_text(f"{law}\n\n第一条 为了测试，写这一条。\n", encoding="utf-8")
        result = _run("import-statutes", str(tmp_path / name), "--data", str(tmp_path))
        assert result.exit_code == 0, result.output
    assert "保留的 1 部" in result.output
    laws = (tmp_path / "statutes/laws.json").read_text()
    assert "测试法" in laws and "考试法" in laws
    _run("import-statutes", "--replace", str(tmp_path / "b.txt"), "--data", str(tmp_path))
    assert "测试法" not in (tmp_path / "statutes/laws.json").read_text()


def test_a_column_that_is_not_there_is_left_as_it_is(book: Path, tmp_path: Path) -> None:
    workbook = load_workbook(book)
    for sheet in workbook.worksheets:
        for name in ("例外", "要留的证据"):
            sheet.delete_cols({c.value: c.column for c in sheet[1]}[name])
    workbook.save(book)
    _edit(book, _set("名字", "押金要不回来了"))
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 0 and "有 1 个条目变了" in result.output
    text = (tmp_path / "kb/situations/rental.yaml").read_text()
    assert "evidence:" in text and "押金要不回来了" in text


def test_a_formula_is_refused_and_not_read_as_nothing(book: Path, tmp_path: Path) -> None:
    _edit(book, _set("例外", "=A1"))
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 1 and "是公式" in result.output


def test_a_copied_row_with_a_new_id_is_a_new_entry(book: Path, tmp_path: Path) -> None:
    def copy(sheet: Any, columns: dict[str, int]) -> None:
        row = _row(sheet, RENT)
        sheet.append([cell.value for cell in sheet[row]])
        sheet.cell(sheet.max_row, 1).value = "rental-own"

    _edit(book, copy)
    result = _run("import", str(book), "--data", str(tmp_path))
    assert result.exit_code == 0 and "rental-own" in result.output


def test_nobody_approves_nothing_and_no_skeleton(tmp_path: Path) -> None:
    assert _run("approve", "--all", "--by", " ", "--data", str(tmp_path)).exit_code == 2
    _run("new", "situation", "divorce", "divorce-own", "--data", str(tmp_path))
    done = _run("approve", "divorce-own", "--by", "张三", "--data", str(tmp_path))
    assert done.exit_code == 1 and "先改好" in done.output
    assert _run("approve", RENT, "--by", "张三", "--data", str(tmp_path)).exit_code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ("import-statutes", "{folder}"),
        ("import-statutes", "{folder}/cut.jsonl.gz"),
        ("export", "{folder}/none/a.xlsx"),
        ("export", "{folder}"),
    ],
)
def test_no_command_ends_in_a_traceback(arguments: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "cut.jsonl.gz").write_bytes(b"\x1f\x8b junk")
    result = _run(*(a.format(folder=tmp_path) for a in arguments), "--data", str(tmp_path / "d"))
    assert result.exit_code in (1, 2) and isinstance(result.exception, SystemExit)


def test_a_phrase_of_the_operator_is_laid_over_the_shipped_ones(tmp_path: Path) -> None:
    own = tmp_path / "rules/phrases.yaml"
    own.parent.mkdir()
    own.write_text('phrases:\n  thanks: {whole: ["难为了"], longest: 5}\n', encoding="utf-8")
    phrases = load_files((SHIPPED, tmp_path))["rules/phrases"]["phrases"]
    assert phrases["thanks"]["whole"] == ["难为了"] and "progress" in phrases


def test_a_list_in_itself_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("a: &a [*a]\n", encoding="utf-8")
    with pytest.raises(KnowledgeError, match="指向自己"):
        load_yaml(tmp_path / "a.yaml", "a.yaml")
