"""The web chat over HTTP: the page, sending, receiving, opening a source.

What is refused is answered in JSON with a ``text`` for the citizen, and nothing is stored
then; 202 means that the message is on disk.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import math
from collections.abc import Awaitable, Callable
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from bot.channels.web.limits import Polls, RateLimit
from bot.channels.web.messages import (
    CHANNEL,
    MAX_BODY,
    SubmissionError,
    parse_message,
    parse_submission,
    render_citation,
    render_updates,
)
from bot.channels.web.page import Page, send_asset
from bot.channels.web.visitor import (
    give_token,
    is_own_page,
    read_token,
    sender_of,
)
from bot.clients import client_address
from bot.settings import Settings
from bot.storage.store import StorageError
from bot.turns import Turns, utc_now

log = logging.getLogger(__name__)

SENDS_EACH = 15
"""Messages a minute of one conversation: more than anybody types."""
SENDS_ADDRESS = 60
"""Messages a minute from one address: a village may share one."""
MAX_WAIT = 25
"""Seconds that a poll waits; proxies commonly cut a silent request after 30 or 60."""
POLLS_EACH = 4
"""Polls of one conversation at a time: somebody may have the page open in several tabs."""
POLLS_OVERALL = 2000
IDLE_PAUSE = 60
"""Seconds until the page asks again when it has no conversation yet."""
CROWDED_PAUSE = 5
"""Seconds until the page asks again when its poll had to make room."""
WORTH_COMPRESSING = 1024
SUIZHOU = ZoneInfo("Asia/Shanghai")

_FOR_EVER = "public, max-age=31536000, immutable"
_SECURITY = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def add_web_chat(app: web.Application, turns: Turns, settings: Settings) -> None:
    """Serve the chat page at ``/`` and what it needs below ``/chat`` and ``/page``."""
    chat = WebChat(turns, settings)
    app.router.add_get("/", _secured(chat.get_page))
    app.router.add_get("/page/{name}", _secured(chat.get_file))
    app.router.add_post("/chat/send", _secured(chat.post_message))
    app.router.add_get("/chat/updates", _secured(chat.get_updates), allow_head=False)
    app.router.add_get("/chat/cite", _secured(chat.get_citation), allow_head=False)
    app.on_shutdown.append(chat.close)


def _secured(handler: Handler) -> Handler:
    async def secured(request: web.Request) -> web.StreamResponse:
        response = await handler(request)
        response.headers.update(_SECURITY)
        return response

    return secured


class RefusedError(Exception):
    """A request was refused. ``key`` names the wording that the citizen reads."""

    def __init__(self, status: int, key: str, retry_after: float = 0.0) -> None:
        super().__init__(key)
        self.status = status
        self.key = key
        self.retry_after = math.ceil(retry_after)


class WebChat:
    """The handlers, with what they share."""

    def __init__(self, turns: Turns, settings: Settings) -> None:
        self._turns = turns
        self._settings = settings
        self._page = Page()
        self._sends_each = RateLimit(SENDS_EACH)
        self._sends_address = RateLimit(SENDS_ADDRESS)
        self._polls = Polls(POLLS_EACH, POLLS_OVERALL)
        self._closing = False

    # -- the page ------------------------------------------------------------------------

    async def get_page(self, request: web.Request) -> web.StreamResponse:
        """The page; it also gives the visitor the cookie that stands for the conversation."""
        html = self._page.html(self._turns.playbook)
        response = send_asset(request, html, "private, no-cache")
        public_url = self._settings.public_url
        give_token(response, read_token(request, public_url), public_url)
        return response

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """A file of the page; for ever when asked for by its version."""
        asset = self._page.files.get(request.match_info["name"])
        if asset is None:
            return web.Response(status=404)
        versioned = request.query.get("v") == asset.version
        return send_asset(request, asset, _FOR_EVER if versioned else "no-cache")

    # -- sending ---------------------------------------------------------------------------

    async def post_message(self, request: web.Request) -> web.StreamResponse:
        """Store one message. The same key again changes nothing and is answered the same."""
        try:
            sender = self._sender(request)
            address = client_address(request, self._settings.proxies)
            self._check_rate(sender, address)
            body = await _read_body(request)
            submission = parse_submission(body)
            message = parse_message(submission, sender, utc_now(), address)
            await self._turns.accept([(message, body)])
        except RefusedError as refused:
            return self._refuse(refused)
        except SubmissionError as error:
            log.info("%s", error)
            return self._refuse(RefusedError(400, "malformed"))
        except StorageError as error:
            log.error("a web message could not be stored: %s", error)
            return self._refuse(RefusedError(503, "full"))
        return _json({"ok": True, "key": submission.key}, 202)

    def _sender(self, request: web.Request) -> str:
        if not is_own_page(request, self._settings.public_url):
            raise RefusedError(403, "forbidden")
        token = read_token(request, self._settings.public_url)
        if token is None:
            raise RefusedError(403, "cookie")
        return sender_of(token)

    def _check_rate(self, sender: str, address: str | None) -> None:
        now = asyncio.get_running_loop().time()
        wait = self._sends_each.use(sender, now)
        if not wait and address is not None:
            wait = self._sends_address.use(address, now)
        if wait:
            raise RefusedError(429, "too_many", wait)

    def _refuse(self, refused: RefusedError) -> web.Response:
        text = self._turns.playbook.say(f"web.error_{refused.key}", seconds=refused.retry_after)
        response = _json({"ok": False, "error": refused.key, "text": text}, refused.status)
        if refused.retry_after:
            response.headers["Retry-After"] = str(refused.retry_after)
        if refused.status == 413:
            response.force_close()  # the rest of the body is not worth reading
        return response

    # -- receiving -------------------------------------------------------------------------

    async def get_updates(self, request: web.Request) -> web.StreamResponse:
        """The lines after ``after``; when there are none, wait for the next up to ``wait`` s."""
        token = read_token(request, self._settings.public_url)
        if token is None:
            return self._refuse(RefusedError(403, "cookie"))
        try:
            after = _bounded(request.query.get("after", "0"), 2**53)
            wait = _bounded(request.query.get("wait", "0"), MAX_WAIT)
            known = request.query.get("thread", "")
            return _json(await self._updates(sender_of(token), known, after, wait))
        except ValueError:
            return self._refuse(RefusedError(400, "malformed"))
        except StorageError as error:
            log.error("messages could not be read: %s", error)
            return self._refuse(RefusedError(503, "full"))

    async def _updates(self, sender: str, known: str, after: int, wait: int) -> dict[str, Any]:
        store = self._turns.store
        conversation = await store.find_conversation(CHANNEL, "", sender)
        if conversation is None:
            return render_updates([], thread="", first=0, last=0, pause=IDLE_PAUSE)
        thread = _thread(sender, conversation)
        if known != thread:
            after = 0  # the numbers that the page knows are those of another conversation
        crowded = self._closing or self._polls.is_full()
        waiting = asyncio.create_task(self._turns.wait(conversation, after, 0 if crowded else wait))
        with self._polls.held(sender, waiting):
            await asyncio.wait({waiting})
        crowded = crowded or waiting.cancelled()
        messages = [] if waiting.cancelled() else waiting.result()
        oldest = await store.messages(conversation, 0, 1) if messages else []
        return render_updates(
            messages,
            thread=thread,
            first=oldest[0].seq if oldest else 0,
            last=messages[-1].seq if messages else after,
            pause=CROWDED_PAUSE if crowded else 0,
        )

    async def close(self, app: web.Application) -> None:
        """Let every poll go, so that the server can stop at once."""
        self._closing = True
        self._polls.release_all()

    # -- sources -----------------------------------------------------------------------------

    async def get_citation(self, request: web.Request) -> web.StreamResponse:
        """A source in full."""
        today = utc_now().astimezone(SUIZHOU).date()
        detail = self._turns.playbook.cite(request.query.get("id", ""), today)
        if detail is None:
            return self._refuse(RefusedError(404, "source"))
        return _json(render_citation(detail))


def _thread(sender: str, conversation: int) -> str:
    """Name a conversation without telling how many there are."""
    return hashlib.sha256(f"{sender}/{conversation}".encode()).hexdigest()[:16]


def _bounded(number: str, most: int) -> int:
    """Return ``number`` between 0 and ``most``. Raises `ValueError`."""
    return min(max(int(number), 0), most)


async def _read_body(request: web.Request) -> bytes:
    """Return the body, reading no more than is allowed."""
    if (request.content_length or 0) > MAX_BODY:
        raise RefusedError(413, "too_large")
    body = b""
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > MAX_BODY:
            raise RefusedError(413, "too_large")
    return body


def _json(data: dict[str, Any], status: int = 200) -> web.Response:
    body = json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode()
    response = web.Response(
        status=status,
        body=body,
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )
    if len(body) > WORTH_COMPRESSING:
        response.enable_compression()
    return response
