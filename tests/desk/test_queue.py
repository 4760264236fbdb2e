"""What stands in the queue, in which order, and for whom."""

from __future__ import annotations

import json
import time
from datetime import timedelta

import pytest

from bot.core.handoff import HandoffKind, Outcome, TicketAction
from bot.storage.store import NewMessage, Turn
from tests.desk.conftest import Team
from tests.desk.desk_app import Person, Running
from tests.storage.builders import NOW, begin, citizen, form, open_ticket

A = TicketAction


async def codes(person: Person, path: str = "/desk") -> list[str]:
    page = await person.get(path)
    assert page.status == 200
    rows = [a["href"] or "" for tag, a in page.html.elements if a.get("class") == "row"]
    return [href.rpartition("/")[2] for href in rows]


async def test_urgent_first_then_by_due_time(app: Running, team: Team) -> None:
    for code, hours, urgent in (("B", 5, False), ("A", 2, False), ("C", 9, True)):
        due = NOW + timedelta(hours=hours)
        await open_ticket(app.store, code, sender=code, due_at=due, urgent=urgent)
    assert await codes(team.wang) == ["C", "A", "B"]
    page = await team.wang.get("/desk")
    assert "紧急" in page.text and "还剩2小时" in page.text and "前" in page.text


async def test_tabs_show_each_his_own(app: Running, team: Team) -> None:
    for code in ("NEW", "WANG", "LI", "REPLIED", "CLOSED", "LICLOSED"):
        await open_ticket(app.store, code, sender=code)
    for code, who, actions in (
        ("WANG", team.wang, (A.CLAIM,)),
        ("LI", team.li, (A.CLAIM,)),
        ("REPLIED", team.wang, (A.CLAIM, A.REPLY)),
        ("CLOSED", team.wang, (A.CLAIM, A.CLOSE)),
        ("LICLOSED", team.li, (A.CLAIM, A.CLOSE)),
    ):
        for action in actions:
            app.clock.move(minutes=1)
            await app.turns.act(code, action, staff=who.staff, text="好", outcome=Outcome.ANSWERED)
    expected = {
        "new": ["NEW"], "mine": ["WANG"], "others": ["NEW"], "replied": ["REPLIED"],
        "closed": ["CLOSED"],
    }  # fmt: skip
    for tab, found in expected.items():
        assert await codes(team.wang, f"/desk?tab={tab}") == found
    assert "同事在办" not in (await team.wang.get("/desk")).text
    expected |= {"mine": [], "others": ["LI", "WANG"], "closed": ["LICLOSED", "CLOSED"]}
    for tab, found in expected.items():
        assert sorted(await codes(team.zhao, f"/desk?tab={tab}")) == sorted(found)
    assert await codes(team.zhao, "/desk?tab=closed") == ["LICLOSED", "CLOSED"]


async def test_filters_and_counts(app: Running, team: Team) -> None:
    for code, kind, county in (
        ("A", HandoffKind.MEDIATION, "suixian"),
        ("B", HandoffKind.MEDIATION, "guangshui"),
        ("C", HandoffKind.REPORT, None),
    ):
        await open_ticket(app.store, code, sender=code, kind=kind, county=county)
    assert await codes(team.wang, "/desk?kind=mediation") == ["A", "B"]
    assert await codes(team.wang, "/desk?kind=mediation&county=guangshui") == ["B"]
    pulse = json.loads((await team.wang.get("/desk/pulse?kind=mediation")).source)
    assert pulse["counts"] == {"new": 2, "mine": 0, "replied": 0}
    for odd in ("?tab=x", "?kind=x", "?county=x", "?page=0", "?page=-1", "?page=" + "9" * 999):
        assert await codes(team.wang, "/desk" + odd) == ["A", "B", "C"]


async def test_the_pulse_tells_of_news(app: Running, team: Team) -> None:
    async def pulse() -> dict[str, object]:
        return dict(json.loads((await team.wang.get("/desk/pulse")).source))

    await open_ticket(app.store, "A", sender="A", due_at=NOW + timedelta(hours=4.5))
    first = await pulse()
    assert await pulse() == first
    app.clock.move(minutes=45)  # its limit is near now
    second = await pulse()
    assert second["mark"] != first["mark"] and second["newest"] == first["newest"]
    conversation = await begin(app.store, "B")
    await app.store.commit(Turn(conversation=conversation, at=app.clock.now, opened=(form("B"),)))
    third = await pulse()
    assert third["mark"] != second["mark"]
    assert int(str(third["newest"])) > int(str(second["newest"]))
    await app.turns.act("A", A.CLAIM, staff=team.li.staff)
    assert (await pulse())["mark"] != third["mark"]


async def test_the_queue_holds_no_words_and_no_contact_data(app: Running, team: Team) -> None:
    await open_ticket(app.store, "A", place_words="桥头第三家", story="他打人")
    for path in ("/desk", "/desk/pulse", "/desk?tab=closed", "/desk/staff"):
        source = (await team.admin.get(path)).source
        for secret in ("13800001111", "桥头第三家", "他打人"):
            assert secret not in source


async def test_pages(app: Running, team: Team) -> None:
    for number in range(120):
        await open_ticket(app.store, f"T{number:03}", sender=f"s{number}")
    assert len(await codes(team.wang)) == 50
    assert await codes(team.wang, "/desk?page=3") == [f"T{n:03}" for n in range(100, 120)]
    assert await codes(team.wang, "/desk?page=99") == await codes(team.wang, "/desk?page=3")
    assert "第2页，共3页" in (await team.wang.get("/desk?page=2")).text


@pytest.mark.parametrize("tab", ["new", "mine", "others", "replied", "closed"])
async def test_an_empty_tab_says_so(team: Team, tab: str) -> None:
    assert 'class="empty"' in (await team.zhao.get(f"/desk?tab={tab}")).source


async def test_a_thousand_open_tickets_and_a_long_conversation_are_quick(
    app: Running, team: Team
) -> None:
    conversation = await begin(app.store, "busy")
    forms = tuple(form(f"T{number:04}", due_at=NOW) for number in range(1000))
    words: tuple[NewMessage, ...] = tuple(citizen(f"第{n}句") for n in range(1000))
    await app.store.commit(Turn(conversation=conversation, at=NOW, opened=forms, messages=words))
    for path in ("/desk", "/desk/pulse", "/desk/tickets/T0001", "/desk/tickets/T0001/pulse"):
        started = time.perf_counter()
        assert (await team.wang.get(path)).status == 200
        assert time.perf_counter() - started < 1.0, path  # some 0.05 s on a quiet machine
