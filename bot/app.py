"""The composition root: the only place that knows all classes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any

from aiohttp import web

from bot.api import add_api
from bot.channels.telegram import TelegramSettings, add_telegram
from bot.channels.web import add_web_chat
from bot.desk import DeskSettings, add_desk
from bot.health import add_health
from bot.minds import open_mind
from bot.settings import Settings
from bot.storage.sqlite import open_store
from bot.storage.store import StorageError, Store
from bot.thinking import Mind
from bot.turns import Turns, utc_now

log = logging.getLogger(__name__)

TURNS = web.AppKey("turns", Turns)
MAX_BODY = 64 * 1024
"""Bytes of any request body; channels set tighter limits of their own."""
SWEEP_SECONDS = 60.0
PURGE_SECONDS = 6 * 3600.0
KEEP_DAYS = {"conversations": 180, "contacts": 180, "closed_tickets": 1095, "audit": 1095}
"""How long things are kept; see README.zh-CN.md. Logs of the web server are not ours."""


def build_app(
    settings: Settings,
    *,
    store: Store | None = None,
    mind: Mind | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> web.Application:
    """Return the application: web chat, Telegram, desk, API and health page.

    What is not handed in is opened from ``settings``; opened things are closed with the app.
    """
    store = store or open_store(settings.database, settings.contact_key)
    turns = Turns(store, mind or open_mind(settings), clock=clock)
    app = web.Application(client_max_size=MAX_BODY)
    app[TURNS] = turns
    secure = settings.public_url.startswith("https://")
    add_web_chat(app, turns, settings)
    add_desk(app, turns, DeskSettings(secure=secure, proxies=settings.proxies))
    add_telegram(app, turns, _telegram(settings))
    add_api(app, turns)
    add_health(app, turns)
    app.cleanup_ctx.append(_running(turns, store))
    return app


def _telegram(settings: Settings) -> TelegramSettings:
    return TelegramSettings(
        token=settings.telegram_token.get_secret_value(),
        webhook_url=settings.telegram_webhook_url,
        webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
        base_url=settings.telegram_base_url,
    )


def _running(turns: Turns, store: Store) -> Callable[[web.Application], AsyncIterator[None]]:
    async def run(app: web.Application) -> AsyncIterator[None]:
        await turns.start()
        upkeep = asyncio.create_task(_upkeep(turns))
        yield
        upkeep.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await upkeep
        await turns.close()
        await store.close()

    return run


async def _upkeep(turns: Turns) -> None:
    """Hand back silent conversations and delete what has had its time; never stops by itself."""
    purged: float | None = None
    loop = asyncio.get_running_loop()
    while True:
        try:
            await turns.sweep()
            if purged is None or loop.time() - purged > PURGE_SECONDS:
                counts: dict[str, Any] = await turns.store.purge(utc_now(), KEEP_DAYS)
                purged = loop.time()
                if any(counts.values()):
                    log.info("deleted what was past its term: %s", counts)
        except StorageError as error:
            log.error("upkeep failed, will try again: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)
