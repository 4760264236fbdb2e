"""Logging in, staying logged in, and being thrown out."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.desk import DeskSettings
from bot.desk.sessions import FORM_COOKIE
from bot.storage.store import Role
from bot.thinking import Mind
from tests.desk.conftest import Team
from tests.desk.desk_app import (
    PASSWORD,
    Person,
    Running,
    add_staff,
    anonymous,
    at_the_desk,
    running,
)


@pytest.fixture
async def stranger(app: Running) -> Any:
    staff = await add_staff(app, "wang", name="王敏")
    async with anonymous(app, staff) as person:
        yield person


# -- the way in ----------------------------------------------------------------------------


async def test_the_right_password_opens_the_queue(stranger: Person) -> None:
    asked = await stranger.get("/desk/tickets/ABCD", follow=False)
    assert (asked.status, asked.path) == (303, "/desk/login?next=%2Fdesk%2Ftickets%2FABCD")
    page = await stranger.log_in(" Wang ", PASSWORD, next="/desk?tab=mine")
    assert (page.status, page.path) == (303, "/desk?tab=mine")
    cookies = page.headers.getall("Set-Cookie")
    [login] = [c for c in cookies if c.startswith("sfw-desk=")]
    assert "HttpOnly" in login and "SameSite=Lax" in login and "Path=/" in login
    assert "王敏" in (await stranger.get("/desk")).text
    assert (await stranger.get("/desk/login", follow=False)).path == "/desk"


async def test_over_https_the_cookie_is_for_https_and_for_us_only(
    mind: Mind, tmp_path: Path
) -> None:
    async with running(mind, tmp_path, DeskSettings(secure=True)) as app:
        staff = await add_staff(app, "wang")
        async with anonymous(app, staff) as person:
            page = await person.get("/desk/login")
            [cookie] = page.headers.getall("Set-Cookie")
    assert cookie.startswith("__Host-sfw-desk-form=") and "Secure" in cookie
    assert "Path=/" in cookie and "Domain" not in cookie


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/desk",
        "/desk\\evil",
        "/deskevil",
        "/desk/\r\nX: y",
        "",
    ],
)
async def test_the_login_leads_only_into_the_desk(stranger: Person, target: str) -> None:
    page = await stranger.log_in("wang", PASSWORD, next=target)
    assert (page.status, page.path) == (303, "/desk")


async def test_wrong_passwords_unknown_logins_and_disabled_accounts_look_the_same(
    app: Running, stranger: Person
) -> None:
    off = await add_staff(app, "li")
    await app.store.update_staff(replace(off, active=False))
    pages = [
        await stranger.log_in(login, password)
        for login, password in (("wang", "falsch"), ("nobody", PASSWORD), ("li", PASSWORD))
    ]
    for page in pages:
        assert page.status == 401
        assert "账号或者密码不对" in page.text
    assert stranger.cookie() is None


@pytest.mark.parametrize(
    ("login", "password"),
    [("wang\0", "x"), ("王" * 5000, "x"), ("wang", "x" * 20_000), ("wang", "\0"), ("", "")],
)
async def test_odd_input_is_just_wrong(stranger: Person, login: str, password: str) -> None:
    assert (await stranger.log_in(login, password)).status == 401


async def test_the_login_form_is_tied_to_the_browser_that_asked_for_it(stranger: Person) -> None:
    page = await stranger.log_in("wang", PASSWORD, csrf="0" * 64)
    assert page.status == 403 and "Cookie" in page.text
    assert stranger.cookie(FORM_COOKIE) is not None
    assert stranger.cookie() is None


async def test_a_login_never_takes_over_a_token_that_was_there_before(stranger: Person) -> None:
    stranger.hold("a" * 64)
    await stranger.log_in("wang", PASSWORD)
    first = stranger.cookie()
    assert first not in (None, "a" * 64)
    async with anonymous(stranger.app, stranger.staff) as other:
        await other.log_in("wang", PASSWORD)
        assert other.cookie() != first


async def test_the_database_holds_no_token_and_no_password(app: Running, stranger: Person) -> None:
    await stranger.log_in("wang", PASSWORD)
    await stranger.log_in("geheimes-passwort", PASSWORD)
    token = stranger.cookie()
    contents = b"".join(f.read_bytes() for f in app.database.parent.glob("suifawen.db*"))
    assert token is not None
    for secret in (token, PASSWORD, "geheimes-passwort"):
        assert secret.encode() not in contents


# -- guessing ------------------------------------------------------------------------------


async def test_five_wrong_passwords_make_the_guesser_wait(mind: Mind, tmp_path: Path) -> None:
    here, there = {"X-Forwarded-For": "6.6.6.6, 10.0.0.1"}, {"X-Forwarded-For": "10.0.0.2"}
    async with running(mind, tmp_path, DeskSettings(proxies=1)) as app:
        staff = await add_staff(app, "wang")
        async with anonymous(app, staff) as person:
            statuses = [
                (await person.log_in("wang", "falsch", headers=here)).status for _ in range(5)
            ]
            assert statuses == [401, 401, 401, 401, 429]
            app.clock.move(seconds=10)
            page = await person.log_in("wang", PASSWORD, headers=here)
            assert page.status == 429 and "请等20秒再试" in page.text
            assert page.headers["Retry-After"] == "20"
            async with anonymous(app, staff) as owner:
                assert (await owner.log_in("wang", PASSWORD, headers=there)).status == 303
            app.clock.move(seconds=21)
            assert (await person.log_in("wang", PASSWORD, headers=here)).status == 303


async def test_guesses_sent_at_once_are_counted(stranger: Person) -> None:
    await stranger.get("/desk/login")
    pages = await asyncio.gather(*(stranger.log_in("wang", f"falsch{i}") for i in range(20)))
    assert len([p for p in pages if "账号或者密码不对" in p.text]) <= 5
    assert {page.status for page in pages} == {401, 429}


async def test_logins_stand_in_the_audit_log_without_what_was_typed(
    app: Running, stranger: Person
) -> None:
    await stranger.log_in("ein-passwort", "x")
    await stranger.log_in("wang", "x")
    await stranger.log_in("wang", PASSWORD)
    stranger.csrf = (await stranger.get("/desk")).field("csrf")
    await stranger.post("/desk/logout")
    with closing(sqlite3.connect(app.database)) as db:
        rows = db.execute("SELECT actor, action, detail FROM audit ORDER BY id").fetchall()
    me = stranger.staff.id
    assert rows == [
        (me, "login_failed", "{}"),
        (me, "login", "{}"),
        (me, "logout", "{}"),
    ]


# -- the end of a login --------------------------------------------------------------------


async def test_a_login_that_nobody_uses_ends(app: Running, team: Team) -> None:
    for _ in range(3):
        app.clock.move(minutes=59)
        assert (await team.wang.get("/desk", follow=False)).status == 200
    app.clock.move(minutes=61)
    assert (await team.wang.get("/desk", follow=False)).status == 303


async def test_what_a_page_fetches_by_itself_is_no_use(app: Running, team: Team) -> None:
    for _ in range(61):
        app.clock.move(minutes=1)
        answer = await team.wang.get("/desk/pulse")
    assert answer.status == 401
    assert "登录已经过期" in json.loads(answer.source)["text"]


async def test_a_login_ends_after_a_working_day(app: Running, team: Team) -> None:
    for _ in range(24):
        assert (await team.wang.get("/desk", follow=False)).status == 200
        app.clock.move(minutes=30)
    app.clock.move(minutes=1)
    assert (await team.wang.get("/desk", follow=False)).status == 303


async def test_a_disabled_account_is_out_at_once(app: Running, team: Team) -> None:
    await team.admin.post(f"/desk/staff/{team.wang.staff.id}/disable")
    assert (await team.wang.get("/desk", follow=False)).status == 303


async def test_after_logging_out_the_token_is_worth_nothing(team: Team) -> None:
    token = team.wang.cookie()
    assert (await team.wang.post("/desk/logout")).path == "/desk/login"
    assert team.wang.cookie() is None
    team.wang.hold(str(token))
    assert (await team.wang.get("/desk", follow=False)).status == 303


async def test_what_was_typed_survives_an_expired_login(app: Running, team: Team) -> None:
    app.clock.move(hours=2)
    page = await team.wang.post("/desk/tickets/X/act", action="reply", reply="写了半天<b>的话")
    assert page.status == 401
    assert "登录已经过期" in page.text and "写了半天<b>的话" in page.text


# -- the own password ----------------------------------------------------------------------

NEW = "泡泡青炒腊肉配米酒最好"


async def test_a_first_password_has_to_be_changed(app: Running, stranger: Person) -> None:
    await app.store.update_staff(replace(stranger.staff, must_change=True))
    assert (await stranger.log_in("wang", PASSWORD)).path == "/desk/password"
    for path in ("/desk", "/desk/staff", "/desk/tickets/X", "/desk/find?code=X"):
        assert (await stranger.get(path, follow=False)).path == "/desk/password"
    assert (await stranger.get("/desk/pulse")).status == 401
    form = await stranger.get("/desk/password")
    assert "别人设的" in form.text
    stranger.csrf = form.field("csrf")
    refused = await stranger.post("/desk/tickets/X/act", action="claim")
    assert refused.path == "/desk/password"
    page = await stranger.post("/desk/password", old=PASSWORD, new=NEW, again=NEW)
    assert (page.status, page.path) == (303, "/desk?done=password")
    assert "密码已经改好" in (await stranger.get(page.path)).text
    async with anonymous(app, stranger.staff) as again:
        assert (await again.log_in("wang", PASSWORD)).status == 401
        assert (await again.log_in("wang", NEW)).path == "/desk"


async def test_a_changed_password_ends_the_other_logins(app: Running, team: Team) -> None:
    async with at_the_desk(app, team.wang.staff) as elsewhere:
        assert (await elsewhere.get("/desk", follow=False)).status == 200
        await team.wang.post("/desk/password", old=PASSWORD, new=NEW, again=NEW)
        assert (await elsewhere.get("/desk", follow=False)).status == 303
        assert (await team.wang.get("/desk", follow=False)).status == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "says"),
    [
        ("falsch", NEW, NEW, "现在的密码不对"),
        (PASSWORD, NEW, NEW + "了", "两次输入的新密码不一样"),
        (PASSWORD, PASSWORD, PASSWORD, "和现在的一样"),
        (PASSWORD, "短", "短", "至少要10个字符"),
        (PASSWORD, "1234567890", "1234567890", "太容易被猜到"),
        (PASSWORD, "长" * 200, "长" * 200, "最多128个字符"),
    ],
)
async def test_a_bad_new_password_is_refused_with_the_reason(
    team: Team, old: str, new: str, again: str, says: str
) -> None:
    page = await team.wang.post("/desk/password", old=old, new=new, again=again)
    assert page.status == 422 and says in page.text
    assert PASSWORD not in page.source and NEW not in page.source


async def test_the_old_password_cannot_be_guessed_from_an_open_desk(team: Team) -> None:
    for _ in range(5):
        page = await team.wang.post("/desk/password", old="falsch", new=NEW, again=NEW)
    page = await team.wang.post("/desk/password", old=PASSWORD, new=NEW, again=NEW)
    assert page.status == 429 and "请等30秒再试" in page.text


async def test_roles_are_shown(app: Running) -> None:
    for role, shown in ((Role.CLERK, "经办人"), (Role.ADMIN, "管理员")):
        staff = await add_staff(app, role.value, role, "某某")
        async with at_the_desk(app, staff) as person:
            page = await person.get("/desk")
            assert shown in page.text
            assert ("人员" in page.text) is (role is Role.ADMIN)
