"""Who is asking: the cookie that stands for a conversation, and where a request comes from.

The token is as good as the conversation, so it is never stored or logged: the store knows
the sender by the token's SHA-256 only.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from urllib.parse import urlsplit

from aiohttp import web

COOKIE_SECONDS = 400 * 24 * 3600
"""The longest that browsers keep a cookie; every visit begins it anew."""
_TOKEN = re.compile(r"[0-9a-f]{64}")


def cookie_name(public_url: str) -> str:
    """Return the cookie's name. ``__Host-`` makes browsers refuse it from anywhere but us,
    but works over https only."""
    return "__Host-sfw" if is_secure(public_url) else "sfw"


def is_secure(public_url: str) -> bool:
    return public_url.startswith("https://")


def read_token(request: web.Request, public_url: str) -> str | None:
    """Return the visitor's token, or None if there is none of our making."""
    token = request.cookies.get(cookie_name(public_url), "")
    return token if _TOKEN.fullmatch(token) else None


def give_token(response: web.StreamResponse, token: str | None, public_url: str) -> None:
    """Give the visitor ``token`` for another term, or a fresh one (256 random bits)."""
    response.set_cookie(
        cookie_name(public_url),
        token or secrets.token_hex(32),
        max_age=COOKIE_SECONDS,
        path="/",
        secure=is_secure(public_url),
        httponly=True,
        samesite="Lax",
    )


def sender_of(token: str) -> str:
    """Return what the store knows the visitor by."""
    return hashlib.sha256(token.encode()).hexdigest()


def is_own_page(request: web.Request, public_url: str) -> bool:
    """Whether a request was made by a script of our page.

    Other sites can neither set the header nor, in browsers that tell, hide where they are.
    """
    if request.headers.get("X-Suifawen") != "1":
        return False
    origin = request.headers.get("Origin") or request.headers.get("Referer")
    if origin is None:
        return True
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        return False
    # A proxy may have replaced the Host header; then only the public address is right.
    own = {request.host, urlsplit(public_url).netloc} - {""}
    return host in own
