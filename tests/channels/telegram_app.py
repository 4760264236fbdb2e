"""The channel in a running application, against the fake Bot API, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from bot.channels.telegram import TelegramSettings, add_telegram
from bot.channels.telegram.pace import Timing
from bot.storage.sqlite import open_store
from bot.storage.store import Store
from bot.thinking import Mind
from bot.turns import Turns
from tests.fake_bot_api import TOKEN

QUICK = Timing(
    poll=1, call=3.0, lease=8.0, look=0.05, between=0.0, between_same=0.0,
    first_retry=0.02, longest_retry=0.2, closing=3.0,
)  # fmt: skip
"""As in production, a thousand times less patient."""


class Running(NamedTuple):
    """What a test may look at. ``url`` is the address of the application."""

    turns: Turns
    store: Store
    url: str


def files(folder: Path) -> tuple[Path, Path]:
    """Database and contact key of the bot in ``folder``."""
    return folder / "data" / "suifawen.db", folder / "keys" / "contact.key"


@asynccontextmanager
async def running(
    mind: Mind, folder: Path, server: str, port: int = 0, timing: Timing = QUICK, **settings: Any
) -> AsyncIterator[Running]:
    """Run the bot on the database in ``folder`` against the Bot API at ``server``."""
    store = open_store(*files(folder))
    turns = Turns(store, mind)
    app = web.Application(client_max_size=64 * 1024)
    telegram = TelegramSettings(**{"token": TOKEN, "base_url": server} | settings)
    add_telegram(app, turns, telegram, timing=timing)

    async def life(app: web.Application) -> AsyncIterator[None]:
        await turns.start()
        yield
        await turns.close()
        await store.close()

    app.cleanup_ctx.append(life)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Running(turns, store, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


async def until(true: Callable[[], bool], seconds: float = 10) -> None:
    """Wait for what nobody announces."""
    async with asyncio.timeout(seconds):
        while not true():
            await asyncio.sleep(0.01)
