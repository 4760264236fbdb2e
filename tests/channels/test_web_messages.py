"""The pure half of the web chat: what the page sends, what it is shown."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.channels.web.messages import (
    Submission,
    SubmissionError,
    dedupe_key,
    parse_message,
    parse_submission,
    render_message,
    render_updates,
)
from bot.core.inbound import MessageKind
from bot.core.reply import (
    Block,
    BlockKind,
    Button,
    ButtonStyle,
    Citation,
    Line,
    Reply,
    Status,
)
from bot.storage.store import Author, StoredMessage

NOW = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
SENDER = "ab" * 32


def test_a_text_becomes_a_message() -> None:
    submission = parse_submission('{"key": "k-123456", "text": "老板不给工钱"}'.encode())
    message = parse_message(submission, SENDER, NOW, "192.0.2.1")
    assert message.kind is MessageKind.TEXT
    assert message.text == "老板不给工钱"
    assert message.choice is None
    assert (message.channel, message.sender, message.address) == ("web", SENDER, "192.0.2.1")


def test_a_button_becomes_a_choice_with_its_label() -> None:
    submission = parse_submission(
        '{"key": "k-123456", "choice": "f:1:bring", "text": "要带什么"}'.encode()
    )
    message = parse_message(submission, SENDER, NOW, None)
    assert message.kind is MessageKind.CHOICE
    assert (message.choice, message.text) == ("f:1:bring", "要带什么")


def test_a_button_may_come_without_its_label() -> None:
    submission = parse_submission(b'{"key": "k-123456", "choice": "f:1:bring"}')
    assert parse_message(submission, SENDER, NOW, None).text == ""


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b"{}",
        b'{"key": "k-123456"}',  # nothing said
        b'{"text": "no key"}',
        b'{"key": "short", "text": "x"}',
        b'{"key": "k-1234567890 with spaces", "text": "x"}',
        b'{"key": "' + b"k" * 65 + b'", "text": "x"}',
        b'{"key": 12345678, "text": "x"}',
        b'{"key": "k-123456", "text": 5}',
        b'{"key": "k-123456", "text": "x", "sender": "somebody else"}',
        b'{"key": "k-123456", "choice": ""}',
        b'{"key": "k-123456", "choice": "' + b"c" * 49 + b'"}',
        b'{"key": "k-123456", "text": "\\ud800"}',  # half a character
        b"[" * 8000,  # a tower of brackets must not exhaust the stack
    ],
)
def test_what_the_page_would_not_send_is_refused(body: bytes) -> None:
    with pytest.raises(SubmissionError):
        parse_submission(body)


def test_a_refusal_does_not_repeat_the_words() -> None:
    with pytest.raises(SubmissionError) as caught:
        parse_submission('{"key": "x", "text": "我家住在", "我的秘密": 1}'.encode())
    assert "我" not in str(caught.value)


def test_two_people_with_the_same_key_are_two_messages() -> None:
    submission = Submission(key="k-123456", text="x")
    keys = {parse_message(submission, s * 32, NOW, None).dedupe_key for s in ("ab", "cd")}
    assert len(keys) == 2


def test_a_stored_line_has_its_clients_key_again() -> None:
    stored = StoredMessage(
        seq=3, at=NOW, author=Author.CITIZEN, text="在吗", client_key=dedupe_key(SENDER, "k-123456")
    )
    assert render_message(stored) == {
        "seq": 3, "at": "2026-11-24T08:00:00+00:00", "author": "citizen", "text": "在吗",
        "key": "k-123456",
    }  # fmt: skip


def test_a_reply_keeps_every_part() -> None:
    reply = Reply(
        status=Status.ANSWERED,
        blocks=(
            Block(kind=BlockKind.LEAD, lines=(Line(text="先投诉。", marks=(1, 2)),)),
            Block(kind=BlockKind.STEPS, heading="怎么办", lines=(Line(text="留证据。"),)),
        ),
        citations=(
            Citation(
                number=1, id="law/劳动法/第五十条", title="《劳动法》第五十条", quote="按月支付",
                note="执行到2025年", choice="c:1:0",
            ),
        ),
        buttons=(
            Button(choice="", label="拨打 110", style=ButtonStyle.DANGER, call="110"),
            Button(choice="h:1:consult", label="转人工", style=ButtonStyle.PRIMARY),
        ),
    )  # fmt: skip
    stored = StoredMessage(seq=1, at=NOW, author=Author.STAFF, reply=reply, staff_name="王敏")
    rendered = render_message(stored)
    assert rendered["staff_name"] == "王敏"
    assert "key" not in rendered
    assert rendered["reply"] == {
        "status": "answered",
        "blocks": [
            {"kind": "lead", "heading": "", "lines": [{"text": "先投诉。", "marks": [1, 2]}]},
            {"kind": "steps", "heading": "怎么办", "lines": [{"text": "留证据。", "marks": []}]},
        ],
        "citations": [
            {
                "number": 1, "id": "law/劳动法/第五十条", "title": "《劳动法》第五十条",
                "quote": "按月支付", "note": "执行到2025年",
            }
        ],
        "buttons": [
            {"choice": "", "label": "拨打 110", "style": "danger", "call": "110"},
            {"choice": "h:1:consult", "label": "转人工", "style": "primary", "call": ""},
        ],
    }  # fmt: skip


def test_updates_say_where_they_end() -> None:
    stored = StoredMessage(seq=7, at=NOW, author=Author.CITIZEN, text="在吗")
    updates = render_updates([stored], thread="t", first=1, last=7, pause=0)
    assert (updates["first"], updates["last"], updates["thread"], updates["pause"]) == (
        1,
        7,
        "t",
        0,
    )
    assert [m["seq"] for m in updates["messages"]] == [7]
