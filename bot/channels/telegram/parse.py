"""From an update of the Bot API to a message. Pure, and total: nothing makes it raise."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from bot.core.inbound import InboundMessage, MessageKind

CHANNEL = "telegram"
ALLOWED_UPDATES = ["message", "edited_message", "callback_query", "my_chat_member"]
"""What is asked for. `my_chat_member` (the person blocked the bot) needs no answer: a message
that cannot be delivered says so when it is sent."""

_CONTENT = {
    "voice": MessageKind.VOICE,
    "photo": MessageKind.PHOTO,
    "document": MessageKind.FILE,
    "video": MessageKind.FILE,
    "video_note": MessageKind.FILE,
    "audio": MessageKind.FILE,
    "sticker": MessageKind.STICKER,
    "location": MessageKind.LOCATION,
    "contact": MessageKind.CONTACT,
}
_SERVICE = frozenset(
    {
        "pinned_message",
        "message_auto_delete_timer_changed",
        "chat_background_set",
        "write_access_allowed",
    }
)
"""Marks of lines that Telegram itself puts into a chat: nobody has said anything."""
_COMMAND = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@\w+)?(?:\s.*)?", re.DOTALL)


class _Content(NamedTuple):
    chat: Mapping[str, Any]
    kind: MessageKind
    text: str = ""
    choice: str | None = None


def parse_update(
    update: object, *, account: str, at: datetime, commands: Mapping[str, str] | None = None
) -> InboundMessage | None:
    """Return the message that ``update`` (parsed JSON) carries, or None if it needs no answer.

    Only private chats are answered. ``commands`` are the words that a command stands for,
    by its name; what follows a command (the payload of a link) is dropped. What cannot be
    read comes back as OTHER, so that it is kept and acknowledged and does not come again.
    """
    try:
        content = _content(update, commands or {})
        if content is None or content.chat["type"] != "private":
            return None
        sender = str(int(content.chat["id"]))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        content = _Content({}, MessageKind.OTHER)
        sender = _salvaged_sender(update)
    return InboundMessage(
        channel=CHANNEL,
        account=account,
        sender=sender,
        dedupe_key=_dedupe_key(update),
        kind=content.kind,
        text=content.text,
        choice=content.choice,
        received_at=at,
    )


def callback_id(update: object) -> str | None:
    """Return the id of the pressed button's query, which waits to be answered, or None."""
    query = update.get("callback_query") if isinstance(update, dict) else None
    id_ = query.get("id") if isinstance(query, dict) else None
    return id_ if isinstance(id_, str) else None


def update_id(update: object) -> int | None:
    """Return the id of ``update``, or None if it has none."""
    id_ = update.get("update_id") if isinstance(update, dict) else None
    return id_ if isinstance(id_, int) else None


def _content(update: Any, commands: Mapping[str, str]) -> _Content | None:
    if "message" in update:
        return _message(update["message"], commands)
    if "edited_message" in update:
        edited = update["edited_message"]
        return _Content(edited["chat"], MessageKind.EDITED, _words(edited))
    if "callback_query" in update:
        return _press(update["callback_query"])
    if "update_id" in update:
        return None  # a kind that nobody has to answer
    raise KeyError("update_id")


def _message(message: Mapping[str, Any], commands: Mapping[str, str]) -> _Content | None:
    chat = message["chat"]
    if "text" in message:
        text = _text(message["text"])
        command = _COMMAND.fullmatch(text)
        if command is not None:
            text = commands.get(command[1].lower(), text)
        return _Content(chat, MessageKind.TEXT, text)
    for key, kind in _CONTENT.items():
        if key in message:
            return _Content(chat, kind, _words(message))
    if _SERVICE & message.keys():
        return None
    return _Content(chat, MessageKind.OTHER, _words(message))


def _press(query: Mapping[str, Any]) -> _Content:
    """A pressed button. Its message is missing when it is too old."""
    message = query.get("message")
    chat = message["chat"] if message else {"id": query["from"]["id"], "type": "private"}
    choice = _text(query["data"])
    rows = ((message or {}).get("reply_markup") or {}).get("inline_keyboard", ())
    labels = [b["text"] for row in rows for b in row if b.get("callback_data") == choice]
    return _Content(chat, MessageKind.CHOICE, _text(labels[0]) if labels else "", choice)


def _words(message: Mapping[str, Any]) -> str:
    """What was written in or under a message; the picture of a sticker is a word, too."""
    if "sticker" in message:
        return _text(message["sticker"].get("emoji", ""))
    return _text(message.get("text", message.get("caption", "")))


def _text(text: object) -> str:
    """Return ``text`` with halves of surrogate pairs, which JSON can write, replaced."""
    if not isinstance(text, str):
        raise TypeError("not a text")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _salvaged_sender(update: object) -> str:
    """The person behind an update that is otherwise unreadable, or ""."""
    if not isinstance(update, dict):
        return ""
    for key in ("message", "edited_message", "callback_query"):
        part = update.get(key)
        chat = part.get("chat", part.get("from")) if isinstance(part, dict) else None
        id_ = chat.get("id") if isinstance(chat, dict) else None
        if isinstance(id_, int) and id_ > 0:  # groups have negative ids
            return str(id_)
    return ""


def _dedupe_key(update: object) -> str:
    id_ = update_id(update)
    if id_ is not None:
        return str(id_)
    raw = json.dumps(update, sort_keys=True, default=str).encode()
    return "sha256:" + hashlib.sha256(raw).hexdigest()
