"""The server as an operator starts it: a child process, real files, real kills."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

from tests.serving import ROOT, run, serving

BAD_REQUESTS = (
    b"",
    b"[",
    b"[]",
    b'{"text": 1}',
    b'{"id": "x"}',
    b"\xff",
    b"[" * 5000,
    b'{"text": "a", "turns": ["b"]}',
    b'{"turns": []}',
    b'{"text": "a", "x": 1}',
)


def test_start_stop_and_start_again(data: Path) -> None:
    with serving(data) as server:
        assert len(server.first_password) >= 10
        assert json.loads(server.get("/health"))["ok"] is True
        assert "随法问" in server.get("/").decode()
        assert b"<form" in server.get("/desk/login")
        assert (data / "keys/contact.key").stat().st_mode & 0o777 == 0o600
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(timeout=15) == 0
    started = time.monotonic()
    with serving(data) as server:
        assert time.monotonic() - started < 20  # 5 s on a quiet machine; tests run beside others
        assert "密码" not in server.said  # shown once
        assert server.get("/health")


def test_ask_over_http_keeps_the_contract(data: Path) -> None:
    with serving(data) as server:
        status, answer = server.ask(
            json.dumps({"id": "a", "text": "老板跑路了工钱没给怎么办"}).encode()
        )
        assert status == 200
        assert answer["id"] == "a" and answer["status"] == "answered"
        assert answer["topic"] == "wage-arrears" and "replies" not in answer
        turns = {"id": "b", "turns": ["老板跑路了工钱没给怎么办", "要带什么"]}
        status, answer = server.ask(json.dumps(turns).encode())
        assert status == 200 and len(answer["replies"]) == 2  # type: ignore[arg-type]
        for bad in BAD_REQUESTS:
            status, answer = server.ask(bad)
            assert status == 400 and answer["status"] == "error_request", bad
        status, answer = server.ask(json.dumps({"text": "老" * 1_000_000}).encode())
        assert status == 413 and answer["status"] == "error_request"
        assert json.loads(server.get("/health"))["store"]["conversations"] == 0  # stores nothing


def test_a_second_server_on_the_same_data_is_refused(data: Path) -> None:
    with serving(data):
        done = run("serve", "--port", "0", data=data)
        assert done.returncode == 1 and "正在被另一个随法问使用" in done.stderr


def test_a_taken_port_says_what_to_do(data: Path, tmp_path: Path) -> None:
    with serving(data) as server:
        other = tmp_path / "other"
        shutil.copytree(data / "bundles", other / "bundles")
        port = server.base.rsplit(":", 1)[1]
        done = run("serve", "--port", port, data=other)
        assert done.returncode == 1 and "已经被别的程序占用" in done.stderr


@pytest.mark.parametrize("token", ["nonsense", "a b"])
def test_a_wrong_telegram_token_is_refused_without_showing_it(data: Path, token: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "scripts", "serve", "--port", "0", "--data", str(data)],
        cwd=ROOT, capture_output=True, text=True, timeout=60,
        env={**os.environ, "SUIFAWEN_TELEGRAM_TOKEN": token},
    )  # fmt: skip
    assert done.returncode == 1
    assert "Telegram" in done.stderr and "Traceback" not in done.stderr


def test_backup_while_serving_and_restore(data: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.tar.gz"
    (data / "kb" / "places").mkdir(parents=True)
    (data / "kb" / "operator.yaml").write_text("name: 某某司法局\n")
    with serving(data) as server:
        stop = threading.Event()

        def talk() -> None:
            while not stop.is_set():
                server.get("/health")

        thread = threading.Thread(target=talk)
        thread.start()
        done = run("backup", str(target), data=data)
        stop.set()
        thread.join()
        assert done.returncode == 0, done.stderr
        refused = run("restore", str(target), data=data)
        assert refused.returncode == 1 and "先停掉" in refused.stderr
    assert target.stat().st_mode & 0o777 == 0o600
    with tarfile.open(target) as archive:
        names = archive.getnames()
    assert "suifawen.db" in names and "kb/operator.yaml" in names
    assert not any("key" in name for name in names)
    done = run("restore", str(target), data=data)
    assert done.returncode == 0, done.stderr
    assert (data / "kb/operator.yaml").read_text() == "name: 某某司法局\n"
    assert len(list(data.glob("before-restore-*"))) == 1
    with serving(data) as server:
        assert json.loads(server.get("/health"))["ok"] is True
        assert "密码" not in server.said  # the account came back with the database


def test_a_foreign_or_damaged_backup_changes_nothing(data: Path, tmp_path: Path) -> None:
    with serving(data):
        pass
    before = (data / "suifawen.db").read_bytes()
    (tmp_path / "junk.tar.gz").write_bytes(b"junk")
    with tarfile.open(tmp_path / "empty.tar.gz", "w:gz"):
        pass
    broken = tmp_path / "suifawen.db"
    broken.write_bytes(before[:5000] + os.urandom(5000))
    with tarfile.open(tmp_path / "broken.tar.gz", "w:gz") as archive:
        archive.add(broken, "suifawen.db")
    for name in ("junk", "empty", "broken"):
        done = run("restore", str(tmp_path / f"{name}.tar.gz"), data=data)
        assert done.returncode == 1 and "没有恢复" in done.stderr and "Traceback" not in done.stderr
    assert (data / "suifawen.db").read_bytes() == before


def test_a_new_bundle_is_swapped_in_without_losing_a_request(data: Path) -> None:
    with serving(data) as server:
        body = json.dumps({"text": "房东不退押金"}).encode()
        first = server.ask(body)[1]["bundle"]
        (data / "kb" / "wording").mkdir(parents=True)
        (data / "kb/wording/answers.yaml").write_text("wording: {social.thanks: 不客气。}\n")
        failures: list[object] = []
        stop = threading.Event()

        def keep_asking() -> None:
            while not stop.is_set():
                status, answer = server.ask(body)
                if status != 200 or answer["status"] != "answered":
                    failures.append((status, answer))

        thread = threading.Thread(target=keep_asking)
        thread.start()
        try:
            done = run("kb", "publish", "--by", "测试", data=data)
            assert done.returncode == 0, done.stderr + done.stdout
            end = time.monotonic() + 30
            while server.ask(body)[1]["bundle"] == first and time.monotonic() < end:
                time.sleep(0.2)
        finally:
            stop.set()
            thread.join()
        assert not failures
        assert server.ask(body)[1]["bundle"] != first
        assert server.ask(json.dumps({"text": "谢谢"}).encode())[1]["text"] == "不客气。"
        done = run("kb", "rollback", "--by", "测试", data=data)
        assert done.returncode == 0, done.stderr
        end = time.monotonic() + 30
        while server.ask(body)[1]["bundle"] != first and time.monotonic() < end:
            time.sleep(0.2)
        assert server.ask(body)[1]["bundle"] == first
    log = run("kb", "published", data=data).stdout
    assert "rollback" in log and "测试" in log


def test_a_damaged_bundle_is_refused_and_built_again(data: Path) -> None:
    folder = next(p for p in (data / "bundles").iterdir() if p.is_dir())
    path = folder / "dense.faiss"
    raw = bytearray(path.read_bytes())
    raw[len(raw) // 2] ^= 1
    path.write_bytes(raw)
    done = run("ask", "你好", data=data)
    assert done.returncode == 1
    assert "dense.faiss" in done.stderr and "suifawen build" in done.stderr
    assert "Traceback" not in done.stderr
    assert run("build", data=data).returncode == 0
    assert "随法问" in run("ask", "你好", data=data).stdout


def test_ask_jsonl(data: Path) -> None:
    lines = ['{"id": "1", "text": "房东不退押金"}', "not json", "", '{"id": "2"}']
    done = subprocess.run(
        [sys.executable, "-m", "scripts", "ask", "--jsonl", "--data", str(data)],
        cwd=ROOT, input="\n".join(lines), capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    rows = [json.loads(line) for line in done.stdout.splitlines()]
    assert [row["id"] for row in rows] == ["1", "", "2"]
    assert rows[0]["status"] == "answered" and rows[1]["status"] == "error_request"
    assert done.returncode == 1  # something was wrong, and nothing was lost


def test_every_verb_has_help() -> None:
    from click.testing import CliRunner

    from scripts.__main__ import main

    runner = CliRunner()
    verbs = sorted(p.stem for p in (ROOT / "scripts").glob("*.py") if not p.stem.startswith("_"))
    assert len(verbs) >= 12
    for verb in verbs:
        result = runner.invoke(main, [verb.replace("_", "-"), "--help"])
        assert result.exit_code == 0 and "Usage" in result.output, verb
