"""Every wording that the code says exists and can be filled in; none is left over."""

from __future__ import annotations

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.core.answering import FOLDS
from bot.core.handoff import HandoffKind, Outcome, TicketState
from bot.core.inbound import MessageKind
from bot.core.intake import Question, Who
from bot.core.playbook import PlaybookError
from bot.thinking import Mind
from kb.types import Facet

ROOT = Path(__file__).parent.parent.parent
OTHERS = ("web.", "telegram.", "desk.")
"""Wording of channels and the desk; their own tests look after it."""


def _strings() -> Iterator[str]:
    for path in (ROOT / "bot").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _families(mind: Mind) -> set[str]:
    """Keys whose last part is computed, in full."""
    made: set[str] = {f"facet.{f.value}" for f in Facet}
    made |= {f"button.{f}" for f in FOLDS} | {f"button.{k}" for k in HandoffKind}
    made |= {f"button.{a}" for a in ("add", "withdraw")} | {f"button.who_{w}" for w in Who}
    asked = [q for q in Question if q not in (Question.ABROAD, Question.CONSENT, Question.GUARDIAN)]
    made |= {f"button.fix_{q}" for q in asked}
    made |= {f"intake.ask_{q}" for q in Question} | {f"intake.start_{k}" for k in HandoffKind}
    made |= {f"intake.row_{r}" for r in ("kind", "story", "place", "who", "phone")}
    made |= {f"kind.{k}" for k in HandoffKind} | {f"outcome.{o}" for o in Outcome}
    made |= {f"{p}.{s}" for p in ("state", "next") for s in TicketState}
    made |= {f"danger.{k.id}" for k in mind.playbook.danger.kinds}
    readable = (MessageKind.TEXT, MessageKind.CHOICE)
    made |= {f"unreadable.{k}" for k in MessageKind if k not in readable}
    made |= {f"data.author_{a}" for a in ("citizen", "bot", "staff")}
    made |= {f"data.{k}" for k in ("phone", "place_words", "story")}
    return made


def test_every_wording_is_there_and_used(mind: Mind) -> None:
    shaped = re.compile(r"[a-z]+\.[a-z_]+")
    said = {s for s in _strings() if shaped.fullmatch(s)} | _families(mind)
    keys = {k for k in mind.playbook.wording if not k.startswith(OTHERS)}
    assert len(keys) > 150
    assert not _families(mind) - keys, "the code says these, kb/wording/ lacks them"
    assert not keys - said, "kb/wording/ has these, the code never says them"


def test_wording_is_plain_text_without_markup(mind: Mind) -> None:
    for key, text in mind.playbook.wording.items():
        names = [name for _, name, _, _ in string.Formatter().parse(text) if name is not None]
        assert all(re.fullmatch(r"[a-z_]+", name) for name in names), key
        assert "<" not in text and text.strip(), key


def test_missing_wording_and_values_say_which(mind: Mind) -> None:
    with pytest.raises(PlaybookError, match=r"no\.such"):
        mind.playbook.say("no.such")
    with pytest.raises(PlaybookError, match=r"ticket\.owner"):
        mind.playbook.say("ticket.owner")
