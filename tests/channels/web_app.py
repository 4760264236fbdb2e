"""The web chat in a running application, and a visitor without a browser, for tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web

from bot.channels.web import add_web_chat
from bot.settings import Settings
from bot.storage.sqlite import open_store
from bot.storage.store import Store
from bot.thinking import Mind
from bot.turns import Turns

OURS = {"X-Suifawen": "1"}


class Running(NamedTuple):
    """What a test may look at. ``url`` is the address of the page, without the last slash."""

    turns: Turns
    store: Store
    url: str


@asynccontextmanager
async def running(
    mind: Mind, folder: Path, *, port: int = 0, **settings: Any
) -> AsyncIterator[Running]:
    """Run the web chat on the database in ``folder``."""
    made = Settings(data=folder, **settings)
    store = open_store(made.database, made.contact_key)
    turns = Turns(store, mind)
    app = web.Application()
    add_web_chat(app, turns, made)

    async def life(app: web.Application) -> AsyncIterator[None]:
        await turns.start()
        yield
        await turns.close()
        await store.close()

    app.cleanup_ctx.append(life)
    runner = web.AppRunner(app, shutdown_timeout=5)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield Running(turns, store, f"http://127.0.0.1:{runner.addresses[0][1]}")
    finally:
        await runner.cleanup()


class Visitor:
    """Somebody with cookies who talks to the server as the page does."""

    def __init__(self, url: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self.session = session
        self.thread = ""
        self.last = 0
        self._keys = 0

    async def send(self, text: str = "", **rest: Any) -> tuple[int, dict[str, Any]]:
        """Send a message; return the status and the answer."""
        self._keys += 1
        key = rest.pop("key", f"key-{self._keys:06}")
        async with self.session.post(
            f"{self.url}/chat/send",
            data=json.dumps({"key": key, "text": text, **rest}, ensure_ascii=False).encode(),
            headers=OURS,
        ) as response:
            return response.status, await response.json()

    async def updates(self, wait: int = 10, **query: Any) -> dict[str, Any]:
        """Ask for what is new, as the page does."""
        asked: dict[str, Any] = {"after": self.last, "thread": self.thread, "wait": wait} | query
        async with self.session.get(f"{self.url}/chat/updates", params=asked) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
        self.thread, self.last = answer["thread"], answer["last"]
        return answer

    async def ask(self, text: str) -> dict[str, Any]:
        """Send ``text`` and return the bot's next line."""
        status, answer = await self.send(text)
        assert status == 202, answer
        while True:
            for message in (await self.updates())["messages"]:
                if message["author"] == "bot":
                    return dict(message)


@asynccontextmanager
async def visiting(url: str) -> AsyncIterator[Visitor]:
    """Open the page, which gives the cookie. The jar takes cookies of a bare address."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        async with session.get(url + "/") as response:
            assert response.status == 200
        yield Visitor(url, session)
