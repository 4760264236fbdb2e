"""Replies as messages of the Bot API: within its limits, nothing lost, nothing as markup."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.telegram.render import MAX_UNITS, render_reply
from bot.core.reply import Block, BlockKind, Button, Citation, Line, Reply, Status, plain_text
from bot.storage.store import Author, StoredMessage

AT = datetime(2026, 11, 24, 8, 0, tzinfo=UTC)
_WORDING = yaml.safe_load(
    (Path(__file__).parents[2] / "kb/wording/telegram.yaml").read_text("utf-8")
)["wording"]


def say(key: str, **values: object) -> str:
    return str(_WORDING[key]).format(**values)


def render(*blocks: Block, **rest: Any) -> list[dict[str, Any]]:
    reply = Reply(status=Status.ANSWERED, blocks=blocks, **rest)
    return render_reply(StoredMessage(seq=1, at=AT, author=Author.BOT, reply=reply), say)


def block(kind: BlockKind, *lines: str, heading: str = "") -> Block:
    return Block(kind=kind, heading=heading, lines=tuple(Line(text=line) for line in lines))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def covered(payload: dict[str, Any]) -> list[tuple[str, str]]:
    """The entities with the text they cover, as Telegram counts."""
    raw = payload["text"].encode("utf-16-le")
    return [
        (e["type"], raw[2 * e["offset"] : 2 * (e["offset"] + e["length"])].decode("utf-16-le"))
        for e in payload.get("entities", ())
    ]


def test_an_answer_in_full() -> None:
    [payload] = render(
        Block(kind=BlockKind.LEAD, lines=(Line(text="😀可以要回来。", marks=(1,)),)),
        block(BlockKind.STEPS, "先找老板", "再投诉", heading="怎么办"),
        block(BlockKind.LIST, "欠条", heading="要带什么"),
        block(BlockKind.QUOTE, "第一段", "第二段"),
        block(BlockKind.NOTE, "仅供参考。"),
        citations=(
            Citation(
                number=1,
                id="x",
                title="《劳动法》第五十条",
                quote="…",
                note="还有效。",
                choice="c:1:0",
            ),
        ),
        buttons=(
            Button(choice="f:1:bring", label="要带什么"),
            Button(choice="f:1:time", label="多久、时限"),
            Button(choice="h:1:legal_aid", label="申请法律援助"),
            Button(choice="", label="拨打 12348", call="12348"),
            Button(choice="", label="报警", call="110"),
        ),
    )
    assert payload["text"] == (
        "😀可以要回来。［1］\n\n怎么办\n1. 先找老板\n2. 再投诉\n\n要带什么\n· 欠条\n\n"
        "第一段\n第二段\n\n仅供参考。\n\n☎ 拨打 12348\n☎ 报警：110\n\n"
        "出处（点下面的按钮看原文）\n［1］《劳动法》第五十条\n还有效。"
    )
    assert covered(payload) == [
        ("bold", "😀可以要回来。［1］"),
        ("bold", "怎么办"),
        ("bold", "要带什么"),
        ("blockquote", "第一段\n第二段"),
        ("bold", "出处（点下面的按钮看原文）"),
        ("expandable_blockquote", "［1］《劳动法》第五十条\n还有效。"),
    ]
    rows = payload["reply_markup"]["inline_keyboard"]
    assert [[b["text"] for b in row] for row in rows] == [
        ["要带什么", "多久、时限"],
        ["申请法律援助"],
        ["出处1"],
    ]
    assert rows[-1][0]["callback_data"] == "c:1:0"
    assert payload["link_preview_options"] == {"is_disabled": True}


def test_sources_that_share_a_note_stand_together() -> None:
    citations = [
        Citation(number=number, id=f"x{number}", title=title, quote="…", note=note)
        for number, (title, note) in enumerate(
            [("劳动法", "2018年版"), ("情形", ""), ("劳动法之二", "2018年版")], 1
        )
    ]
    [payload] = render(block(BlockKind.TEXT, "话"), citations=tuple(citations))
    assert covered(payload)[-1][1] == "［1］劳动法\n［3］劳动法之二\n2018年版\n［2］情形"


def test_words_of_staff() -> None:
    message = StoredMessage(
        seq=1, at=AT, author=Author.STAFF, text="<b>明天</b>来", staff_name="李"
    )
    [payload] = render_reply(message, say)
    assert payload["text"] == "李回复：\n<b>明天</b>来"
    assert covered(payload) == [("bold", "李回复：")]
    assert "parse_mode" not in payload


@pytest.mark.parametrize("choice", ["", "x" * 65, "汉" * 22])
def test_a_button_that_telegram_would_refuse_is_left_out(choice: str) -> None:
    buttons = (Button(choice=choice, label="坏的"), Button(choice="ok", label="好的"))
    [payload] = render(block(BlockKind.TEXT, "话"), buttons=buttons)
    assert payload["reply_markup"] == {
        "inline_keyboard": [[{"text": "好的", "callback_data": "ok"}]]
    }


def test_nothing_to_say() -> None:
    assert render(block(BlockKind.TEXT, "  ")) == []
    assert render() == []


def test_a_long_reply_is_cut_between_paragraphs() -> None:
    payloads = render(
        *(block(BlockKind.TEXT, f"{number}" + "字" * 1999) for number in range(5)),
        buttons=(Button(choice="a", label="下一步"),),
    )
    assert [p["text"][0] for p in payloads] == ["0", "2", "4"]
    assert ["reply_markup" in p for p in payloads] == [False, False, True]


def test_a_long_line_is_cut_between_sentences() -> None:
    line = "他说：“不行。”" * 1500
    payloads = render(block(BlockKind.TEXT, line))
    assert "".join(p["text"] for p in payloads) == line
    assert all(p["text"].endswith("”") for p in payloads)


@pytest.mark.parametrize("picture", ["😀", "👨‍👩‍👧‍👦", "👍🏽", "é"])
def test_no_picture_is_cut(picture: str) -> None:
    line = "第" + picture * 3000
    payloads = render(block(BlockKind.TEXT, line))
    assert "".join(p["text"] for p in payloads) == line
    for payload in payloads:
        assert units(payload["text"]) <= MAX_UNITS
        assert payload["text"].removeprefix("第").replace(picture, "") == ""


_texts = st.text(
    st.sampled_from("字。！ab \n“”😀\u200d👧\u0301<&") | st.characters(codec="utf-8"), max_size=60
)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.builds(
            lambda kind, heading, text, times: block(kind, text * times, text, heading=heading),
            st.sampled_from(list(BlockKind)),
            st.text("标题", max_size=3),
            _texts,
            st.sampled_from([1, 7, 150]),
        ),
        max_size=5,
    )
)
def test_any_reply_stays_within_the_limits(blocks: list[Block]) -> None:
    payloads = render(*blocks)
    for payload in payloads:
        assert payload["text"].strip()
        assert units(payload["text"]) <= MAX_UNITS
        for kind, text in covered(payload):
            assert kind
            assert text
    shown = "".join("".join(p["text"].split()) for p in payloads)
    said = plain_text(Reply(status=Status.ANSWERED, blocks=tuple(blocks)))
    assert shown == "".join(said.replace("【", "").replace("】", "").split())
