"""Every kind of update, and updates that are none."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.parse import callback_id, parse_update, update_id
from bot.core.inbound import InboundMessage, MessageKind

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
CHAT = {"id": 42, "type": "private", "first_name": "王"}
GROUP = {"id": -1001, "type": "supergroup", "title": "村里的群"}
COMMANDS = {"start": "你好", "progress": "进度"}


def parse(update: object) -> InboundMessage | None:
    return parse_update(update, account="123456", at=AT, commands=COMMANDS)


def message(**content: Any) -> dict[str, Any]:
    base = {"message_id": 1, "date": 1_790_000_000, "chat": CHAT, "from": {"id": 42}}
    return {"update_id": 7, "message": base | content}


def press(**query: Any) -> dict[str, Any]:
    base = {"id": "99", "from": {"id": 42}, "data": "f:1:bring"}
    return {"update_id": 7, "callback_query": base | query}


def test_a_text_message_in_full() -> None:
    assert parse(message(text="老板不给工钱")) == InboundMessage(
        channel="telegram",
        account="123456",
        sender="42",
        dedupe_key="7",
        kind=MessageKind.TEXT,
        text="老板不给工钱",
        received_at=AT,
    )


@pytest.mark.parametrize(
    ("content", "kind", "text"),
    [
        ({"text": "/start"}, MessageKind.TEXT, "你好"),
        ({"text": "/start counter3"}, MessageKind.TEXT, "你好"),
        ({"text": "/start@suifawen_bot"}, MessageKind.TEXT, "你好"),
        ({"text": "/PROGRESS"}, MessageKind.TEXT, "进度"),
        ({"text": "/unknown"}, MessageKind.TEXT, "/unknown"),
        ({"text": "说 /start 没用"}, MessageKind.TEXT, "说 /start 没用"),
        ({"text": "半个\ud83d"}, MessageKind.TEXT, "半个\ufffd"),
        ({"voice": {"duration": 3}}, MessageKind.VOICE, ""),
        ({"photo": [{}], "caption": "欠条"}, MessageKind.PHOTO, "欠条"),
        ({"document": {}, "caption": "合同"}, MessageKind.FILE, "合同"),
        ({"video": {}}, MessageKind.FILE, ""),
        ({"sticker": {"emoji": "👍"}}, MessageKind.STICKER, "👍"),
        ({"location": {"latitude": 31.7, "longitude": 113.4}}, MessageKind.LOCATION, ""),
        ({"contact": {"phone_number": "13800001111"}}, MessageKind.CONTACT, ""),
        ({"dice": {"value": 3}}, MessageKind.OTHER, ""),
        ({}, MessageKind.OTHER, ""),
    ],
)
def test_kinds_of_messages(content: dict[str, Any], kind: MessageKind, text: str) -> None:
    parsed = parse(message(**content))
    assert parsed is not None
    assert (parsed.kind, parsed.text, parsed.choice) == (kind, text, None)


def test_an_edited_message() -> None:
    edited = {"message_id": 1, "chat": CHAT, "text": "改了"}
    parsed = parse({"update_id": 8, "edited_message": edited})
    assert parsed is not None
    assert (parsed.kind, parsed.text, parsed.sender) == (MessageKind.EDITED, "改了", "42")


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ({}, ""),
        ({"message": {"message_id": 5, "chat": CHAT, "date": 0}}, ""),
        (
            {
                "message": {
                    "message_id": 5,
                    "chat": CHAT,
                    "reply_markup": {
                        "inline_keyboard": [
                            [{"text": "多久", "callback_data": "f:1:time"}],
                            [{"text": "要带什么", "callback_data": "f:1:bring"}],
                        ]
                    },
                }
            },
            "要带什么",
        ),
    ],
)
def test_a_pressed_button(query: dict[str, Any], text: str) -> None:
    update = press(**query)
    parsed = parse(update)
    assert parsed is not None
    assert (parsed.kind, parsed.choice, parsed.text) == (MessageKind.CHOICE, "f:1:bring", text)
    assert parsed.sender == "42"
    assert callback_id(update) == "99"


@pytest.mark.parametrize(
    "update",
    [
        message(text="大家好", chat=GROUP),
        press(message={"chat": GROUP}),
        {"update_id": 9, "edited_message": {"chat": GROUP, "text": "改了"}},
        {"update_id": 9, "my_chat_member": {"chat": CHAT, "new_chat_member": {"status": "kicked"}}},
        {"update_id": 9, "poll_answer": {}},
        message(pinned_message={"message_id": 3}),
    ],
)
def test_what_needs_no_answer(update: dict[str, Any]) -> None:
    assert parse(update) is None


@pytest.mark.parametrize(
    ("update", "sender", "key"),
    [
        ({"update_id": 3, "message": {"text": "没有聊天"}}, "", "3"),
        ({"update_id": 3, "message": {"chat": {"id": 42}, "text": "没有类型"}}, "42", "3"),
        (message(text=["不是文字"]), "42", "7"),
        (press(data=None), "42", "7"),
        (message(text="编号坏了", chat={"id": float("inf"), "type": "private"}), "", "7"),
        ({"update_id": 3, "message": None}, "", "3"),
    ],
)
def test_what_cannot_be_read_is_kept(update: dict[str, Any], sender: str, key: str) -> None:
    parsed = parse(update)
    assert parsed is not None
    assert (parsed.kind, parsed.sender, parsed.dedupe_key) == (MessageKind.OTHER, sender, key)


def test_different_rubbish_has_different_keys() -> None:
    keys = {parsed.dedupe_key for each in ("{", "[", None, 5) if (parsed := parse(each))}
    assert len(keys) == 4


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["update_id", "message", "callback_query", "chat", "id", "type", "text", "data"]
            )
            | st.text(max_size=3),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(_json)
def test_nothing_raises(update: Any) -> None:
    parsed = parse(json.loads(json.dumps(update)))
    assert parsed is None or parsed.dedupe_key
    callback_id(update)
    update_id(update)
