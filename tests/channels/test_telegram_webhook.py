"""The webhook: who may post, what is acknowledged, and when Telegram has to try again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

from bot.channels.telegram.bot_api import BotApi
from bot.channels.telegram.receiver import Receiver
from bot.channels.telegram.webhook import HEADER, MAX_BODY, build_handler, derive_secret
from bot.core.inbound import InboundMessage
from bot.storage.sqlite import open_store
from bot.storage.store import Receipt, StorageFull
from bot.thinking import Mind
from bot.turns import Turns, utc_now
from tests.channels.telegram_app import running, until
from tests.fake_bot_api import TOKEN, FakeBotApi

SECRET = "a-secret_1"
PATH = "/telegram/webhook"


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi(speed=1000) as server:
        yield server


@pytest.fixture
async def client() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


def settings(port: int, secret: str = SECRET) -> dict[str, Any]:
    """Of a bot that listens on ``port``."""
    url = f"http://127.0.0.1:{port}{PATH}"
    return {"port": port, "webhook_url": url, "webhook_secret": secret}


@pytest.mark.parametrize("secret", [SECRET, ""], ids=["set", "derived"])
async def test_a_conversation_by_webhook(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, unused_tcp_port: int, secret: str
) -> None:
    user = fake.user(1)
    user.send("你好")  # before the bot is there
    async with running(mind, tmp_path, fake.url, **settings(unused_tcp_port, secret)):
        await user.expect("随法问")
        user.send("老板跑路了工钱没给怎么办")
        await user.expect("出处")
        user.press("出处1")
        await until(lambda: len(user.received) == 3 and fake.pending() == 0)
    [setting] = fake.calls("setWebhook")
    assert setting.params["secret_token"] == (secret or derive_secret(TOKEN))
    assert "message" in setting.params["allowed_updates"]
    assert not fake.calls("getUpdates")


async def test_what_is_posted_twice_happens_once(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, unused_tcp_port: int, client: ClientSession
) -> None:
    user = fake.user(1)
    async with running(mind, tmp_path, fake.url, **settings(unused_tcp_port)) as bot:
        update = user.send("你好")
        await user.expect("随法问")
        for _ in range(3):
            async with client.post(bot.url + PATH, json=update, headers={HEADER: SECRET}) as answer:
                assert answer.status == 200
        user.send("谢谢")
        await until(lambda: len(user.received) == 2)


@pytest.mark.parametrize(
    "headers", [{}, {HEADER: ""}, {HEADER: "wrong"}, {HEADER: SECRET + "x"}, {HEADER: "密"}]
)
async def test_a_wrong_secret_is_refused(
    fake: FakeBotApi,
    mind: Mind,
    tmp_path: Path,
    unused_tcp_port: int,
    client: ClientSession,
    headers: dict[str, str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with running(mind, tmp_path, fake.url, **settings(unused_tcp_port)) as bot:
        forged = {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "text": "假"}}
        async with client.post(bot.url + PATH, json=forged, headers=headers) as answer:
            assert answer.status == 403
        assert (await bot.store.statistics())["conversations"] == 0
    assert SECRET not in caplog.text


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"\xff\xfe", b"[" * 50_000, b"null", b'{"update_id": 5}', b'{"message": {}}'],
    ids=lambda body: repr(body[:16]),
)
async def test_what_cannot_be_read_is_acknowledged(
    fake: FakeBotApi,
    mind: Mind,
    tmp_path: Path,
    unused_tcp_port: int,
    client: ClientSession,
    body: bytes,
) -> None:
    async with running(mind, tmp_path, fake.url, **settings(unused_tcp_port)) as bot:
        for _ in range(2):
            headers = {HEADER: SECRET}
            async with client.post(bot.url + PATH, data=body, headers=headers) as answer:
                assert answer.status == 200


async def test_a_large_body_is_refused_early(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, unused_tcp_port: int, client: ClientSession
) -> None:
    async with running(mind, tmp_path, fake.url, **settings(unused_tcp_port)) as bot:
        update = {"update_id": 1, "message": {"text": "字" * 20_000}}  # larger than other bodies
        headers = {HEADER: SECRET}
        async with client.post(bot.url + PATH, json=update, headers=headers) as answer:
            assert answer.status == 200
        body = b" " * (MAX_BODY + 1)
        async with client.post(bot.url + PATH, data=body, headers=headers) as answer:
            assert answer.status == 413


class FullAtFirst:
    """Turns whose store is full for the first messages and keeps the others."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.kept: list[str] = []

    async def accept(self, messages: Sequence[tuple[InboundMessage, bytes]]) -> list[Receipt]:
        self.times -= 1
        if self.times >= 0:
            raise StorageFull("磁盘已满")
        self.kept += [message.text for message, _ in messages]
        return []


@asynccontextmanager
async def listening(turns: Any) -> AsyncIterator[str]:
    """Serve the webhook alone; yield its address."""
    api = BotApi(TOKEN)
    receiver = Receiver(api, turns, account="1", commands={}, clock=utc_now)
    app = web.Application()
    app.router.add_post(PATH, build_handler(receiver, SECRET))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
    await runner.cleanup()
    await receiver.close()
    await api.close()


async def test_telegram_tries_again_while_the_disk_is_full(
    fake: FakeBotApi, client: ClientSession
) -> None:
    turns = FullAtFirst(5)
    async with listening(turns) as url:
        setting = {"url": url, "secret_token": SECRET}
        async with client.post(f"{fake.url}/bot{TOKEN}/setWebhook", json=setting):
            pass
        for text in ("一", "二", "三"):
            fake.user(1).send(text)
        await until(lambda: fake.pending() == 0)
    assert turns.kept == ["一", "二", "三"]


async def test_what_was_not_stored_is_not_acknowledged(
    mind: Mind, tmp_path: Path, client: ClientSession
) -> None:
    store = open_store(tmp_path / "s.db", tmp_path / "keys" / "k")
    turns = Turns(store, mind)
    await turns.close()
    await store.close()
    async with listening(turns) as url:
        update = {"update_id": 1, "message": {"chat": {"id": 1, "type": "private"}, "text": "你好"}}
        async with client.post(url, json=update, headers={HEADER: SECRET}) as answer:
            assert answer.status == 503
