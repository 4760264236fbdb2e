"""An admin looks after accounts."""

from __future__ import annotations

import json
import re
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from bot.core.handoff import TicketAction
from bot.desk.accounts import tidy_login
from bot.storage.store import Role
from tests.desk.conftest import Team
from tests.desk.desk_app import Page, Running, anonymous
from tests.storage.builders import open_ticket


def _password(page: Page) -> str:
    [found] = re.findall(r"<code>([a-z0-9-]{19})</code>", page.source)
    return str(found)


async def test_a_new_account_gets_a_password_once(app: Running, team: Team) -> None:
    page = await team.admin.post("/desk/staff/add", name="周海", login="ZhouHai", role="supervisor")
    assert page.status == 200 and "只显示这一次" in page.text
    password = _password(page)
    assert password not in (await team.admin.get("/desk/staff")).source
    added = await app.store.staff_by_login("zhouhai")
    assert added is not None
    assert (added.name, added.role, added.must_change) == ("周海", Role.SUPERVISOR, True)
    async with anonymous(app, added) as person:
        assert (await person.log_in("zhouhai", password)).path == "/desk/password"


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"name": "周海", "login": "wang", "role": "clerk"}, "账号 wang 已经有人用了"),
        ({"name": "周海", "login": "w h", "role": "clerk"}, "账号请用2到32个"),
        ({"name": "", "login": "zhou", "role": "clerk"}, "请写姓名"),
        ({"name": "周海", "login": "zhou", "role": "king"}, "请选角色"),
        ({}, "请选角色"),
    ],
)
async def test_a_bad_account_is_refused_with_the_reason(
    app: Running, team: Team, fields: dict[str, Any], says: str
) -> None:
    page = await team.admin.post("/desk/staff/add", **fields)
    assert page.status == 422 and says in page.text
    assert len(await app.store.list_staff()) == 4
    for name in ("name", "login"):
        assert f'name="{name}" value="{fields.get(name, "")}"' in page.source


async def test_an_account_is_changed_disabled_and_enabled(app: Running, team: Team) -> None:
    base = f"/desk/staff/{team.li.staff.id}"
    await open_ticket(app.store, "A")
    await app.turns.act("A", TicketAction.CLAIM, staff=team.li.staff)
    assert "1件" in (await team.admin.get("/desk/staff")).text
    assert "已改李建国的角色" in (await team.admin.post(base + "/role", role="admin")).text
    assert (await team.li.get("/desk/staff")).status == 200
    assert "已停用李建国" in (await team.admin.post(base + "/disable")).text
    assert (await team.li.get("/desk", follow=False)).status == 303
    assert "已启用李建国" in (await team.admin.post(base + "/enable")).text
    page = await team.admin.post(base + "/password")
    changed = await app.store.staff_by_login("li")
    assert changed is not None and changed.must_change and changed.active
    async with anonymous(app, changed) as person:
        assert (await person.log_in("li", _password(page))).status == 303
    with closing(sqlite3.connect(app.database)) as db:
        rows = db.execute("SELECT actor, action, detail FROM audit ORDER BY id").fetchall()
    me, other = team.admin.staff.id, str(team.li.staff.id)
    assert [(a, b, json.loads(c)) for a, b, c in rows[:4]] == [
        (me, "staff_role", {"staff": other, "role": "admin"}),
        (me, "staff_disabled", {"staff": other}),
        (me, "staff_enabled", {"staff": other}),
        (me, "staff_password", {"staff": other}),
    ]


async def test_nobody_changes_their_own_account_here(app: Running, team: Team) -> None:
    for change in ("role", "disable", "enable", "password"):
        page = await team.admin.post(f"/desk/staff/{team.admin.staff.id}/{change}", role="clerk")
        assert page.status == 403 and "自己的角色" in page.text
    assert await app.store.staff_by_login("admin") == team.admin.staff


@pytest.mark.parametrize("who", ["wang", "zhao"])
async def test_only_admins_get_in(app: Running, team: Team, who: str) -> None:
    person = getattr(team, who)
    assert (await person.get("/desk/staff")).status == 403
    assert (
        await person.post("/desk/staff/add", name="周海", login="zh", role="admin")
    ).status == 403
    for change in ("role", "disable", "enable", "password"):
        path = f"/desk/staff/{team.li.staff.id}/{change}"
        assert (await person.post(path, role="admin")).status == 403
    assert await app.store.staff_by_login("li") == team.li.staff
    assert await app.store.staff_by_login(tidy_login("zh")) is None


async def test_an_unknown_account(team: Team) -> None:
    for id_ in ("999", "x", "-1"):
        page = await team.admin.post(f"/desk/staff/{id_}/disable")
        assert page.status == 404 and "没有这个账号" in page.text
