"""The server."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from typing import Any, NamedTuple

from aiohttp import web

from tests.fake_bot_api.user import VirtualUser
from tests.fake_bot_api.webhook import CALLBACK_LIFE, WebhookPoster
from tests.fake_bot_api.wire import (
    ApiError,
    Fault,
    FaultKind,
    Json,
    check_keyboard,
    checked_text,
    hang_up,
    parse_params,
    render_error,
)

TOKEN = "123456:FAKE-token_of-a-bot"


class Call(NamedTuple):
    """One call as the server saw it. ``code`` is its outcome, 0 if the client saw none."""

    at: float
    method: str
    params: Json
    code: int
    effect: bool
    """Whether it was carried out."""


class FakeBotApi:
    """The server. ``speed`` is how many seconds of its webhook clock pass in a real one."""

    def __init__(self, token: str = TOKEN, *, speed: float = 1.0, seed: int = 7) -> None:
        self.token = token
        self.speed = speed
        self.users: dict[int, VirtualUser] = {}
        self.transcript: list[Call] = []
        self.faults: list[Fault] = []
        """Each is used for the next call of its method."""
        self.plan: Callable[[str, Json], Fault | None] = lambda method, params: None
        """Asked when no fault is left; for faults at random."""
        self.shuffle: Callable[[list[Json]], None] = lambda updates: None
        """May change the order of a batch."""
        self._updates: dict[int, Json] = {}
        self._next_update = 100_000
        self._queries: dict[str, float] = {}
        self._last_query = 0
        self._message_ids: defaultdict[int, int] = defaultdict(int)
        self._allowed: list[str] | None = None
        self._poll: asyncio.Future[None] | None = None
        self._webhook = WebhookPoster(self._updates, speed, seed)
        self._methods: dict[str, Callable[[Json], Any]] = {
            "getMe": self._get_me,
            "sendMessage": self._send_message,
            "editMessageText": self._edit_message,
            "answerCallbackQuery": self._answer_query,
            "setWebhook": self._set_webhook,
            "deleteWebhook": self._delete_webhook,
            "getWebhookInfo": self._webhook_info,
            "setMyCommands": self._set_commands,
        }

    async def start(self, port: int = 0) -> FakeBotApi:
        app = web.Application()
        app.router.add_route("*", "/bot{token}/{method}", self._handle)
        self._webhook.open()
        # A program that is killed leaves polls behind that nobody waits for.
        self._runner = web.AppRunner(
            app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def stop(self) -> None:
        await self._webhook.close()
        await self._runner.cleanup()

    async def __aenter__(self) -> FakeBotApi:
        return await self.start()

    async def __aexit__(self, *error: object) -> None:
        await self.stop()

    def user(self, id_: int, started: bool = True) -> VirtualUser:
        """Return the person ``id_``. One who never ``started`` the bot cannot be written to."""
        return self.users.setdefault(id_, VirtualUser(self, id_, started))

    def calls(self, method: str) -> list[Call]:
        return [call for call in self.transcript if call.method == method]

    def pending(self) -> int:
        """How many updates nobody has confirmed."""
        return len(self._updates)

    # -- updates -------------------------------------------------------------------------

    def add_update(self, body: Json, queue: int = 0) -> Json:
        """Queue an update; return it with its id. ``queue``: what is kept in order."""
        update = {"update_id": self._next_update, **body}
        self._next_update += 1
        if self._allowed is None or self._allowed == [] or next(iter(body)) in self._allowed:
            self.deliver(update, queue)
        return update

    def deliver(self, update: Json, queue: int = 0) -> None:
        """Queue ``update`` as it is, be it again, broken, or with an id of any kind."""
        self._updates[update["update_id"]] = update
        if self._poll and not self._poll.done():
            self._poll.set_result(None)
        if self._webhook.url:
            self._webhook.post_later(update["update_id"], queue)

    def jump(self, update_id: int) -> None:
        """Go on counting from ``update_id``, as the real one does after a quiet week."""
        self._next_update = update_id

    def next_query(self) -> int:
        self._last_query += 1
        self._queries[str(self._last_query)] = time.monotonic()
        return self._last_query

    async def _get_updates(self, params: Json) -> list[Json]:
        if self._webhook.url:
            raise ApiError(409, "Conflict: can't use getUpdates method while webhook is active")
        if self._poll and not self._poll.done():
            self._poll.set_exception(
                ApiError(409, "Conflict: terminated by other getUpdates request")
            )
        if "allowed_updates" in params:
            self._allowed = params["allowed_updates"]
        offset = int(params.get("offset", 0))
        if offset > 0:
            for id_ in [i for i in self._updates if i < offset]:
                del self._updates[id_]
        if not self._updates and int(params.get("timeout", 0)):
            poll = self._poll = asyncio.get_running_loop().create_future()
            with suppress(TimeoutError):
                await asyncio.wait_for(poll, int(params["timeout"]))
        batch = sorted(self._updates.items())[: int(params.get("limit", 100))]
        updates = [update for _, update in batch]
        self.shuffle(updates)
        return updates

    # -- methods -------------------------------------------------------------------------

    def _get_me(self, params: Json) -> Json:
        id_ = int(self.token.split(":")[0])
        return {"id": id_, "is_bot": True, "first_name": "随法问", "username": "suifawen_bot"}

    def _send_message(self, params: Json) -> Json:
        user = self._reachable(params)
        text = checked_text(params)
        check_keyboard(params.get("reply_markup") or {})
        self._message_ids[user.id] += 1
        message = {
            "message_id": self._message_ids[user.id],
            "from": self._get_me({}),
            "chat": user.chat,
            "date": int(time.time()),
            "text": text,
        }
        kept = {k: params[k] for k in ("entities", "reply_markup") if params.get(k)}
        user.receive(message | kept)
        return message | kept

    def _edit_message(self, params: Json) -> Json:
        user = self._reachable(params)
        text = checked_text(params)
        check_keyboard(params.get("reply_markup") or {})
        for message in user.received:
            if message["message_id"] == int(params.get("message_id", 0)):
                if message["text"] == text:
                    raise ApiError(400, "Bad Request: message is not modified")
                message["text"] = text
                return message
        raise ApiError(400, "Bad Request: message to edit not found")

    def _reachable(self, params: Json) -> VirtualUser:
        try:
            user = self.users[int(params.get("chat_id", ""))]
        except (ValueError, KeyError):
            raise ApiError(400, "Bad Request: chat not found") from None
        if user.blocked:
            raise ApiError(403, "Forbidden: bot was blocked by the user")
        if not user.started:
            raise ApiError(403, "Forbidden: bot can't initiate conversation with a user")
        return user

    def _answer_query(self, params: Json) -> bool:
        asked = self._queries.pop(str(params.get("callback_query_id")), None)
        if asked is None or (time.monotonic() - asked) * self.speed > CALLBACK_LIFE:
            raise ApiError(400, "Bad Request: query is too old or query ID is invalid")
        return True

    def _set_webhook(self, params: Json) -> bool:
        self._webhook.url = params.get("url", "")
        self._webhook.secret = params.get("secret_token", "")
        self._allowed = params.get("allowed_updates", self._allowed)
        if self._poll and not self._poll.done():
            self._poll.set_exception(ApiError(409, "Conflict: terminated by setWebhook request"))
        for id_, update in sorted(self._updates.items()):
            message = update.get("message") or update.get("callback_query") or {}
            self._webhook.post_later(id_, message.get("from", {}).get("id", 0))
        return True

    def _delete_webhook(self, params: Json) -> bool:
        self._webhook.url = ""
        return True

    def _webhook_info(self, params: Json) -> Json:
        info = {"url": self._webhook.url, "pending_update_count": len(self._updates)}
        error = self._webhook.last_error
        return info | ({"last_error_message": error} if error else {})

    def _set_commands(self, params: Json) -> bool:
        for command in params.get("commands", []):
            name = command["command"]
            if not (0 < len(name) <= 32 and name.isascii() and name.islower()):
                raise ApiError(400, "Bad Request: BOT_COMMAND_INVALID")
        return True

    # -- http ----------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        method, params = request.match_info["method"], await parse_params(request)
        at = time.monotonic()

        def note(code: int, effect: bool) -> None:
            self.transcript.append(Call(at, method, params, code, effect))

        if request.match_info["token"] != self.token:
            note(401, False)
            return render_error(ApiError(401, "Unauthorized"))
        fault = self._next_fault(method, params)
        if fault is not None:
            match fault.kind:
                case FaultKind.DROP:
                    note(0, False)
                    return hang_up(request)
                case FaultKind.ERROR if fault.code == 429:
                    wait = int(fault.seconds)
                    note(429, False)
                    text = f"Too Many Requests: retry after {wait}"
                    return render_error(ApiError(429, text, retry_after=wait))
                case FaultKind.ERROR:
                    note(fault.code, False)
                    return web.Response(status=fault.code, text="<h1>Bad Gateway</h1>")
                case FaultKind.DELAY:
                    await asyncio.sleep(fault.seconds)
        try:
            result = await self._run(method, params)
        except ApiError as error:
            note(error.code, False)
            return render_error(error)
        lost = fault is not None and fault.kind in (FaultKind.RESET, FaultKind.TRUNCATE)
        note(0 if lost else 200, True)
        body = json.dumps({"ok": True, "result": result}).encode()
        if fault is not None and fault.kind is FaultKind.RESET:
            return hang_up(request)
        if fault is not None and fault.kind is FaultKind.TRUNCATE:
            return web.Response(body=body[: len(body) // 2], content_type="application/json")
        return web.Response(body=body, content_type="application/json")

    async def _run(self, method: str, params: Json) -> Any:
        if method == "getUpdates":
            return await self._get_updates(params)
        if method not in self._methods:
            raise ApiError(404, "Not Found")
        return self._methods[method](params)

    def _next_fault(self, method: str, params: Json) -> Fault | None:
        for fault in self.faults:
            if fault.method == method:
                self.faults.remove(fault)
                return fault
        return self.plan(method, params)
