"""What an operator or a client gets wrong is told in one line, and stops nothing else."""

from __future__ import annotations

import json
import os
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
