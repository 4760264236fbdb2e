"""`POST /api/v1/ask`: the contract of an answer over HTTP. Stores nothing."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor

from aiohttp import web

from bot.asking import AskError, ask, parse_request
from bot.turns import Turns, utc_now


def add_api(app: web.Application, turns: Turns) -> None:
    """Serve the contract. Errors are JSON, too: ``{"status": "error_…", "text": …}``."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="ask")

    async def post_ask(request: web.Request) -> web.Response:
        try:
            asked = parse_request(json.loads(await request.read()))
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            text = 'not JSON; send {"id": "...", "text": "..."}'
            return _error(400, "error_request", text)
        except AskError as error:
            return _error(400, "error_request", str(error))
        loop = asyncio.get_running_loop()
        answer = await loop.run_in_executor(threads, ask, turns.mind, asked, utc_now())
        return web.Response(body=_json(answer), content_type="application/json")

    async def close(_: web.Application) -> None:
        threads.shutdown(wait=False)

    app.router.add_post("/api/v1/ask", post_ask)
    app.on_cleanup.append(close)


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _error(code: int, status: str, text: str) -> web.Response:
    body = _json({"status": status, "text": text})
    return web.Response(status=code, body=body, content_type="application/json")
