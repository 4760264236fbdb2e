"""The door to every page: who is it, may the request change anything, and what was sent.

A handler gets a `Visit` and knows that its person is logged in and that a form is theirs.
"""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from aiohttp import web

from bot.core.playbook import Playbook
from bot.desk.desk import Desk, DeskSettings
from bot.desk.pages import redirect
from bot.desk.sessions import find_login
from bot.storage.store import Staff, StaffSession
from kb.value import value

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_FORM = "application/x-www-form-urlencoded"


class RefusedError(Exception):
    """A request is refused; ``key`` names the wording that says why, in a page of its own."""

    def __init__(self, status: int, key: str, **values: object) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.values = values


@value
class Visit:
    """One request of a person who is logged in. ``form`` is empty unless something is sent."""

    request: web.Request
    login: StaffSession
    now: datetime
    form: Mapping[str, str]
    playbook: Playbook

    @property
    def staff(self) -> Staff:
        return self.login.staff


Handler = Callable[[web.Request], Awaitable[web.Response]]
VisitHandler = Callable[[Visit], Awaitable[web.Response]]


def for_staff(desk: Desk, handler: VisitHandler, *, before_change: bool = False) -> Handler:
    """Let ``handler`` see those who are logged in.

    ``before_change``: also those who still have to change their first password.
    """

    async def visit(request: web.Request) -> web.Response:
        now = desk.clock()
        login = await find_login(desk.store, desk.settings, request, now)
        if login is None:
            if request.method not in SAFE_METHODS:
                raise RefusedError(401, "desk.error.expired")
            return redirect(f"/desk/login?next={quote(request.path_qs, safe='')}")
        form = await read_form(request) if request.method == "POST" else {}
        if request.method == "POST" and not same(form.get("csrf", ""), login.csrf):
            raise RefusedError(403, "desk.error.form")
        if login.staff.must_change and not before_change:
            return redirect("/desk/password")
        visit = Visit(request=request, login=login, now=now, form=form, playbook=desk.playbook)
        return await handler(visit)

    return visit


def for_page(desk: Desk, handler: VisitHandler) -> Handler:
    """Let ``handler`` answer what a page fetches by itself: no use of the login, and JSON."""

    async def visit(request: web.Request) -> web.Response:
        now, playbook = desk.clock(), desk.playbook
        login = await find_login(desk.store, desk.settings, request, now, used=False)
        try:
            if login is None or login.staff.must_change:
                raise RefusedError(401, "desk.error.expired_here")
            return await handler(
                Visit(request=request, login=login, now=now, form={}, playbook=playbook)
            )
        except RefusedError as error:
            text = playbook.say(error.key, **error.values)
            return web.json_response({"text": text}, status=error.status)

    return visit


async def read_form(request: web.Request) -> Mapping[str, str]:
    """Return the fields that were sent. Raises `RefusedError` when they cannot be read."""
    if request.content_type != _FORM:
        raise RefusedError(415, "desk.error.unreadable")
    try:
        fields = await request.post()
    except (UnicodeDecodeError, LookupError, ValueError):
        raise RefusedError(400, "desk.error.unreadable") from None
    return {name: text for name, text in fields.items() if isinstance(text, str)}


def same(given: str, expected: str) -> bool:
    """Compare two secrets in a time that tells nothing."""
    return hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def is_own_page(request: web.Request, settings: DeskSettings) -> bool:
    """Whether a request comes from a page of ours, as far as the browser says.

    Sec-Fetch-Site is the browser's own judgement, where it gives one; else the Origin has to
    be ours. A client that sends neither is no browser; it still needs the form's secret.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("Origin")
    if origin is None:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    return host != "" and host in (request.host, settings.public_host)
