"""A ticket from opening to closing; who may do what; what is typed is neither lost nor doubled."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
from contextlib import closing

import pytest

from bot.core.handoff import HandoffKind, Outcome, TicketAction, TicketState
from bot.core.reply import plain_text
from bot.desk.permissions import ACTIONS
from bot.storage.store import Author, TicketDetail, Turn
from tests.desk.conftest import Team
from tests.desk.desk_app import Person, Running
from tests.desk.test_permissions import EXPECTED
from tests.storage.builders import NOW, begin, bot, citizen, form, open_ticket, say

CODE = "K7QM-2XPT-9RWA"
PAGE = f"/desk/tickets/{CODE}"
A, S = TicketAction, TicketState


@pytest.fixture
async def ticket(app: Running) -> int:
    """Open a ticket after a question; return its conversation."""
    await open_ticket(app.store, CODE, due_at=NOW, town="t421321101")
    detail = await _detail(app)
    assert detail.conversation is not None
    await say(app.store, detail.conversation, citizen("老板跑路了"), bot("先投诉。\n第二步。"))
    return detail.conversation


async def _detail(app: Running, code: str = CODE) -> TicketDetail:
    detail = await app.store.ticket(code)
    assert detail is not None
    return detail


async def _heard(app: Running, conversation: int) -> str:
    """Return everything that the citizen can read of what was said to them."""
    lines = await app.store.messages(conversation)
    return "\n".join(f"{m.text}\n{plain_text(m.reply) if m.reply else ''}" for m in lines)


# -- the whole way -------------------------------------------------------------------------


async def test_from_claiming_to_reopening(app: Running, team: Team, ticket: int) -> None:
    page = await team.wang.get(PAGE)
    for shown in (
        "法律援助申请",
        "待接办",
        "13800001111",
        "工地上干了三个月没给钱",
        "厉山镇",
        "本人的事",
    ):
        assert shown in page.text
    assert "接办以后才能回复" in page.text and 'name="reply"' not in page.source

    page = await team.wang.act(CODE, "claim")
    assert (page.status, page.path) == (303, f"{PAGE}?done=claim")
    assert "你正在和群众对话，机器人不插话" in (await team.wang.get(PAGE)).text
    assert "王敏接了你的法律援助申请" in await _heard(app, ticket)

    await team.wang.act(CODE, "reply", reply="请带身份证来。\r\n<地址>看短信。")
    assert "王敏回复" in await _heard(app, ticket)
    assert "请带身份证来。\n<地址>看短信。" in await _heard(app, ticket)
    assert (await _detail(app)).ticket.state is S.REPLIED

    await team.wang.act(CODE, "note", note="电话没人接")
    assert "电话没人接" in (await team.wang.get(PAGE)).text
    assert "电话没人接" not in await _heard(app, ticket)
    assert "电话没人接" not in json.dumps(await app.store.export(ticket), ensure_ascii=False)

    await team.wang.act(CODE, "transfer", kind="mediation", county="guangshui")
    moved = (await _detail(app)).ticket
    assert (moved.kind, moved.county, moved.state) == ("mediation", "guangshui", S.WAITING)

    await team.li.act(CODE, "claim")
    await team.li.act(CODE, "close", outcome="accepted", words="材料齐了，周五来签字。")
    assert "已经受理" in await _heard(app, ticket)
    assert "周五来签字" in await _heard(app, ticket)
    assert "已办结：已受理" in (await team.li.get(PAGE)).text

    await team.li.act(CODE, "reopen")
    detail = await _detail(app)
    assert (detail.ticket.state, detail.ticket.outcome) == (S.WAITING, None)
    happened = [event.action for event in detail.events]
    assert happened == ["open", "claim", "reply", "note", "transfer", "claim", "close", "reopen"]
    text = (await team.zhao.get(PAGE)).text
    for shown in (
        "李建国 办结：已受理",
        "王敏 转办：调解申请，广水市",
        "群众 提交工单：法律援助申请",
    ):
        assert shown in text


async def test_what_the_citizen_writes_meanwhile_is_on_the_page(
    app: Running, team: Team, ticket: int
) -> None:
    before = json.loads((await team.wang.get(PAGE + "/pulse")).source)["mark"]
    await say(app.store, ticket, citizen("老板刚才来电话了"))
    after = json.loads((await team.wang.get(PAGE + "/pulse")).source)["mark"]
    assert before != after
    page = await team.wang.post(PAGE + "/act", action="look", note="写到一半")
    assert page.status == 200
    assert "老板刚才来电话了" in page.text and page.typed("note") == "写到一半"


async def test_the_bots_answers_fold_and_peoples_words_do_not(
    app: Running, team: Team, ticket: int
) -> None:
    source = (await team.wang.get(PAGE)).source
    assert re.search(r"<details[^>]*><summary>先投诉。</summary><div>第二步。", source)
    assert '<p class="words">老板跑路了</p>' in source


async def test_the_citations_the_citizen_was_shown_can_be_read(team: Team, ticket: int) -> None:
    page = await team.wang.get(PAGE)
    assert "《劳动法》" in page.text or "law/劳动法/50" in page.text
    assert "劳动" in page.text and page.source.count('<details class="source">') == 2


async def test_supervisors_answer_for_colleagues(app: Running, team: Team, ticket: int) -> None:
    await team.wang.act(CODE, "claim")
    page = await team.zhao.act(CODE, "reply", reply="王敏今天请假，我来回你。")
    assert page.status == 303
    assert "赵明回复" in await _heard(app, ticket)
    assert (await team.zhao.act(CODE, "hand_back")).status == 303
    assert (await _detail(app)).ticket.owner is None


# -- roles ---------------------------------------------------------------------------------

_FILLED = {
    A.REPLY: {"reply": "好"},
    A.NOTE: {"note": "好"},
    A.CLOSE: {"outcome": "answered"},
    A.TRANSFER: {"kind": "report"},
}
_WAY = {
    S.WAITING: (),
    S.CLAIMED: (A.CLAIM,),
    S.REPLIED: (A.CLAIM, A.REPLY),
    S.CLOSED: (A.CLAIM, A.CLOSE),
}


@pytest.mark.parametrize("who", ["wang", "zhao", "admin"])
@pytest.mark.parametrize("owner", ["wang", "li", "zhao", "admin"])
async def test_only_what_role_and_state_allow_is_done(
    app: Running, team: Team, who: str, owner: str
) -> None:
    person: Person = getattr(team, who)
    holder: Person = getattr(team, owner)
    number = 0
    for state, way in _WAY.items():
        for action in ACTIONS:
            number += 1
            code = f"TEST-TEST-{number:04}"
            await open_ticket(app.store, code, sender=code)
            for step in way:
                await app.turns.act(code, step, staff=holder.staff, outcome=Outcome.ANSWERED)
            strange = who == "wang" and owner != "wang" and state is not S.WAITING
            right = not strange and action in EXPECTED[state]
            version = (await _detail(app, code)).ticket.version
            page = await person.act(code, action, **_FILLED.get(action, {}))
            assert page.status == (303 if right else 403), (state, action)
            assert (await _detail(app, code)).ticket.version == version + right
            seen = await person.get(f"/desk/tickets/{code}/pulse")
            hers = owner == who or state is S.WAITING or who != "wang"
            assert seen.status in ((200, 403) if right else (200,) if hers else (403,))


async def test_a_colleagues_ticket_shows_nothing_to_a_clerk(team: Team, ticket: int) -> None:
    await team.li.act(CODE, "claim")
    for path in (PAGE, PAGE + "/pulse"):
        page = await team.wang.get(path)
        assert page.status == 403
        assert "13800001111" not in page.source and "工地" not in page.source
    assert "由李建国在办" in (await team.wang.get(PAGE)).text


@pytest.mark.parametrize("action", ["open", "withdraw", "raise", "silence", "citizen_add", "", "x"])
async def test_what_only_citizens_and_the_system_do_cannot_be_sent(
    app: Running, team: Team, ticket: int, action: str
) -> None:
    assert (await team.admin.act(CODE, action)).status == 400
    assert (await _detail(app)).ticket.version == 0


# -- two at once ---------------------------------------------------------------------------


async def test_a_stale_page_keeps_what_was_typed_and_shows_what_is(
    app: Running, team: Team, ticket: int
) -> None:
    await team.zhao.act(CODE, "claim")
    page = await team.admin.act(CODE, "close", version=0, outcome="refused", words="不归我们管。")
    assert page.status == 409
    assert "工单刚被别人动过" in page.text and "在办 · 赵明" in page.text
    assert page.typed("words") == "不归我们管。"
    assert '<option value="refused" selected>' in page.source
    again = await team.admin.act(
        CODE, "close", version=page.field("version"), outcome="refused", words="不归我们管。"
    )
    assert again.status == 303


async def test_who_comes_second_to_claim_keeps_the_note(team: Team, ticket: int) -> None:
    pages = await asyncio.gather(
        team.wang.act(CODE, "claim", version=0, note="王的备注"),
        team.li.act(CODE, "claim", version=0, note="李的备注"),
    )
    assert sorted(page.status for page in pages) == [200, 403]
    [second] = [page for page in pages if page.status == 403]
    assert "在办，你看不到内容" in second.text and "的备注" in second.text
    assert "13800001111" not in second.source
    [first] = [page for page in pages if page.status == 200]
    assert "已接办" in first.text and first.typed("note") in ("王的备注", "李的备注")


async def test_a_reply_sent_twice_arrives_once(app: Running, team: Team, ticket: int) -> None:
    await team.wang.act(CODE, "claim")
    version = (await _detail(app)).ticket.version
    pages = await asyncio.gather(
        *(team.wang.act(CODE, "reply", version=version, reply="请来一趟。") for _ in range(4))
    )
    assert sorted(page.path for page in pages) == [f"{PAGE}?done=again"] * 3 + [
        f"{PAGE}?done=reply"
    ]
    said = [m for m in await app.store.messages(ticket) if m.author is Author.STAFF]
    assert len(said) == 1
    assert "没有重复做" in (await team.wang.get(f"{PAGE}?done=again")).text


async def test_another_reply_on_a_stale_page_is_not_taken_for_the_same(
    app: Running, team: Team, ticket: int
) -> None:
    await team.wang.act(CODE, "claim")
    version = (await _detail(app)).ticket.version
    await team.wang.act(CODE, "reply", version=version, reply="请来一趟。")
    page = await team.wang.act(CODE, "reply", version=version, reply="不用来了。")
    assert page.status == 409 and page.typed("reply") == "不用来了。"


async def test_what_else_was_typed_is_still_there_after_a_reply(team: Team, ticket: int) -> None:
    await team.wang.act(CODE, "claim")
    page = await team.wang.act(CODE, "reply", reply="请来一趟。", note="\n记得约时间 </textarea>")
    assert page.status == 200 and "回复已发出" in page.text
    assert page.typed("reply") == ""
    assert page.typed("note") == "记得约时间 &lt;/textarea&gt;"


@pytest.mark.parametrize(
    ("action", "fields", "says"),
    [
        ("reply", {"reply": " \n "}, "还没有写回复"),
        ("reply", {"reply": "长" * 2001}, "现在2001个字，最多2000个字"),
        ("note", {"note": ""}, "还没有写备注"),
        ("close", {"outcome": "", "words": "再见"}, "请先选结果"),
        ("close", {"outcome": "won", "words": "再见"}, "请先选结果"),
        ("transfer", {"kind": "legal_aid", "county": "suixian"}, "请先选要转到哪个"),
        ("transfer", {"kind": "x", "county": "beijing"}, "请先选要转到哪个"),
    ],
)
async def test_what_is_missing_is_said_and_nothing_is_lost(
    app: Running, team: Team, ticket: int, action: str, fields: dict[str, str], says: str
) -> None:
    await team.wang.act(CODE, "claim")
    page = await team.wang.act(CODE, action, **fields)
    assert page.status == 422 and says in page.text
    for name in ("reply", "note", "words"):
        assert page.typed(name) == fields.get(name, "").strip()
    assert (await _detail(app)).ticket.version == 1


@pytest.mark.parametrize("version", ["", "-1", "9" * 5000, "１", "0x0", "none"])
async def test_a_strange_version_is_a_stale_one(team: Team, ticket: int, version: str) -> None:
    assert (await team.wang.act(CODE, "claim", version=version)).status == 409


# -- what is gone, and what did not arrive -------------------------------------------------


async def test_a_deleted_conversation_leaves_nothing_to_do(
    app: Running, team: Team, ticket: int
) -> None:
    await team.wang.act(CODE, "claim")
    await app.store.commit(Turn(conversation=ticket, at=NOW, forget=True))
    page = await team.wang.get(PAGE)
    assert "群众已要求删除自己的信息" in page.text and "群众已撤回" in page.text
    assert "13800001111" not in page.source and "老板跑路了" not in page.source
    assert 'name="note"' not in page.source
    assert (await team.wang.act(CODE, "note", note="还想说")).status in (403, 409)


async def test_staff_are_told_what_did_not_arrive(app: Running, team: Team) -> None:
    conversation = await begin(app.store, "tg", push=True, channel="telegram")
    await app.store.commit(Turn(conversation=conversation, at=NOW, opened=(form(CODE),)))
    await team.wang.act(CODE, "claim")
    [item] = await app.store.claim_outbox("telegram", NOW, 60)
    await app.store.kill_outbox(item.id, "对方把机器人拉黑了。")
    page = await team.wang.get(PAGE)
    assert "没有送到群众那里：对方把机器人拉黑了。" in page.text
    assert "发到Telegram" in page.text


async def test_who_read_the_contact_data_is_on_record(
    app: Running, team: Team, ticket: int
) -> None:
    await team.wang.get(PAGE)
    await team.wang.get(PAGE + "/pulse")
    await team.wang.get("/desk")
    with closing(sqlite3.connect(app.database)) as db:
        rows = db.execute("SELECT actor, action, detail FROM audit").fetchall()
    assert rows == [(team.wang.staff.id, "contact_shown", json.dumps({"ticket": CODE}))]


# -- hostile words -------------------------------------------------------------------------

PAYLOADS = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "\"'><svg/onload=alert(1)>",
    "</textarea><script>alert(1)</script>",
    "javascript:alert(1)",
    "{{ 7 * 7 }}{% raw %}",
    "<a href='javascript:alert(1)'>看</a>",
    "</title></style></script><iframe src=//evil>",
    "<!--<b>-->&lt;script&gt;",
    "\u202e<b onmouseover=alert(1)>\u2066",
)


async def test_hostile_words_are_shown_and_never_obeyed(app: Running, team: Team) -> None:
    for number, payload in enumerate(PAYLOADS):
        code = f"EVIL-EVIL-{number:04}"
        await open_ticket(
            app.store, code, sender=code, story=payload, place_words=payload, phone=payload,
            town=payload, who=payload, county=payload, topic=payload, citations=(payload,),
            kind=HandoffKind.REPORT,
        )  # fmt: skip
        conversation = (await _detail(app, code)).conversation
        assert conversation is not None
        await say(app.store, conversation, citizen(payload), bot(payload))
        await team.admin.act(code, "claim")
        await team.admin.act(code, "reply", reply=payload)
        for page in (
            await team.admin.get(f"/desk/tickets/{code}"),
            await team.admin.act(code, "look", reply=payload, note=payload, words=payload),
            await team.admin.get("/desk?tab=replied"),
        ):
            assert page.status == 200
            assert not {tag for tag, _ in page.html.elements} & {"img", "svg", "iframe", "style"}
            assert sum(tag == "script" for tag, _ in page.html.elements) == 1
            for _, attributes in page.html.elements:
                assert not any(name.startswith("on") for name in attributes)
                assert not (attributes.get("href") or "").startswith("javascript:")
            assert payload in "".join(page.html.pieces)
