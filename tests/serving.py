"""A server as an operator starts it: a child process on a folder of real files."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent


@dataclass
class Server:
    """``said`` is what it printed until it was ready; ``base`` its address without a slash."""

    process: subprocess.Popen[str]
    base: str
    said: str

    @property
    def first_password(self) -> str:
        found = re.search(r"账号 admin\s+密码 (\S+)", self.said)
        assert found, self.said
        return found[1]

    def get(self, path: str) -> bytes:
        with urllib.request.urlopen(self.base + path, timeout=5) as response:
            data: bytes = response.read()
            return data

    def ask(self, body: bytes) -> tuple[int, dict[str, object]]:
        """POST to the contract; return the HTTP status and the JSON."""
        request = urllib.request.Request(
            self.base + "/api/v1/ask", data=body, headers={"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.loads(response.read())
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            return error.code, json.loads(text) if text.startswith("{") else {"text": text}


def run(*arguments: str, data: Path) -> subprocess.CompletedProcess[str]:
    """Run a verb of the command on ``data`` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "scripts", *arguments, "--data", str(data)],
        cwd=ROOT, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """Start a server on ``data`` at a free port; it is killed afterwards."""
    process = subprocess.Popen(
        [sys.executable, "-m", "scripts", "serve", "--port", "0", "--data", str(data)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    said = ""
    try:
        for line in process.stdout:
            said += line
            if "Ctrl+C" in line:
                break
        base = re.search(r"群众对话页\s+(http://\S+?)/\s", said)
        assert base, said
        yield Server(process, base[1], said)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
