"""Logging in and out, and changing one's own password."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.clients import client_address
from bot.desk.accounts import MIN_LENGTH, AccountError, check_password, tidy_login
from bot.desk.backoff import note_success, note_try, seconds_to_wait
from bot.desk.desk import Desk
from bot.desk.pages import redirect
from bot.desk.sessions import (
    FORM_COOKIE,
    LOGIN_COOKIE,
    close_login,
    drop_cookie,
    find_login,
    fresh_token,
    give_cookie,
    open_login,
    read_cookie,
)
from bot.desk.visit import RefusedError, Visit, for_staff, read_form, same

HOME = "/desk"
_LONGEST_LOGIN = 64
"""Characters of a login that are looked at; people paste all sorts of things."""


def add_login_routes(app: web.Application, desk: Desk) -> None:
    routes = LoginRoutes(desk)
    app.router.add_get("/login", routes.get_login)
    app.router.add_post("/login", routes.post_login)
    app.router.add_post("/logout", for_staff(desk, routes.post_logout, before_change=True))
    app.router.add_get("/password", for_staff(desk, routes.get_password, before_change=True))
    app.router.add_post("/password", for_staff(desk, routes.post_password, before_change=True))


class LoginRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._counting = asyncio.Lock()

    # -- in and out ----------------------------------------------------------------------

    async def get_login(self, request: web.Request) -> web.Response:
        desk = self._desk
        onward = _onward(request.query.get("next", ""))
        if await find_login(desk.store, desk.settings, request, desk.clock()):
            return redirect(onward)
        return self._form(request, onward)

    async def post_login(self, request: web.Request) -> web.Response:
        desk = self._desk
        form = await read_form(request)
        onward = _onward(form.get("next", ""))
        token = read_cookie(request, desk.settings, FORM_COOKIE)
        if token is None or not same(form.get("csrf", ""), token):
            return self._form(request, onward, 403, desk.playbook.say("desk.login.cookie"))
        login = tidy_login(form.get("login", ""))[:_LONGEST_LOGIN]
        address = client_address(request, desk.settings.proxies) or ""
        wait = await self._check(login, form.get("password", ""), address)
        if wait is not None:
            return self._refuse(request, onward, login, wait)
        staff = await desk.store.staff_by_login(login)
        if staff is None or not staff.active:  # switched off since the check
            return self._refuse(request, onward, login, 0)
        await close_login(desk.store, desk.settings, request)
        response = redirect("/desk/password" if staff.must_change else onward)
        now = desk.clock()
        await open_login(desk.store, desk.settings, response, staff, now)
        drop_cookie(response, desk.settings, FORM_COOKIE)
        await desk.store.audit(now, staff.id, "login", {})
        return response

    async def _check(self, login: str, password: str, address: str) -> int | None:
        """Return None when the password is right, else the seconds to wait, 0 for none."""
        desk, store = self._desk, self._desk.store
        now = desk.clock()
        async with self._counting:  # or guesses sent at once would all find the same count
            wait = await seconds_to_wait(store, login, address, now)
            if wait:
                return wait
            await note_try(store, login, address, now)
        staff = await store.staff_by_login(login)
        right = await desk.accounts.verify(staff, password)
        if right and staff is not None and staff.active:
            await note_success(store, login, address, now)
            return None
        if staff is not None:  # what strangers make up would fill a log that is never shortened
            await store.audit(now, staff.id, "login_failed", {})
        return await seconds_to_wait(store, login, address, desk.clock())

    def _refuse(self, request: web.Request, onward: str, login: str, wait: int) -> web.Response:
        say = self._desk.playbook.say
        text = say("desk.login.wait", seconds=wait) if wait else say("desk.login.wrong")
        response = self._form(request, onward, 429 if wait else 401, text, login)
        if wait:
            response.headers["Retry-After"] = str(wait)
        return response

    def _form(
        self,
        request: web.Request,
        onward: str,
        status: int = 200,
        problem: str = "",
        login: str = "",
    ) -> web.Response:
        desk = self._desk
        token = read_cookie(request, desk.settings, FORM_COOKIE) or fresh_token()
        response = desk.pages.render(
            "login",
            desk.playbook,
            desk.clock(),
            status=status,
            token=token,
            onward=onward,
            problem=problem,
            typed=login,
        )
        give_cookie(response, desk.settings, FORM_COOKIE, token)
        return response

    async def post_logout(self, visit: Visit) -> web.Response:
        desk = self._desk
        await close_login(desk.store, desk.settings, visit.request)
        await desk.store.audit(visit.now, visit.staff.id, "logout", {})
        response = redirect("/desk/login")
        drop_cookie(response, desk.settings, LOGIN_COOKIE)
        return response

    # -- the own password ----------------------------------------------------------------

    async def get_password(self, visit: Visit) -> web.Response:
        return self._password_form(visit)

    async def post_password(self, visit: Visit) -> web.Response:
        """Change the own password; every other login with the old one ends."""
        desk, staff = self._desk, visit.staff
        new = visit.form.get("new", "")
        try:
            await self._check_own(visit)
            if new != visit.form.get("again", ""):
                raise AccountError("desk.password.differ")
            if new == visit.form.get("old", ""):
                raise AccountError("desk.password.same")
            check_password(new, staff)
        except AccountError as error:
            return self._password_form(visit, visit.playbook.say(error.key, **error.values))
        await desk.accounts.change_password(staff.login, new)
        await desk.store.audit(visit.now, staff.id, "password_changed", {})
        response = redirect(f"{HOME}?done=password")
        await open_login(desk.store, desk.settings, response, staff, visit.now)
        return response

    async def _check_own(self, visit: Visit) -> None:
        """Raise `AccountError` unless the present password was given; guesses are slowed down."""
        address = client_address(visit.request, self._desk.settings.proxies) or ""
        wait = await self._check(visit.staff.login, visit.form.get("old", ""), address)
        if wait:
            raise RefusedError(429, "desk.login.wait", seconds=wait)
        if wait == 0:
            raise AccountError("desk.password.old_wrong")

    def _password_form(self, visit: Visit, problem: str = "") -> web.Response:
        return self._desk.pages.render(
            "password",
            visit.playbook,
            visit.now,
            visit.login,
            status=422 if problem else 200,
            problem=problem,
            least=MIN_LENGTH,
        )


def _onward(wanted: str) -> str:
    """Return where to go after the login: only ever to a page of the desk."""
    inside = wanted == HOME or wanted.startswith((HOME + "/", HOME + "?"))
    return wanted if inside and "\\" not in wanted and wanted.isprintable() else HOME
