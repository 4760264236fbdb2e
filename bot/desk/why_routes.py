"""Why the bot answers a sentence as it does: what was understood, what was near, how sure."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.desk.desk import Desk
from bot.desk.drafts import MAX_WORDS
from bot.desk.visit import Visit, for_staff
from bot.explaining import explain


def add_why_routes(app: web.Application, desk: Desk) -> None:
    routes = WhyRoutes(desk)
    app.router.add_get("/why", for_staff(desk, routes.get_why))
    app.router.add_post("/why", for_staff(desk, routes.post_why))


class WhyRoutes:
    """The sentence is sent in a form: in an address it would stand in logs."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get_why(self, visit: Visit) -> web.Response:
        return self._page(visit, "", None)

    async def post_why(self, visit: Visit) -> web.Response:
        text = visit.form.get("text", "").strip()[:MAX_WORDS]
        if not text:
            return self._page(visit, "", None)
        found = await asyncio.to_thread(explain, self._desk.turns.mind, text, visit.now)
        return self._page(visit, text, found)

    def _page(self, visit: Visit, text: str, found: object) -> web.Response:
        return self._desk.pages.render(
            "why", visit.playbook, visit.now, visit.login, text=text, found=found
        )
