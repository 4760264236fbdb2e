"""`suifawen benchmark retrieval` on a slice, where only its rows can be checked."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from scripts._benchmark import retrieval
from scripts._benchmark.systems import HUB, OURS, SYSTEMS
from scripts._benchmark.task import Document, Task, load_task

ROOT = Path(__file__).parent.parent
FTS5 = "SQLite FTS5, trigram"
NEEDS = {
    "BM25, jieba words": ("bm25s", "jieba"),
    "BM25, characters 1+2": ("bm25s",),
    "TF-IDF, linear topic": ("sklearn",),
    HUB: ("sentence_transformers",),
}
HIDDEN = ("jieba", "sklearn", "sentence_transformers")
"""Made absent, whatever is installed; bm25s may be there or not."""


def _run(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, with a temporary folder of its own."""
    stubs, temporary = tmp_path / "stubs", tmp_path / "tmp"
    stubs.mkdir()
    temporary.mkdir()
    for name in HIDDEN:
        (stubs / f"{name}.py").write_text(f"raise ModuleNotFoundError('hidden', name='{name}')\n")
    path = f"{stubs}{os.pathsep}{ROOT}"
    return subprocess.run(
        [sys.executable, "-m", "scripts", "benchmark", "retrieval", "--data", str(tmp_path / "no"),
         "--limit", "8", "--rounds", "1", "--hub-model", "anything"],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(temporary)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def _absent(name: str) -> list[str]:
    """Return the packages that the system ``name`` lacks in this test."""
    return [p for p in NEEDS.get(name, ()) if p in HIDDEN or find_spec(p) is None]


def test_every_system_has_a_row_and_absent_packages_are_named(tmp_path: Path) -> None:
    done = _run(tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("8 questions, ")
    assert "situation hit@1" in lines[1] and "p95 ms" in lines[1] and "start MB" in lines[1]
    for name in SYSTEMS:
        number, row = next((i, line) for i, line in enumerate(lines) if line.startswith(f"{name} "))
        lacking = _absent(name)
        if lacking:
            assert f"not installed: {lacking[0]} (pip install 'suifawen[" in row
            continue
        assert "not installed" not in row
        assert row.count("[") == 2 and lines[number + 1].startswith("  x ours")
    assert len({name for name in SYSTEMS if not _absent(name)}) >= 2
    assert f"building: {OURS}" in done.stderr
    assert not any((tmp_path / "tmp").iterdir()), "something was left in the temporary folder"


def test_labelled_questions_give_topic_and_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    questions = tmp_path / "questions.jsonl"
    questions.write_text(
        '{"text": "老板拖欠工资", "topic": "wage-arrears", "services": ["labor-inspection"]}\n'
        '{"text": "找人算命", "topic": "not-legal"}\n',
        encoding="utf-8",
    )
    judged = [
        {"ids": ["labor-inspection"], "topic": "wage-arrears", "service": "labor-inspection"},
        {"ids": ["labor-inspection"], "topic": "not-legal", "service": None},
    ]
    found = [{**answer, "topic": None, "service": None} for answer in judged]

    def child(name: str, step: str, folder: Path) -> dict[str, Any]:
        if step == "build":
            return {"build_s": 1.0, "build_mb": 2.0}
        answers = judged if name == OURS else found
        return {"start_s": 1.0, "start_mb": 2.0, "ms": [1.0, 3.0], "answers": answers}

    monkeypatch.setattr(retrieval, "_child", child)
    arguments = ["--questions", str(questions), "--data", str(tmp_path), "--limit", "2"]
    done = CliRunner().invoke(retrieval.retrieval, [*arguments, "--only", FTS5])
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[1].split()[:4] == ["service", "hit@1", "topic", "top-1"]
    assert lines[2].startswith("ours ") and "1.000 [1.000, 1.000]" in lines[2]
    # The office has a topic of its own or none; either way it is not right for both questions.
    assert lines[4].startswith(FTS5) and "1.000 [1.000, 1.000]" in lines[4]
    assert float(lines[5].split()[3]) < 1
    assert "ours by its best candidate alone: topic top-1" in done.stdout
    assert "trained with them" not in done.stdout


@pytest.fixture
def task(tmp_path: Path) -> Task:
    return Task(
        folder=tmp_path,
        documents=(
            Document("wages", "wage-arrears", "拖欠工资", "单位拖欠工资怎么办", ("老板不给工资",)),
            Document("divorce", "divorce", "协议离婚", "双方同意离婚", ("想离婚怎么办手续",)),
        ),
        messages=(("工资没发", "wage-arrears", "labor-inspection"), ("不清楚", None, None)),
        phrasings=(("老板不给工资", "wage-arrears"), ("想离婚", "divorce")),
        questions=("老板拖欠工资",),
        dialect=None,
        encoder="",
        hub_model="",
    )


def test_a_task_comes_back_as_it_was_saved(task: Task) -> None:
    task.save()
    assert load_task(task.folder) == task


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("老板拖欠工资了", ("wages",)),
        ('"协议离婚" OR (要\0带什么*', ("divorce",)),
        ("工资", ()),
        ("", ()),
        ("甲乙丙丁" * 500, ()),
    ],
)
def test_fts5_takes_any_text(task: Task, text: str, found: tuple[str, ...]) -> None:
    system = SYSTEMS[FTS5].build(task, task.folder)
    try:
        assert system.ask(text).ids == found
    finally:
        system._db.close()  # type: ignore[attr-defined]
