"""Around every page: foreign forms stay out, faults get a page of their own, headers are set."""

from __future__ import annotations

import logging

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from bot.desk.accounts import AccountError
from bot.desk.desk import Desk
from bot.desk.drafts import parse_draft
from bot.desk.sessions import find_login
from bot.desk.visit import SAFE_METHODS, RefusedError, is_own_page, read_form
from bot.storage.store import StorageError, StorageFull

log = logging.getLogger(__name__)

HEADERS = {
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; "
    "form-action 'self'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",  # for browsers that do not know frame-ancestors
    "Referrer-Policy": "same-origin",
}
_KNOWN = {404: "desk.error.not_found", 405: "desk.error.method", 413: "desk.error.too_large"}


def guarded(desk: Desk) -> Middleware:
    """Return the middleware."""

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.method in SAFE_METHODS or is_own_page(request, desk.settings):
            response = await _answered(desk, request, handler)
        else:
            response = await _fault(desk, request, RefusedError(403, "desk.error.origin"), ())
        response.headers.update(HEADERS)
        response.headers["Cache-Control"] = _cache(request, response)
        return response

    return guard


def _cache(request: web.Request, response: web.StreamResponse) -> str:
    """Pages hold people's business; the files they link to are named by their version."""
    if not isinstance(response, web.FileResponse):
        return "no-store"
    return "public, max-age=31536000, immutable" if "v" in request.query else "no-cache"


def _route(request: web.Request) -> str:
    """Name what was asked for without the ticket's code, which has no place in a log either."""
    resource = request.match_info.route.resource
    return resource.canonical if resource else ""


async def _answered(desk: Desk, request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except RefusedError as error:
        refused = error
    except web.HTTPException as error:
        refused = RefusedError(error.status, _KNOWN.get(error.status, "desk.error.other"))
    except AccountError as error:
        refused = RefusedError(422, error.key, **error.values)
    except StorageFull as error:
        log.error("desk: %s", error)
        refused = RefusedError(503, "desk.error.full")
    except StorageError as error:
        log.error("desk: %s", error)
        refused = RefusedError(503, "desk.error.storage")
    except Exception as error:
        # The error's text may hold people's words, which have no place in a log.
        log.error("desk: %s %s failed (%s)", request.method, _route(request),
                  type(error).__name__, exc_info=log.isEnabledFor(logging.DEBUG))  # fmt: skip
        refused = RefusedError(500, "desk.error.internal")
    kept = () if refused.status == 413 else await _typed(request)
    return await _fault(desk, request, refused, kept)


async def _fault(
    desk: Desk, request: web.Request, refused: RefusedError, kept: tuple[str, ...]
) -> web.Response:
    """Return a page that says what is wrong and gives back what was typed."""
    now = desk.clock()
    try:
        login = await find_login(desk.store, desk.settings, request, now, used=False)
    except StorageError:
        login = None  # the page about the fault needs nobody's name
    return desk.pages.render(
        "fault",
        desk.playbook,
        now,
        login,
        status=refused.status,
        text=desk.playbook.say(refused.key, **refused.values),
        kept=kept,
    )


async def _typed(request: web.Request) -> tuple[str, ...]:
    if request.method != "POST":
        return ()
    try:
        return parse_draft(await read_form(request)).typed()
    except (RefusedError, web.HTTPException):
        return ()
