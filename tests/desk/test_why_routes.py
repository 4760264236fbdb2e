"""Staff see what would be answered to a sentence, and why; nothing of it is kept."""

from __future__ import annotations

from bot.storage.store import Author
from tests.desk.conftest import Team
from tests.desk.desk_app import Running
from tests.storage.builders import NOW, citizen, open_ticket, say

CODE = "K7QM-2XPT-9RWA"


async def test_a_sentence_is_answered_and_explained(app: Running, team: Team) -> None:
    page = await team.wang.get("/desk/why")
    assert "群众会怎么问" in page.text
    page = await team.wang.post("/desk/why", text="老板跑路了，工钱没给")
    for shown in ("先向劳动监察投诉", "为什么：", "wage-arrears-boss-gone", "危险：", "读成："):
        assert shown in page.text


async def test_it_is_escaped_and_needs_a_login_and_the_form(app: Running, team: Team) -> None:
    page = await team.wang.post("/desk/why", text="<script>alert(1)</script>")
    assert "<script>alert" not in page.source and "alert(1)" in page.text
    assert (await team.wang.post("/desk/why", text="离婚", csrf="no")).status == 403
    assert "群众会看到" not in (await team.wang.post("/desk/why", text="  ")).text


async def test_a_line_of_the_talk_can_be_asked_about(app: Running, team: Team) -> None:
    await open_ticket(app.store, CODE, due_at=NOW)
    detail = await app.store.ticket(CODE)
    assert detail is not None and detail.conversation is not None
    await say(app.store, detail.conversation, citizen("邻居占了我家的地"))
    before = len(await app.store.messages(detail.conversation))
    page = await team.wang.get(f"/desk/tickets/{CODE}")
    assert page.text.count("机器怎么看这句") == sum(
        line.author is Author.CITIZEN for line in await app.store.messages(detail.conversation)
    )
    await team.wang.post("/desk/why", text="邻居占了我家的地")
    assert len(await app.store.messages(detail.conversation)) == before
