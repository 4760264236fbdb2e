"""The composition root: the only place that knows all classes."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

from bot.api import add_api
from bot.channels.telegram import TelegramSettings, add_telegram
from bot.channels.web import add_web_chat
from bot.core.playbook import PlaybookError
from bot.desk import DeskSettings, add_desk
from bot.health import add_health
from bot.minds import open_mind, open_mind_in
from bot.settings import Settings
from bot.storage.sqlite import open_store
from bot.storage.store import StorageError, Store
from bot.thinking import Mind
from bot.turns import Turns, utc_now
from retrieval.bundle import BundleError, current
from retrieval.encoder import EncoderError

log = logging.getLogger(__name__)

TURNS = web.AppKey("turns", Turns)
MAX_BODY = 64 * 1024
"""Bytes of any request body; channels set tighter limits of their own."""
RELOAD_SECONDS = 1.0
SWEEP_SECONDS = 60.0
PURGE_SECONDS = 6 * 3600.0
KEEP_DAYS = {
    "conversations": 180,
    "contacts": 180,
    "answers": 365,
    "logins": 365,
    "inbox": 30,
    "outbox": 30,
    "openings": 7,
    "staff_sessions": 7,
}
"""Days until things are deleted; README.zh-CN.md tells operators. Tickets without personal data,
their history and the audit log stay."""


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
    mind_given = mind is not None
    store = store or open_store(settings.database, settings.contact_key)
    turns = Turns(store, mind or open_mind(settings), clock=clock)
    app = web.Application(client_max_size=MAX_BODY)
    app[TURNS] = turns
    secure = settings.public_url.startswith("https://")
    add_web_chat(app, turns, settings)
    host = urlsplit(settings.public_url).netloc
    desk = DeskSettings(secure=secure, proxies=settings.proxies, public_host=host)
    add_desk(app, turns, desk, clock)
    add_telegram(app, turns, _telegram(settings))
    add_api(app, turns)
    add_health(app, turns)
    watched = None if mind_given else settings
    app.cleanup_ctx.append(_running(turns, store, watched))
    return app


def _telegram(settings: Settings) -> TelegramSettings:
    return TelegramSettings(
        token=settings.telegram_token.get_secret_value(),
        webhook_url=settings.telegram_webhook_url,
        webhook_secret=settings.telegram_webhook_secret.get_secret_value(),
        base_url=settings.telegram_base_url,
    )


def _running(
    turns: Turns, store: Store, watched: Settings | None
) -> Callable[[web.Application], AsyncIterator[None]]:
    """``watched``: swap in the bundle that these settings point to whenever it changes."""

    async def run(app: web.Application) -> AsyncIterator[None]:
        await turns.start()
        tasks = [asyncio.create_task(_upkeep(turns))]
        if watched is not None:
            tasks.append(asyncio.create_task(_reload(turns, watched)))
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await turns.close()
        await store.close()

    return run


async def _reload(turns: Turns, settings: Settings) -> None:
    """Swap in another bundle when the pointer names one; keep the old one if it is damaged."""
    refused: str | None = None
    while True:
        await asyncio.sleep(RELOAD_SECONDS)
        folder = current(settings.bundles)
        if folder is None or f"sha256:{folder.name}" in (turns.playbook.bundle, refused):
            continue
        try:
            mind = await asyncio.to_thread(open_mind_in, folder, settings)
        except (BundleError, EncoderError, PlaybookError) as error:
            refused = f"sha256:{folder.name}"
            log.error("the new bundle is refused, the old one serves on: %s", error)
            continue
        turns.swap(mind)
        log.info("now serving %s", mind.playbook.bundle)


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
                    await turns.store.scrub()
        except StorageError as error:
            log.error("upkeep failed, will try again: %s", error)
        await asyncio.sleep(SWEEP_SECONDS)
