"""Every sentence of the desk stands in kb/wording/desk.yaml, and each is used."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from bot.core.handoff import Outcome, TicketAction, TicketState
from bot.desk.permissions import ACTIONS
from bot.desk.queue import Tab
from bot.storage.store import Role
from kb.load import SHIPPED

ROOT = Path(__file__).parent.parent.parent
_FILES = {"desk.css", "desk.js", "desk.svg", "desk.yaml"}
CHINESE = re.compile(r"[\u4e00-\u9fff]")


def _sources() -> dict[Path, str]:
    files = [*(ROOT / "bot/desk").rglob("*"), ROOT / "scripts/staff.py"]
    texts = {f: f.read_text("utf-8") for f in files if f.suffix in (".py", ".html", ".js")}
    assert len(texts) > 25
    return texts


def _wording() -> dict[str, str]:
    loaded = yaml.safe_load((SHIPPED / "wording/desk.yaml").read_text("utf-8"))
    wording: dict[str, str] = loaded["wording"]
    assert len(wording) > 150
    return wording


def test_every_key_that_is_said_is_written_and_every_one_written_is_said() -> None:
    wording, sources = _wording(), "\n".join(_sources().values())
    keys = set(re.findall(r'"(desk\.[a-z_.]*[a-z])"', sources)) - _FILES
    families = set(re.findall(r'"(desk\.[a-z_.]+[._])[{"]', sources))
    named = {f"{key}." for key in keys if key not in wording}  # code_name adds the code
    missing = [f for f in families | named if not any(k.startswith(f) for k in wording)]
    assert missing == []
    unused = [k for k in wording if k not in keys and not k.startswith(tuple(families | named))]
    assert unused == []


def test_every_code_has_a_name() -> None:
    wording = _wording()
    for family, codes in (
        ("desk.state", TicketState),
        ("desk.outcome", Outcome),
        ("desk.role", Role),
        ("desk.tab", Tab),
        ("desk.action", [*TicketAction, "open"]),
        ("desk.do", ACTIONS),
        ("desk.done", ACTIONS),
    ):
        for code in codes:
            assert f"{family}.{code}" in wording


def test_no_chinese_stands_in_the_code_or_the_templates() -> None:
    for path, text in _sources().items():
        if path.name != "staff.py":  # a command speaks before there is any knowledge base
            lines = [line.split("#")[0] for line in text.splitlines()]
            code = re.sub(r'"""[\s\S]*?"""', "", "\n".join(lines))
            assert not CHINESE.search(code), path
