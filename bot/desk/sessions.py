"""Logins: a random token in the browser's cookie, its digest and everything else here."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from aiohttp import web

from bot.desk.desk import DeskSettings
from bot.storage.store import Staff, StaffSession, Store

IDLE = timedelta(minutes=60)
"""A login that nobody used this long is over; what the page fetches by itself is no use."""
LONGEST = timedelta(hours=12)
"""A login is over after a working day, used or not."""
LOGIN_COOKIE = "sfw-desk"
FORM_COOKIE = "sfw-desk-form"
"""Ties the login form, which has no session yet, to the browser that asked for it."""
_TOKEN = re.compile(r"[0-9a-f]{64}")
_LONG_AGO = datetime.fromisoformat("1970-01-01T00:00:00+00:00")


async def find_login(
    store: Store, settings: DeskSettings, request: web.Request, now: datetime, *, used: bool = True
) -> StaffSession | None:
    """Return the login of a request, or None. ``used``: a person did something."""
    token = read_cookie(request, settings, LOGIN_COOKIE)
    if token is None:
        return None
    # Asked for at a time long past, the store notes no use.
    login = await store.staff_session(_digest(token), now if used else _LONG_AGO)
    if login is None:
        return None
    if now - login.seen_at > IDLE or now - login.created_at > LONGEST:
        await store.close_staff_session(_digest(token))
        return None
    return login


async def open_login(
    store: Store, settings: DeskSettings, response: web.Response, staff: Staff, now: datetime
) -> None:
    """Log ``staff`` in under a fresh token, whatever the browser held before."""
    token = fresh_token()
    await store.open_staff_session(_digest(token), staff.id, fresh_token(), now)
    give_cookie(response, settings, LOGIN_COOKIE, token)


async def close_login(store: Store, settings: DeskSettings, request: web.Request) -> None:
    token = read_cookie(request, settings, LOGIN_COOKIE)
    if token is not None:
        await store.close_staff_session(_digest(token))


def fresh_token() -> str:
    """Return 256 random bits."""
    return secrets.token_hex(32)


def read_cookie(request: web.Request, settings: DeskSettings, name: str) -> str | None:
    token = request.cookies.get(_full_name(settings, name), "")
    return token if _TOKEN.fullmatch(token) else None


def give_cookie(response: web.Response, settings: DeskSettings, name: str, token: str) -> None:
    # Lax, not Strict: a link to a ticket in a chat has to find the login.
    response.set_cookie(
        _full_name(settings, name),
        token,
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def drop_cookie(response: web.Response, settings: DeskSettings, name: str) -> None:
    response.del_cookie(
        _full_name(settings, name),
        path="/",
        secure=settings.secure,
        httponly=True,
        samesite="Lax",
    )


def _full_name(settings: DeskSettings, name: str) -> str:
    """``__Host-`` makes browsers refuse the cookie from anybody but us; it needs https."""
    return f"__Host-{name}" if settings.secure else name


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
