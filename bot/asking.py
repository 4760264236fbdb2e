"""The contract of an answer: what `suifawen ask --jsonl` and `POST /api/v1/ask` take and return.

One fresh conversation for each request; nothing is stored and no ticket is opened.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from bot.core.effects import OpenTicket, RecordAnswer, Say, WithdrawTicket
from bot.core.handoff import Ticket, TicketState
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.reply import Judgement, Reply, Status, plain_text
from bot.core.session import Session
from bot.thinking import Mind, received, think

MAX_TURNS = 20
MAX_TEXT = 20_000
"""Characters of one turn."""
_CODE = "ASKS-NOTH-ING2"


class AskError(ValueError):
    """The request is not what the contract says; the message says what to send."""


class AskRequest(BaseModel):
    """`{"id": "...", "text": "..."}` or `{"id": "...", "turns": ["...", "..."]}`."""

    model_config = ConfigDict(extra="forbid", strict=True)

    id: str = Field(default="", max_length=200)
    text: str | None = Field(default=None, max_length=MAX_TEXT)
    turns: list[str] | None = Field(default=None, min_length=1, max_length=MAX_TURNS)

    @model_validator(mode="after")
    def _one_of_both(self) -> AskRequest:
        if (self.text is None) == (self.turns is None):
            raise ValueError("give either text or turns")
        return self


def parse_request(data: object) -> AskRequest:
    """Return the request. Raises `AskError` with what is wrong and what to send."""
    try:
        return AskRequest.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        raise AskError(
            f'{where or "request"}: {first["msg"]}; send {{"id": "...", "text": "..."}} '
            'or {"id": "...", "turns": ["...", "..."]}'
        ) from error


def ask(mind: Mind, request: AskRequest, now: datetime) -> dict[str, Any]:
    """Return the answer to the last turn, in the form of the contract."""
    session = Session(conversation=0, channel="api")
    turns = request.turns if request.turns is not None else [request.text or ""]
    texts: list[str] = []
    judgement, said = Judgement(status=Status.ERROR_INTERNAL, topic="unclear"), list[Reply]()
    for number, text in enumerate(turns):
        message = InboundMessage(
            channel="api",
            sender="",
            dedupe_key=str(number),
            kind=MessageKind.TEXT,
            text=text[:MAX_TEXT],
            received_at=now,
        )
        decision = think(mind, session, received(message, mind.playbook, now, _CODE))
        session = decision.session
        said = [e.reply for e in decision.effects if isinstance(e, Say)]
        judgement = _judgement(decision.effects, said, judgement)
        opened = [_ticket(e, now) for e in decision.effects if isinstance(e, OpenTicket)]
        withdrawn = {e.code for e in decision.effects if isinstance(e, WithdrawTicket)}
        tickets = [
            replace(t, state=TicketState.WITHDRAWN) if t.code in withdrawn else t
            for t in session.tickets
        ]
        session = replace(session, tickets=(*opened, *tickets))
        texts.append("\n\n".join(plain_text(reply) for reply in said))
    answer = _render(request.id, judgement, said, texts[-1], mind.playbook.bundle)
    if request.turns is not None:
        answer["replies"] = texts
    return answer


def _judgement(effects: tuple[Any, ...], said: list[Reply], before: Judgement) -> Judgement:
    recorded = [e.judgement for e in effects if isinstance(e, RecordAnswer)]
    if recorded:
        return recorded[-1]
    return replace(before, status=said[-1].status) if said else before


def _ticket(opened: OpenTicket, now: datetime) -> Ticket:
    return Ticket(
        code=opened.code,
        kind=opened.kind,
        state=TicketState.WAITING,
        topic=opened.topic,
        matter=opened.matter,
        county=opened.county,
        opened_at=now,
        acted_at=now,
    )


def _render(
    id_: str, judgement: Judgement, said: list[Reply], text: str, bundle: str
) -> dict[str, Any]:
    return {
        "id": id_,
        "status": judgement.status.value,
        "topic": judgement.topic,
        "situation": judgement.situation,
        "services": list(judgement.services),
        "provisions": list(judgement.provisions),
        "urgency": judgement.urgency.value,
        "handoff": judgement.handoff,
        "confidence": round(judgement.confidence, 4),
        "text": text,
        "citations": [
            {"id": c.id, "title": c.title, "quote": c.quote}
            for reply in said
            for c in reply.citations
        ],
        "bundle": bundle,
    }
