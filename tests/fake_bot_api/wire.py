"""The wire: parameters and answers of the Bot API, its checks, and faults on demand."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum, auto
from typing import Any, NamedTuple

from aiohttp import web

Json = dict[str, Any]
MAX_TEXT_UNITS = 4096


class ApiError(Exception):
    """Becomes an answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters


class FaultKind(Enum):
    DROP = auto()
    """The connection ends before the call has had any effect."""
    DELAY = auto()
    """The call is held back for ``seconds``, then carried out."""
    ERROR = auto()
    """Answered with ``code``; 429 with ``seconds`` to wait, others with a page of HTML."""
    TRUNCATE = auto()
    """Carried out, but only half of the answer arrives."""
    RESET = auto()
    """Carried out, then the connection ends without an answer."""


class Fault(NamedTuple):
    kind: FaultKind
    method: str = "sendMessage"
    seconds: float = 0.0
    code: int = 502


async def parse_params(request: web.Request) -> Json:
    """Parameters from the address and from a body in JSON or as a form."""
    params: Json = dict(request.query)
    if request.content_type == "application/json":
        params |= await request.json()
    else:
        params |= await request.post()
    for key in ("reply_markup", "entities", "allowed_updates", "commands"):
        if isinstance(params.get(key), str):
            params[key] = json.loads(params[key])
    return params


def checked_text(params: Json) -> str:
    text = params.get("text")
    if not isinstance(text, str) or not text.strip():
        raise ApiError(400, "Bad Request: message text is empty")
    units = len(text.encode("utf-16-le")) // 2
    if units > MAX_TEXT_UNITS:
        raise ApiError(400, "Bad Request: message is too long")
    for entity in params.get("entities") or ():
        if entity["length"] <= 0 or not 0 <= entity["offset"] <= units - entity["length"]:
            raise ApiError(400, "Bad Request: wrong entity")
    return text


def check_keyboard(markup: Json) -> None:
    for row in markup.get("inline_keyboard", ()):
        for button in row:
            if not button.get("text"):
                raise ApiError(400, "Bad Request: text buttons are unallowed in the keyboard")
            if not 1 <= len(button.get("callback_data", "").encode()) <= 64:
                raise ApiError(400, "Bad Request: BUTTON_DATA_INVALID")


def buttons_of(message: Mapping[str, Any]) -> list[tuple[str, str]]:
    rows = message.get("reply_markup", {}).get("inline_keyboard", ())
    return [(button["callback_data"], button["text"]) for row in rows for button in row]


def render_error(error: ApiError) -> web.Response:
    body = {"ok": False, "error_code": error.code, "description": error.description}
    if error.parameters:
        body["parameters"] = error.parameters
    return web.json_response(body, status=error.code)


def hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
