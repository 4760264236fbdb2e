"""From the effects of one message to the one transaction that writes them. Pure."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from bot.core.acting import Act, act_on
from bot.core.effects import (
    AddToTicket,
    Decision,
    Effect,
    ExportConversation,
    ForgetConversation,
    KeepWords,
    OpenTicket,
    RaiseTicket,
    RecordAnswer,
    Say,
    Search,
    WithdrawTicket,
)
from bot.core.handoff import Ticket, TicketAction, TicketError
from bot.core.inbound import MessageKind
from bot.core.playbook import HandoffRules
from bot.core.reply import Reply
from bot.storage.store import Author, InboxItem, NewMessage, TicketChange, Turn


class Draft:
    """Collects what a turn writes. ``tickets`` are those of the conversation, as read."""

    def __init__(
        self, item: InboxItem, at: datetime, tickets: tuple[Ticket, ...], rules: HandoffRules
    ) -> None:
        self._item = item
        self._at = at
        self._rules = rules
        self._tickets = {t.code: t for t in tickets}
        self._words = item.message.text
        self._ticket: str | None = None
        self._said: list[NewMessage] = []
        self._opened: list[OpenTicket] = []
        self._changes: list[TicketChange] = []
        self._answers: list[RecordAnswer] = []
        self._forget = False

    def apply(self, effect: Effect) -> None:
        """Take up one effect. `Search` and `ExportConversation` are the caller's."""
        match effect:
            case Say(reply=reply):
                self.say(reply)
            case KeepWords(text=text):
                self._words = text
            case OpenTicket():
                self._opened.append(effect)
                self._ticket = effect.code
            case AddToTicket(code=code):
                self._ticket = code
                self._change(code, TicketAction.CITIZEN_ADD, {})
            case WithdrawTicket(code=code):
                self._change(code, TicketAction.WITHDRAW, {})
            case RaiseTicket(code=code, danger=danger):
                self._change(code, TicketAction.RAISE, {"danger": danger})
            case RecordAnswer():
                self._answers.append(effect)
            case ForgetConversation():
                self._forget = True
            case Search() | ExportConversation():
                raise AssertionError(f"{type(effect).__name__} is carried out by the caller")
            case _:
                assert_never(effect)

    def say(self, reply: Reply) -> None:
        self._said.append(NewMessage(author=Author.BOT, reply=reply))

    def turn(self, decision: Decision) -> Turn:
        """Return the transaction."""
        message = self._item.message
        words = self._words
        if message.kind not in (MessageKind.TEXT, MessageKind.CHOICE):
            words = words or f"〔{_KINDS[message.kind]}〕"
        spoken = NewMessage(
            author=Author.CITIZEN, text=words, ticket=self._ticket, client_key=message.dedupe_key
        )
        said = tuple(replace(m, ticket=self._ticket) for m in self._said)
        return Turn(
            conversation=self._item.conversation,
            at=self._at,
            inbox=self._item.id,
            session=decision.session,
            messages=said if self._forget else (spoken, *said),
            opened=tuple(self._opened),
            changes=tuple(self._changes),
            answers=tuple(self._answers),
            forget=self._forget,
        )

    def _change(self, code: str, action: TicketAction, detail: dict[str, str]) -> None:
        ticket = self._tickets.get(code)
        if ticket is None:
            return
        try:
            changed = act_on(ticket, Act(action=action, at=self._at), self._rules)
        except TicketError:  # closed between the question and its confirmation
            return
        self._changes.append(TicketChange(ticket=changed, action=action, detail=detail))
        self._tickets[code] = replace(changed, version=changed.version + 1)


# What the transcript shows for a message that has no words.
_KINDS = {
    MessageKind.VOICE: "语音",
    MessageKind.PHOTO: "图片",
    MessageKind.FILE: "文件",
    MessageKind.STICKER: "表情",
    MessageKind.LOCATION: "位置",
    MessageKind.CONTACT: "名片",
    MessageKind.EDITED: "改过的消息",
    MessageKind.OTHER: "其他消息",
}
