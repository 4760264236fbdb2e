"""The page where an admin looks after accounts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from aiohttp import web

from bot.core.handoff import OPEN_STATES
from bot.desk.accounts import AccountError
from bot.desk.desk import Desk
from bot.desk.permissions import may_manage_staff
from bot.desk.queue import MOST_OPEN
from bot.desk.visit import RefusedError, Visit, VisitHandler, for_staff
from bot.storage.store import Role, Staff, TicketFilter


def add_staff_routes(app: web.Application, desk: Desk) -> None:
    routes = StaffRoutes(desk)
    app.router.add_get("/staff", for_staff(desk, _for_admin(routes.get_staff)))
    app.router.add_post("/staff/add", for_staff(desk, _for_admin(routes.post_add)))
    for change, handler in (
        ("role", routes.post_role),
        ("disable", routes.post_disable),
        ("enable", routes.post_enable),
        ("password", routes.post_password),
    ):
        app.router.add_post(f"/staff/{{id}}/{change}", for_staff(desk, _for_admin(handler)))


def _for_admin(handler: VisitHandler) -> VisitHandler:
    async def visit(visit: Visit) -> web.Response:
        if not may_manage_staff(visit.staff):
            raise RefusedError(403, "desk.error.not_admin")
        return await handler(visit)

    return visit


class StaffRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get_staff(self, visit: Visit) -> web.Response:
        return await self._page(visit)

    async def post_add(self, visit: Visit) -> web.Response:
        form = visit.form
        try:
            role = _role(form)
            staff, password = await self._desk.accounts.add(
                form.get("login", ""), form.get("name", ""), role
            )
        except AccountError as error:
            problem = visit.playbook.say(error.key, **error.values)
            return await self._page(visit, problem=problem, typed=form)
        await self._audit(visit, "staff_added", staff, role=role)
        return await self._page(visit, done="added", staff=staff, password=password)

    async def post_role(self, visit: Visit) -> web.Response:
        staff, role = await self._other(visit), _role(visit.form)
        await self._desk.accounts.change_role(staff.login, role)
        await self._audit(visit, "staff_role", staff, role=role)
        return await self._page(visit, done="role", staff=staff)

    async def post_disable(self, visit: Visit) -> web.Response:
        staff = await self._other(visit)
        await self._desk.accounts.switch(staff.login, active=False)
        await self._audit(visit, "staff_disabled", staff)
        return await self._page(visit, done="disabled", staff=staff)

    async def post_enable(self, visit: Visit) -> web.Response:
        staff = await self._other(visit)
        await self._desk.accounts.switch(staff.login, active=True)
        await self._audit(visit, "staff_enabled", staff)
        return await self._page(visit, done="enabled", staff=staff)

    async def post_password(self, visit: Visit) -> web.Response:
        staff = await self._other(visit)
        password = await self._desk.accounts.reset_password(staff.login)
        await self._audit(visit, "staff_password", staff)
        return await self._page(visit, done="password", staff=staff, password=password)

    async def _other(self, visit: Visit) -> Staff:
        """Return the account of the address. Nobody changes their own, so one admin stays."""
        wanted = visit.request.match_info["id"]
        found = [s for s in await self._desk.store.list_staff() if str(s.id) == wanted]
        if not found:
            raise RefusedError(404, "desk.staff.unknown")
        if found[0].id == visit.staff.id:
            raise RefusedError(403, "desk.staff.not_self")
        return found[0]

    async def _audit(self, visit: Visit, action: str, staff: Staff, **detail: str) -> None:
        detail = {"staff": str(staff.id), **detail}
        await self._desk.store.audit(visit.now, visit.staff.id, action, detail)

    async def _page(
        self,
        visit: Visit,
        *,
        problem: str = "",
        done: str = "",
        staff: Staff | None = None,
        password: str = "",
        typed: Mapping[str, str] | None = None,
    ) -> web.Response:
        """Return the page; a password that was just made is shown on it, once."""
        wanted = TicketFilter(states=tuple(sorted(OPEN_STATES)), limit=MOST_OPEN)
        held = Counter(t.owner for t in await self._desk.store.tickets(wanted))
        return self._desk.pages.render(
            "staff",
            visit.playbook,
            visit.now,
            visit.login,
            status=422 if problem else 200,
            everyone=await self._desk.store.list_staff(),
            held=held,
            roles=list(Role),
            problem=problem,
            done=done,
            changed=staff,
            password=password,
            typed=typed or {},
        )


def _role(form: Mapping[str, str]) -> Role:
    """Return the role that was chosen. Raises `AccountError`."""
    role = form.get("role", "")
    if role not in list(Role):
        raise AccountError("desk.staff.role_missing")
    return Role(role)
