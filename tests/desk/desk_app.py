"""The desk in a running application, and people at it without a browser, for tests."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
from aiohttp import web
from argon2 import PasswordHasher
from yarl import URL

from bot.desk import DeskSettings, add_desk
from bot.desk.sessions import LOGIN_COOKIE
from bot.settings import Settings
from bot.storage.sqlite import open_store
from bot.storage.store import Role, Staff, Store
from bot.thinking import Mind
from bot.turns import Turns
from tests.storage.builders import NOW

PASSWORD = "编钟在随州博物馆里响"
HASHED = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD.encode())
"""Cheap to verify; the real parameters are tested once."""


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now

    def move(self, **span: float) -> None:
        self.now += timedelta(**span)


class Running(NamedTuple):
    """What a test may look at. ``url`` is the address of the server, without a last slash."""

    turns: Turns
    store: Store
    clock: Clock
    url: str
    app: web.Application
    database: Path


@asynccontextmanager
async def running(mind: Mind, folder: Path, settings: DeskSettings) -> AsyncIterator[Running]:
    """Run the desk on the database in ``folder``."""
    made = Settings(data=folder)
    store = open_store(made.database, made.contact_key)
    clock = Clock()
    turns = Turns(store, mind, clock=clock)
    app = web.Application(client_max_size=64 * 1024)
    add_desk(app, turns, settings, clock)

    async def life(app: web.Application) -> AsyncIterator[None]:
        await turns.start()
        yield
        await turns.close()
        await store.close()

    app.cleanup_ctx.append(life)
    runner = web.AppRunner(app, shutdown_timeout=5)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield Running(turns, store, clock, url, app, made.database)
    finally:
        await runner.cleanup()


class Html(HTMLParser):
    """A page as a browser takes it apart: its elements, and what can be read."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.pieces: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.pieces.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.pieces).split())


class Page(NamedTuple):
    """An answer of the server."""

    status: int
    path: str
    """Where it was redirected to, or the path that was asked for."""
    source: str
    headers: Any

    @property
    def html(self) -> Html:
        return Html(self.source)

    @property
    def text(self) -> str:
        return self.html.text

    def field(self, name: str) -> str:
        """Return the value of a hidden field."""
        for tag, attributes in self.html.elements:
            if tag == "input" and attributes.get("name") == name:
                return attributes.get("value") or ""
        raise AssertionError(f"no field {name}")

    def typed(self, name: str) -> str:
        """Return what stands in a text area."""
        found = re.search(rf'<textarea[^>]* name="{name}"[^>]*>\n?([^<]*)', self.source)
        assert found is not None, f"no text area {name}"
        return found[1]


class Person:
    """Somebody in front of a browser."""

    def __init__(self, app: Running, session: aiohttp.ClientSession, staff: Staff) -> None:
        self.app = app
        self.session = session
        self.staff = staff
        self.csrf = ""

    async def begin(self) -> None:
        """Be logged in, without the tenth of a second that a password takes."""
        token, self.csrf = secrets.token_hex(32), secrets.token_hex(32)
        digest = hashlib.sha256(token.encode()).hexdigest()
        await self.app.store.open_staff_session(
            digest, self.staff.id, self.csrf, self.app.clock.now
        )
        self.hold(token)

    def hold(self, token: str) -> None:
        """Keep ``token`` as the cookie of the login, as if the desk had given it."""
        self.session.cookie_jar.update_cookies({LOGIN_COOKIE: token}, URL(self.app.url))

    async def get(self, path: str, *, follow: bool = True) -> Page:
        return await self._ask("GET", path, follow, {}, None)

    async def post(
        self, path: str, headers: dict[str, str] | None = None, *, follow: bool = False, **form: Any
    ) -> Page:
        """Send a form of a page of ours."""
        fields = {"csrf": self.csrf} | {k: str(v) for k, v in form.items()}
        return await self._ask("POST", path, follow, headers or {}, fields)

    async def act(self, code: str, action: str, **form: Any) -> Page:
        """Press a button on the page of a ticket, as it is now."""
        if "version" not in form:
            detail = await self.app.store.ticket(code)
            assert detail is not None
            form["version"] = detail.ticket.version
        return await self.post(f"/desk/tickets/{code}/act", action=action, **form)

    async def log_in(
        self, login: str, password: str, headers: dict[str, str] | None = None, **form: str
    ) -> Page:
        """Use the login form."""
        page = await self.get("/desk/login")
        token = page.field("csrf")
        fields = {"csrf": token, "login": login, "password": password} | form
        return await self._ask("POST", "/desk/login", False, headers or {}, fields)

    def cookie(self, name: str = LOGIN_COOKIE) -> str | None:
        found = [c.value for c in self.session.cookie_jar if c.key == name]
        return found[0] if found else None

    async def _ask(self, method: str, path: str, follow: bool, headers: Any, fields: Any) -> Page:
        async with self.session.request(
            method, self.app.url + path, data=fields, headers=headers, allow_redirects=follow
        ) as answer:
            where = answer.headers.get("Location") or answer.url.path_qs
            return Page(answer.status, where, await answer.text(), answer.headers)


async def add_staff(app: Running, login: str, role: Role = Role.CLERK, name: str = "") -> Staff:
    return await app.store.add_staff(login, name or login, role, HASHED)


@asynccontextmanager
async def at_the_desk(app: Running, staff: Staff) -> AsyncIterator[Person]:
    """Let ``staff`` sit down, logged in. The jar takes cookies of a bare address."""
    async with anonymous(app, staff) as person:
        await person.begin()
        yield person


@asynccontextmanager
async def anonymous(app: Running, staff: Staff) -> AsyncIterator[Person]:
    """Let ``staff`` sit down without being logged in."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
        yield Person(app, session, staff)
