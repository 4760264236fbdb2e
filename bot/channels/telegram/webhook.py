"""The other way in: Telegram posts each update to an address of ours.

Telegram repeats what is not answered with 2xx, and holds back everything later from that
chat meanwhile. So an error is answered only when the update could not be stored; one that
cannot be read is stored as it is and acknowledged.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import logging
import re
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.channels.telegram.bot_api import BotApi
from bot.channels.telegram.pace import Timing
from bot.channels.telegram.parse import ALLOWED_UPDATES
from bot.channels.telegram.receiver import Receiver, pause_after
from bot.storage.store import StorageError

log = logging.getLogger(__name__)

HEADER = "X-Telegram-Bot-Api-Secret-Token"
SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
MAX_BODY = 256 * 1024
"""Bytes. The largest update, a long text that answers another, has about 60 KB."""


def derive_secret(token: str) -> str:
    """Return the secret that Telegram has to show, for operators who set none."""
    return hmac.new(token.encode(), b"suifawen webhook", hashlib.sha256).hexdigest()


def webhook_path(url: str) -> str:
    """Return the path of the public address; a proxy before us has to keep it."""
    return urlsplit(url).path


def build_handler(
    receiver: Receiver, secret: str
) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the handler of Telegram's posts, which have to show ``secret``."""

    async def post_update(request: web.Request) -> web.Response:
        shown = request.headers.get(HEADER, "")
        # Bytes: text is compared in constant time only where it is ASCII.
        if not hmac.compare_digest(shown.encode("utf-8", "surrogateescape"), secret.encode()):
            return web.Response(status=403)
        raw = await _read(request)
        if raw is None:
            return web.Response(status=413)
        try:
            await receiver.take([(_parse(raw), raw)])
        except StorageError as error:
            log.error("Telegram: an update could not be stored (%s); it will come again", error)
            return web.Response(status=503)
        return web.Response()

    return post_update


async def set_webhook(api: BotApi, url: str, secret: str, timing: Timing) -> None:
    """Tell Telegram where to post; tried until it works."""
    params = {"url": url, "secret_token": secret, "allowed_updates": ALLOWED_UPDATES}
    failures = 0
    while True:
        try:
            await api.call("setWebhook", params)
            return
        except Exception as error:  # a mistake of ours must not end the channel either
            failures += 1
            await pause_after(error, failures, timing, "setting the webhook")


async def _read(request: web.Request) -> bytes | None:
    """Return the body, or None as soon as it is too large."""
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            return None
    return bytes(body)


def _parse(raw: bytes) -> object:
    """Return the JSON of ``raw``, or its text when it is none."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return raw.decode("utf-8", "replace")
