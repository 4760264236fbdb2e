"""`POST /api/v1/ask`: the contract of an answer over HTTP. Stores nothing."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiohttp import web

from bot.asking import MAX_TEXT, AskError, AskRequest, ask, parse_request
from bot.turns import Turns, utc_now


def add_api(app: web.Application, turns: Turns) -> None:
    """Serve the contract. Errors are JSON, too: ``{"status": "error_…", "text": …}``."""
    asker = Asker(turns)

    async def post_ask(request: web.Request) -> web.Response:
        try:
            row = json.loads(await request.read())
        except web.HTTPRequestEntityTooLarge:
            return _error(413, "error_request", f"too large; at most {MAX_TEXT} characters a turn")
        except (ValueError, RecursionError):  # also a number of more digits than Python reads
            text = 'not JSON; send {"id": "...", "text": "..."}'
            return _error(400, "error_request", text)
        try:
            asked = parse_request(row)
        except AskError as error:
            return _error(400, "error_request", str(error))
        answer = await asker.ask(asked)
        return web.Response(body=_json(answer), content_type="application/json")

    async def close(_: web.Application) -> None:
        asker.close()

    app.router.add_post("/api/v1/ask", post_ask)
    app.on_cleanup.append(close)


class Asker:
    """Answers off the event loop. What waits together goes to the thread together: handing
    over and waking up cost a fifth of an answer when each question goes alone."""

    def __init__(self, turns: Turns) -> None:
        self._turns = turns
        self._threads = ThreadPoolExecutor(1, thread_name_prefix="ask")
        self._waiting: list[tuple[AskRequest, asyncio.Future[dict[str, Any]]]] = []
        self._worker: asyncio.Task[None] | None = None

    async def ask(self, request: AskRequest) -> dict[str, Any]:
        """Return the answer of the contract."""
        answer: asyncio.Future[dict[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting.append((request, answer))
        if self._worker is None:
            self._worker = asyncio.create_task(self._work())
        return await answer

    def close(self) -> None:
        self._threads.shutdown(wait=False)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            batch, self._waiting = self._waiting, []
            requests = [request for request, _ in batch]
            answers = await loop.run_in_executor(self._threads, self._answer, requests)
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():  # the client has gone
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
        self._worker = None

    def _answer(self, requests: list[AskRequest]) -> list[dict[str, Any] | Exception]:
        mind, now = self._turns.mind, utc_now()
        answers: list[dict[str, Any] | Exception] = []
        for request in requests:
            try:
                answers.append(ask(mind, request, now))
            except Exception as error:  # one question's fault is not the others'
                answers.append(error)
        return answers


def _json(data: object) -> bytes:
    return json.dumps(data, ensure_ascii=False).encode()


def _error(code: int, status: str, text: str) -> web.Response:
    body = _json({"status": status, "text": text})
    return web.Response(status=code, body=body, content_type="application/json")
