"""Small makers of values, so that a test names only what it is about."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from bot.core.effects import OpenTicket, RecordAnswer
from bot.core.handoff import HandoffKind, Ticket, TicketAction, next_state
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.reply import Block, BlockKind, Judgement, Line, Reply, Status
from bot.storage.store import Author, NewMessage, Receipt, Store, TicketChange, Turn

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_numbers = count(1)


def message(
    text: str = "老板拖欠工资", sender: str = "citizen", key: str | None = None, **rest: Any
) -> InboundMessage:
    """A message with a fresh key unless one is given."""
    given: dict[str, Any] = {"channel": "web", "kind": MessageKind.TEXT, "received_at": NOW} | rest
    return InboundMessage(
        sender=sender, text=text, dedupe_key=key or f"key-{next(_numbers)}", **given
    )


def reply(text: str = "可以向劳动监察大队投诉。") -> Reply:
    lead = Block(kind=BlockKind.LEAD, lines=(Line(text=text, marks=(1,)),))
    return Reply(status=Status.ANSWERED, blocks=(lead,))


def citizen(text: str, **rest: Any) -> NewMessage:
    return NewMessage(author=Author.CITIZEN, text=text, **rest)


def bot(text: str = "可以向劳动监察大队投诉。", **rest: Any) -> NewMessage:
    return NewMessage(author=Author.BOT, reply=reply(text), **rest)


def form(code: str, **rest: Any) -> OpenTicket:
    """A filled form before a ticket; its submission is fresh unless one is given."""
    given: dict[str, Any] = {
        "submission": f"form-{next(_numbers)}",
        "kind": HandoffKind.LEGAL_AID,
        "topic": "wage-arrears",
        "matter": 1,
        "county": "suixian",
        "town": "lishan",
        "place_words": None,
        "who": "self",
        "story": "工地上干了三个月没给钱",
        "phone": "13800001111",
        "citations": ("labor-arbitration", "law/劳动法/50"),
        "urgent": False,
        "consent_version": "1",
    }
    return OpenTicket(code=code, **(given | rest))


def answer(redacted: str = "老板拖欠工资") -> RecordAnswer:
    judgement = Judgement(status=Status.ANSWERED, topic="wage-arrears", confidence=0.9)
    return RecordAnswer(judgement=judgement, redacted=redacted, bundle="sha256:0")


def change(ticket: Ticket, action: TicketAction, **fields: Any) -> TicketChange:
    """``action`` on ``ticket``, with further ``fields`` of the ticket changed."""
    actor = fields.pop("actor", None)
    state = next_state(ticket.state, action)
    return TicketChange(
        ticket=replace(ticket, **({"state": state} | fields)), action=action, actor=actor
    )


async def receive(store: Store, *messages: InboundMessage, push: bool = False) -> list[Receipt]:
    return await store.receive([(each, each.text.encode()) for each in messages], push)


async def begin(store: Store, sender: str = "citizen", push: bool = False, **rest: Any) -> int:
    """Start a conversation whose first message is handled; return its id."""
    [receipt] = await receive(store, message(sender=sender, **rest), push=push)
    await store.commit(Turn(conversation=receipt.conversation, at=NOW, inbox=receipt.inbox))
    return receipt.conversation


async def say(store: Store, conversation: int, *messages: NewMessage) -> None:
    await store.commit(Turn(conversation=conversation, at=NOW, messages=messages))


async def open_ticket(store: Store, code: str, sender: str = "citizen", **rest: Any) -> Ticket:
    """Open a ticket in the conversation of ``sender``; return it as stored."""
    conversation = await begin(store, sender)
    await store.commit(Turn(conversation=conversation, at=NOW, opened=(form(code, **rest),)))
    return await ticket(store, code)


async def ticket(store: Store, code: str) -> Ticket:
    detail = await store.ticket(code)
    assert detail is not None
    return detail.ticket
