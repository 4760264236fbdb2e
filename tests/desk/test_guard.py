"""What stands before every page: forged requests, wrong methods, headers, faults."""

from __future__ import annotations

import aiohttp
import pytest

from bot.core.handoff import TicketState
from tests.desk.conftest import Team
from tests.desk.desk_app import Running
from tests.storage.builders import open_ticket

CODE = "K7QM-2XPT-9RWA"
ACT = f"/desk/tickets/{CODE}/act"


@pytest.fixture
async def ticket(app: Running) -> str:
    await open_ticket(app.store, CODE)
    return CODE


async def _state(app: Running) -> TicketState:
    detail = await app.store.ticket(CODE)
    assert detail is not None
    return detail.ticket.state


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[bad"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
async def test_a_forged_request_changes_nothing(
    app: Running, team: Team, ticket: str, headers: dict[str, str]
) -> None:
    page = await team.wang.post(ACT, headers, action="claim", version=0, reply="别人写的话")
    assert page.status == 403 and "不是从工作台的页面发来的" in page.text
    assert "别人写的话" not in page.text
    assert await _state(app) is TicketState.WAITING


@pytest.mark.parametrize("csrf", ["", "0" * 64, "汉字"])
async def test_without_the_secret_of_the_form_nothing_is_done(
    app: Running, team: Team, ticket: str, csrf: str
) -> None:
    page = await team.wang.post(ACT, csrf=csrf, action="claim", version=0, reply="写好的话")
    assert page.status == 403 and "写好的话" in page.text
    assert await _state(app) is TicketState.WAITING
    page = await team.wang.post(ACT, csrf=team.li.csrf, action="claim", version=0)
    assert page.status == 403


@pytest.mark.parametrize("own", ["origin", "fetch"])
async def test_our_own_pages_are_known(app: Running, team: Team, ticket: str, own: str) -> None:
    headers = {"Origin": app.url} if own == "origin" else {"Sec-Fetch-Site": "same-origin"}
    page = await team.wang.post(ACT, headers, action="claim", version=0)
    assert page.status == 303
    assert await _state(app) is TicketState.CLAIMED


async def test_nothing_is_changed_by_a_get(app: Running, team: Team, ticket: str) -> None:
    """Walk the table of routes: what is posted to cannot be opened; what can be changes nothing."""
    methods: dict[str, set[str]] = {}
    for route in app.app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical.replace("{code}", CODE)
        path = path.replace("{id}", str(team.li.staff.id))
        methods.setdefault(path, set()).add(route.method)
    opened = [path for path, known in methods.items() if "GET" in known]
    posted = [path for path in methods if path not in opened]
    for path in methods:
        query = "?action=claim&version=0&csrf=" + team.admin.csrf
        page = await team.admin.get(path + query, follow=False)
        if path in posted:
            assert page.status == 405 and "不能这样打开" in page.text, path
        else:
            assert page.status in (200, 303, 403, 404), path  # no file or ticket is named
    assert len(posted) >= 7 and len(opened) >= 8
    assert await _state(app) is TicketState.WAITING
    li = await app.store.staff_by_login("li")
    assert li == team.li.staff


async def test_pages_carry_their_headers(app: Running, team: Team, ticket: str) -> None:
    for path in ("/desk", "/desk/login", "/desk/nothing", "/desk/pulse", f"/desk/tickets/{CODE}"):
        headers = (await team.wang.get(path)).headers
        policy = headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
    page = await team.wang.get("/desk")
    [script] = [a for tag, a in page.html.elements if tag == "script"]
    file = await team.wang.get(str(script["src"]))
    assert file.status == 200 and "immutable" in file.headers["Cache-Control"]


async def test_no_page_has_inline_script_or_style(team: Team, ticket: str) -> None:
    seen = 0
    paths = ("/desk", "/desk?tab=closed", f"/desk/tickets/{CODE}", "/desk/staff", "/desk/password")
    for path in (*paths, "/desk/nothing"):
        for tag, attributes in (await team.admin.get(path)).html.elements:
            seen += 1
            assert tag != "style" and "style" not in attributes
            assert not any(name.startswith("on") for name in attributes)
            assert tag != "script" or attributes["src"]
    assert seen > 300


@pytest.mark.parametrize(
    ("path", "status", "says"),
    [
        ("/desk/nothing", 404, "没有这个页面"),
        ("/desk/tickets/NONE-NONE-NONE", 404, "没有这个编号的工单"),
        ("/desk/tickets/%00", 404, "没有这个编号的工单"),
        ("/desk/find?code=K7QM", 404, "没有这个编号的工单"),
        ("/desk/find", 404, "没有这个编号的工单"),
        ("/desk/static/none.js", 404, ""),
        ("/desk/static/../accounts.py", 404, "没有这个页面"),
        ("/desk/staff", 403, "人员由管理员管理"),
    ],
)
async def test_faults_are_told_in_plain_chinese(
    team: Team, path: str, status: int, says: str
) -> None:
    page = await team.wang.get(path)
    assert page.status == status and says in page.text


async def test_a_code_is_found_however_it_is_read_out(team: Team, ticket: str) -> None:
    for typed in ("k7qm2xpt9rwa", " K7QM-2XPT-9RWA", "Ｋ７ＱＭ 2xpt 9rwa"):
        page = await team.wang.get(f"/desk/find?code={typed}", follow=False)
        assert (page.status, page.path) == (303, f"/desk/tickets/{CODE}")


@pytest.mark.parametrize(
    ("data", "kind", "status"),
    [
        (b"csrf=1&reply=\xff\xfe", "application/x-www-form-urlencoded", 400),
        (b"{}", "application/json", 415),
        (b"x", "multipart/form-data; boundary=y", 415),
        (b"csrf=1", "application/x-www-form-urlencoded; charset=klingon", 400),
        (b"reply=" + b"x" * 1_000_000, "application/x-www-form-urlencoded", 413),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
async def test_unreadable_bodies_are_refused(
    app: Running, team: Team, ticket: str, data: bytes, kind: str, status: int
) -> None:
    for path in (ACT, "/desk/login"):
        async with team.wang.session.post(
            app.url + path, data=data, headers={"Content-Type": kind}
        ) as answer:
            assert answer.status == status, await answer.text()
    assert await _state(app) is TicketState.WAITING


async def test_the_desk_is_found_with_and_without_a_slash(app: Running, team: Team) -> None:
    assert (await team.wang.get("/desk/")).status == 200
    async with aiohttp.ClientSession() as session, session.get(app.url + "/desk") as answer:
        assert answer.url.path == "/desk/login"
