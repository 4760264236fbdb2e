"""The next plan: taken in under a new prefix, with what it follows."""

from __future__ import annotations

from pathlib import Path

from click.testing import CliRunner

from kb.check import check_knowledge
from kb.load import SHIPPED, load_knowledge
from kb.succession import find_successors
from kb.types import Knowledge
from scripts.__main__ import main

TEXT = """法治随州建设规划(2026—2030年)
为建设更高水平的法治随州,制定本规划。
一、总体要求
(一) 指导思想。高举中国特色社会主义伟大旗帜。
(二) 优化公共法律服务供给。到2030年,每个村都有法律顾问,打造“指尖上的法律服务”。
(三) 建设人工智能法律服务。全新的内容从来没有写过。
"""
ARGUMENTS = (
    "--title", "法治随州建设规划(2026—2030年)", "--from", "2026-01-01", "--to", "2030-12-31",
    "--numbering", "chinese",
)  # fmt: skip


def _run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    source = tmp_path / "new.txt"
    if not source.exists():
        source.write_text(TEXT, encoding="utf-8")
    result = CliRunner().invoke(
        main, ["kb", "add-document", *arguments, "--data", str(tmp_path / "data")]
    )
    return result.exit_code, result.output


def test_a_new_plan_gets_a_new_prefix_and_shows_what_it_follows(tmp_path: Path) -> None:
    source = str(tmp_path / "new.txt")
    code, said = _run(tmp_path, "plan2", source, *ARGUMENTS, "--replaces", "plan")
    assert code == 0, said
    assert "plan2-2（优化公共法律服务供给） <- plan-20（优化公共法律服务供给）" in said
    assert "plan2-3（建设人工智能法律服务） <- 新的" in said
    assert "plan-30" in said  # has no successor
    knowledge = load_knowledge((SHIPPED, tmp_path / "data/kb"))
    assert knowledge.provisions["plan2-2"].text.startswith("到2030年，每个村都有法律顾问")
    assert knowledge.documents["plan2"].valid_to.year == 2030
    assert not check_knowledge(knowledge)  # notes may come later
    code, said = _run(tmp_path, "plan2", source, *ARGUMENTS)
    assert code == 1 and "已经用过" in said


def test_bad_input_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    source = str(tmp_path / "new.txt")
    assert "没有文件" in _run(tmp_path, "p2", source, *ARGUMENTS, "--replaces", "nothing")[1]
    assert "前缀" in _run(tmp_path, "Plan 2", source, *ARGUMENTS)[1]
    (tmp_path / "new.txt").write_text(TEXT.replace("(三)", "(四)"))
    code, said = _run(tmp_path, "p2", source, *ARGUMENTS)
    assert code == 1 and "解析不了" in said and "expected number 3" in said
    assert not (tmp_path / "data/kb/provisions").exists()


def test_a_document_succeeds_itself(knowledge: Knowledge) -> None:
    plan = [p for p in knowledge.provisions.values() if p.document == "plan"]
    found, gone = find_successors(plan, plan)
    assert all(s.new == s.old for s in found) and not gone
