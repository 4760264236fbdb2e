"""The fake Bot API keeps Telegram's rules; otherwise the other tests would prove nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ClientSession, web

from tests.channels.telegram_app import until
from tests.fake_bot_api import TOKEN, FakeBotApi

Api = Any


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(speed=10_000) as server:
        yield server


@pytest.fixture
async def call(fake: FakeBotApi) -> AsyncIterator[Api]:
    """Calls a method with a JSON body, or with a form; returns the answer."""
    async with ClientSession() as session:

        async def call_(method: str, form: bool = False, **params: Any) -> Any:
            url = f"{fake.url}/bot{TOKEN}/{method}"
            body: Any = {"data": params} if form else {"json": params}
            async with session.post(url, **body) as response:
                answer = await response.json()
                assert response.status == answer.get("error_code", 200)
                return answer

        yield call_


@pytest.mark.parametrize("form", [False, True], ids=["json", "form"])
async def test_updates_come_again_until_confirmed(fake: FakeBotApi, call: Api, form: bool) -> None:
    first, second = fake.user(1).send("一"), fake.user(1).send("二")
    for _ in range(2):
        assert (await call("getUpdates", form))["result"] == [first, second]
    offset = first["update_id"] + 1
    assert (await call("getUpdates", form, offset=offset))["result"] == [second]
    assert (await call("getUpdates", form))["result"] == [second]


async def test_a_poll_waits_for_an_update(fake: FakeBotApi, call: Api) -> None:
    poll = asyncio.create_task(call("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    update = fake.user(1).send("来了")
    assert (await poll)["result"] == [update]
    assert (await call("getUpdates", offset=update["update_id"] + 1, timeout=0))["result"] == []


async def test_only_one_may_receive(fake: FakeBotApi, call: Api) -> None:
    first = asyncio.create_task(call("getUpdates", timeout=5))
    await asyncio.sleep(0.05)
    second = asyncio.create_task(call("getUpdates", timeout=5))
    assert (await first)["error_code"] == 409
    fake.user(1).send("来了")
    assert (await second)["ok"]
    await call("setWebhook", url="http://127.0.0.1:1/")
    assert (await call("getUpdates"))["error_code"] == 409
    await call("deleteWebhook")
    assert (await call("getUpdates"))["ok"]


async def test_kinds_that_nobody_asked_for_are_not_delivered(fake: FakeBotApi, call: Api) -> None:
    await call("getUpdates", allowed_updates=["message"])
    fake.user(1).edit("改了")
    fake.user(1).send("话")
    assert len((await call("getUpdates"))["result"]) == 1


@pytest.mark.parametrize(
    ("params", "code", "text"),
    [
        ({"chat_id": 1, "text": "字" * 4096}, 200, ""),
        ({"chat_id": 1, "text": "字" * 4097}, 400, "too long"),
        ({"chat_id": 1, "text": "😀" * 2049}, 400, "too long"),
        ({"chat_id": 1, "text": " "}, 400, "empty"),
        ({"chat_id": 9, "text": "话"}, 400, "chat not found"),
        ({"chat_id": 2, "text": "话"}, 403, "blocked"),
        ({"chat_id": 3, "text": "话"}, 403, "initiate"),
        (
            {
                "chat_id": 1,
                "text": "话",
                "reply_markup": {"inline_keyboard": [[{"text": "按", "callback_data": "汉" * 22}]]},
            },
            400,
            "BUTTON_DATA_INVALID",
        ),
    ],
)
async def test_what_may_be_sent(
    fake: FakeBotApi, call: Api, params: dict[str, Any], code: int, text: str
) -> None:
    fake.user(1)
    fake.user(2).block()
    fake.user(3, started=False)
    answer = await call("sendMessage", **params)
    assert answer.get("error_code", 200) == code
    assert text in answer.get("description", "")


async def test_other_methods(fake: FakeBotApi, call: Api) -> None:
    user = fake.user(1)
    assert (await call("getMe"))["result"]["is_bot"]
    sent = (await call("sendMessage", chat_id=1, text="旧"))["result"]
    edit = {"chat_id": 1, "message_id": sent["message_id"], "text": "新"}
    assert (await call("editMessageText", **edit))["ok"]
    assert (await call("editMessageText", **edit))["error_code"] == 400  # not modified
    assert user.texts() == ["新"]
    query = user.press_data("x")["callback_query"]["id"]
    assert (await call("answerCallbackQuery", callback_query_id=query))["ok"]
    assert (await call("answerCallbackQuery", callback_query_id=query))["error_code"] == 400
    bad = [{"command": "大写", "description": "不行"}]
    assert (await call("setMyCommands", commands=bad))["error_code"] == 400
    assert (await call("getWebhookInfo"))["result"]["url"] == ""
    assert (await call("noSuchMethod"))["error_code"] == 404


async def test_a_webhook_is_tried_again_in_order_of_its_chat(fake: FakeBotApi, call: Api) -> None:
    """One chat's update fails three times: later ones of that chat wait, other chats do not."""
    taken: list[tuple[int, str]] = []
    failures = 3

    async def post(request: web.Request) -> web.Response:
        nonlocal failures
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "s"
        message = (await request.json())["message"]
        if message["text"] == "一" and message["chat"]["id"] == 1 and failures:
            failures -= 1
            return web.Response(status=500, headers={"Retry-After": "600"})
        taken.append((message["chat"]["id"], message["text"]))
        return web.Response(status=204)

    app = web.Application()
    app.router.add_post("/hook", post)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await call(
        "setWebhook", url=f"http://127.0.0.1:{runner.addresses[0][1]}/hook", secret_token="s"
    )
    for chat in (1, 2):
        fake.user(chat).send("一")
        fake.user(chat).send("二")
    await until(lambda: len(taken) == 4 and fake.pending() == 0)
    assert [text for chat, text in taken if chat == 1] == ["一", "二"]
    assert taken.index((2, "二")) < taken.index((1, "一"))
    assert "500" in (await call("getWebhookInfo"))["result"]["last_error_message"]
    await runner.cleanup()


async def test_a_wrong_token_is_unauthorized(fake: FakeBotApi) -> None:
    async with ClientSession() as session, session.get(f"{fake.url}/bot1:x/getMe") as response:
        assert response.status == 401
