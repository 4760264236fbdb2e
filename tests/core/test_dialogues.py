"""Plays every dialogue of tests/dialogues/*.yaml. Anybody can add one; see README.md there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.core.acting import Act, act_on
from bot.core.effects import (
    AddToTicket,
    Effect,
    ForgetConversation,
    KeepWords,
    OpenTicket,
    RaiseTicket,
    RecordAnswer,
    Say,
    WithdrawTicket,
)
from bot.core.events import TicketActed
from bot.core.handoff import Ticket, TicketAction, TicketState
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.reply import Reply, plain_text
from bot.core.session import Session
from bot.thinking import Mind, received, think

FOLDER = Path(__file__).parent.parent / "dialogues"
START = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
KEYS = {
    "say", "tap", "send", "staff", "words", "status", "topic", "situation", "urgency", "handoff",
    "has", "hasnt", "buttons", "no_buttons", "effects", "no_effects", "replies", "services",
    "address_openings", "transcript",
}  # fmt: skip
EFFECTS = {
    "open": OpenTicket, "add": AddToTicket, "raise": RaiseTicket, "withdraw": WithdrawTicket,
    "forget": ForgetConversation, "mask": KeepWords,
}  # fmt: skip


def _dialogues() -> Iterator[Any]:
    for path in sorted(FOLDER.glob("*.yaml")):
        for dialogue in yaml.safe_load(path.read_text(encoding="utf-8")):
            yield pytest.param(dialogue, id=f"{path.stem}: {dialogue['name']}")


class Conversation:
    """One conversation in memory: what `Turns` does with a store, without the store."""

    def __init__(self, mind: Mind, channel: str) -> None:
        self.mind = mind
        self.session = Session(conversation=1, channel=channel)
        self.now = START
        self.codes = 0
        self.replies: list[Reply] = []
        self.effects: tuple[Effect, ...] = ()
        self.judgement: Any = None

    def hear(self, kind: MessageKind, text: str, choice: str | None, openings: int) -> None:
        self.now += timedelta(minutes=1)
        self.codes += 1
        code = f"TEST-CODE-{self.codes:04}"
        message = InboundMessage(
            channel=self.session.channel, sender="x", dedupe_key=code, kind=kind, text=text,
            choice=choice, received_at=self.now,
        )  # fmt: skip
        event = received(message, self.mind.playbook, self.now, code)
        named = next((t for t in self.session.tickets if t.code in text.upper()), None)
        event = replace(event, named=named, openings=(openings, 0))
        self._take(think(self.mind, self.session, event))

    def staff(self, action: str, words: str) -> None:
        self.now += timedelta(minutes=1)
        ticket = self.session.tickets[0]
        act = Act(action=TicketAction(action), at=self.now, staff=7, staff_name="李调解")
        self._change(act_on(ticket, act, self.mind.playbook.handoff))
        event = TicketActed(
            at=self.now, code=ticket.code, action=act.action, text=words, staff_name="李调解"
        )
        self._take(think(self.mind, self.session, event))

    def _take(self, decision: Any) -> None:
        tickets = self.session.tickets
        self.session, self.effects = decision.session, decision.effects
        self.replies = [e.reply for e in self.effects if isinstance(e, Say)]
        recorded = [e.judgement for e in self.effects if isinstance(e, RecordAnswer)]
        self.judgement = recorded[-1] if recorded else None
        self.session = replace(self.session, tickets=tickets)
        actions = {
            AddToTicket: TicketAction.CITIZEN_ADD, RaiseTicket: TicketAction.RAISE,
            WithdrawTicket: TicketAction.WITHDRAW,
        }  # fmt: skip
        for effect in self.effects:
            if isinstance(effect, OpenTicket):
                opened = Ticket(
                    code=effect.code, kind=effect.kind, state=TicketState.WAITING,
                    topic=effect.topic, matter=effect.matter, county=effect.county,
                    opened_at=self.now, acted_at=self.now, due_at=effect.due_at,
                )  # fmt: skip
                self.session = replace(self.session, tickets=(opened, *self.session.tickets))
            elif type(effect) in actions:
                ticket = next(t for t in self.session.tickets if t.code == effect.code)
                act = Act(action=actions[type(effect)], at=self.now)
                self._change(act_on(ticket, act, self.mind.playbook.handoff))

    def _change(self, ticket: Ticket) -> None:
        tickets = tuple(ticket if t.code == ticket.code else t for t in self.session.tickets)
        self.session = replace(self.session, tickets=tickets)

    def button(self, label: str) -> str:
        for reply in self.replies:
            for button in reply.buttons:
                if label in button.label and button.choice:
                    return button.choice
        offered = [b.label for r in self.replies for b in r.buttons]
        raise AssertionError(f"no button “{label}”; there are {offered}")


@pytest.mark.parametrize("dialogue", list(_dialogues()))
def test_dialogue(dialogue: dict[str, Any], mind: Mind) -> None:
    talk = Conversation(mind, dialogue.get("channel", "web"))
    for turn in dialogue["turns"]:
        unknown = set(turn) - KEYS
        assert not unknown, f"unknown keys {unknown} in {turn}"
        openings = turn.get("address_openings", 0)
        if "say" in turn:
            talk.hear(MessageKind.TEXT, str(turn["say"]), None, openings)
        elif "tap" in turn:
            talk.hear(MessageKind.CHOICE, turn["tap"], talk.button(turn["tap"]), openings)
        elif "send" in turn:
            talk.hear(MessageKind(turn["send"]), turn.get("words", ""), None, openings)
        else:
            talk.staff(turn["staff"], turn.get("words", ""))
        _check(turn, talk)


def _check(turn: dict[str, Any], talk: Conversation) -> None:
    shown = "\n".join(plain_text(reply) for reply in talk.replies)
    labels = [b.label for reply in talk.replies for b in reply.buttons]
    judged = talk.judgement
    for key in ("status", "topic", "situation", "urgency", "handoff"):
        if key in turn:
            value = getattr(judged, key) if judged else talk.replies[-1].status
            assert value == turn[key], f"{key} is {value}, said:\n{shown}"
    for text in map(str, turn.get("has", ())):
        assert text in shown, f"“{text}” is not in:\n{shown}"
    for text in map(str, turn.get("hasnt", ())):
        assert text not in shown, f"“{text}” is in:\n{shown}"
    for label in turn.get("buttons", ()):
        assert any(label in given for given in labels), f"no button {label} in {labels}"
    for label in turn.get("no_buttons", ()):
        assert not any(label in given for given in labels), f"button {label} in {labels}"
    for name in turn.get("effects", ()):
        assert any(isinstance(e, EFFECTS[name]) for e in talk.effects), f"{name}: {talk.effects}"
    for name in turn.get("no_effects", ()):
        assert not any(isinstance(e, EFFECTS[name]) for e in talk.effects), name
    for service in turn.get("services", ()):
        assert service in judged.services
    if "replies" in turn:
        assert len(talk.replies) == turn["replies"], shown
    if "transcript" in turn:
        kept = [e.text for e in talk.effects if isinstance(e, KeepWords)]
        assert kept and turn["transcript"] in kept[0]


def test_there_are_dialogues() -> None:
    assert len(list(_dialogues())) >= 20
