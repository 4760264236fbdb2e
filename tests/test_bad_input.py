"""What an operator or a client gets wrong is told in one line, and stops nothing else."""

from __future__ import annotations

import gzip
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def _run(*arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [sys.executable, "-m", "scripts", *arguments],
        input=stdin, capture_output=True, env=dict(os.environ), timeout=120,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("operator.yaml", "promis_reply_hours: 3\n"),
        ("wording/answers.yaml", "wording: {social.thanks: '{'}\n"),
        ("rules/handoff.yaml", "silence_hour: 3\n"),
        ("operator.yaml", "promise_reply_hours: -3\n"),
    ],
)
def test_a_wrong_file_of_the_operator_is_told_by_check_and_build(
    name: str, text: str, tmp_path: Path
) -> None:
    file = tmp_path / "kb" / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    for command in (("kb", "check", "--with", str(tmp_path / "kb")),
                    ("build", "--data", str(tmp_path))):  # fmt: skip
        result = _run(*command)
        said = (result.stdout + result.stderr).decode()
        assert result.returncode == 1
        assert "Traceback" not in said
        assert Path(name).stem in said or "kb/wording" in said


def test_a_line_that_cannot_be_read_does_not_end_the_others(data: Path) -> None:
    lines = [b'{"id": "1", "text": "\xff\xfe"}', b'{"id": ' + b"9" * 5000 + b', "text": "x"}',
             b'{"id": "3", "text": "' + "离婚".encode() + b'"}']  # fmt: skip
    result = _run("ask", "--jsonl", "--data", str(data), stdin=b"\n".join(lines) + b"\n")
    rows = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(rows) == 3
    assert rows[1]["status"] == "error_request"
    assert rows[2]["id"] == "3" and rows[2]["status"] != "error_request"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("serve", "--host", "192.0.2.1"), "没有地址 192.0.2.1"),
        (("backup", "{folder}/not-mounted/backup.tgz"), "没有文件夹"),
        (("restore", "{folder}/cut.tgz"), "请换一份"),
        (
            ("kb", "add-document", "next", "{folder}", "--title", "新规划", "--from", "2026-01-01",
             "--to", "2030-12-31", "--numbering", "arabic"),
            "解析不了",
        ),
    ],
)  # fmt: skip
def test_a_command_that_cannot_work_says_why(
    arguments: tuple[str, ...], says: str, data: Path, tmp_path: Path
) -> None:
    own = tmp_path / "own"
    shutil.copytree(data, own)
    (own / "suifawen.db").touch()
    (tmp_path / "cut.tgz").write_bytes(gzip.compress(b"x" * 20_000)[:40])
    result = _run(*(a.format(folder=tmp_path) for a in arguments), "--data", str(own))
    said = (result.stdout + result.stderr).decode()
    assert result.returncode == 1 and says in said and "Traceback" not in said
