"""The queue, and what it asks for every few seconds."""

from __future__ import annotations

import unicodedata

from aiohttp import web

from bot.core.handoff import HandoffKind
from bot.desk.desk import Desk
from bot.desk.pages import redirect
from bot.desk.queue import load_queue, parse_query, tabs_of
from bot.desk.visit import RefusedError, Visit, for_page, for_staff


def add_queue_routes(app: web.Application, desk: Desk) -> None:
    routes = QueueRoutes(desk)
    app.router.add_get("", for_staff(desk, routes.get_queue))
    app.router.add_get("/", routes.get_slash)
    app.router.add_get("/pulse", for_page(desk, routes.get_pulse))
    app.router.add_get("/find", for_staff(desk, routes.get_find))


class QueueRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get_slash(self, request: web.Request) -> web.Response:
        return redirect("/desk")

    async def get_queue(self, visit: Visit) -> web.Response:
        query = parse_query(visit.request.query, visit.playbook, visit.staff)
        page = await load_queue(self._desk.store, query, visit.staff, visit.playbook, visit.now)
        return self._desk.pages.render(
            "queue",
            visit.playbook,
            visit.now,
            visit.login,
            page=page,
            query=query,
            tabs=tabs_of(visit.staff),
            kinds=list(HandoffKind),
            counties=visit.playbook.counties(),
            pulse=query.link().replace("/desk?", "/desk/pulse?"),
            done="password" if visit.request.query.get("done") == "password" else "",
        )

    async def get_pulse(self, visit: Visit) -> web.Response:
        """The counts of the tabs, the time, and whether anything has changed."""
        query = parse_query(visit.request.query, visit.playbook, visit.staff)
        page = await load_queue(self._desk.store, query, visit.staff, visit.playbook, visit.now)
        return web.json_response(
            {
                "now": int(visit.now.timestamp() * 1000),
                "counts": page.counts,
                "mark": page.mark,
                "newest": page.newest,
            }
        )

    async def get_find(self, visit: Visit) -> web.Response:
        """Go to the ticket whose code somebody reads out on the telephone."""
        typed = unicodedata.normalize("NFKC", visit.request.query.get("code", "")).upper()
        letters = "".join(c for c in typed if c.isascii() and c.isalnum())
        code = "-".join(letters[i : i + 4] for i in range(0, len(letters), 4))
        if len(letters) != 12 or await self._desk.store.ticket(code) is None:
            raise RefusedError(404, "desk.error.no_ticket")
        return redirect(f"/desk/tickets/{code}")
