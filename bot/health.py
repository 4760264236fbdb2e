"""`GET /health`: is everything that has to live alive? For operators and containers."""

from __future__ import annotations

from aiohttp import web

from bot.storage.store import StorageError
from bot.turns import Turns


def add_health(app: web.Application, turns: Turns) -> None:
    """Serve the health page: 200 when all is well, 503 when the store does not answer."""

    async def get_health(request: web.Request) -> web.Response:
        try:
            counts = await turns.store.statistics()
        except StorageError as error:
            return web.json_response({"ok": False, "store": str(error)}, status=503)
        return web.json_response({"ok": True, "bundle": turns.playbook.bundle, "store": counts})

    app.router.add_get("/health", get_health)
