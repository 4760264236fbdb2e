"""Conversations by long polling: what people see, and what happens when things break."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from bot.channels.telegram import TelegramSettings, TelegramSettingsError, add_telegram
from bot.storage.store import StoredMessage
from bot.thinking import Mind
from bot.turns import Turns
from tests.channels.telegram_app import QUICK, Running, running, until
from tests.fake_bot_api import TOKEN, FakeBotApi, Fault, FaultKind


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


async def lines(bot: Running, sender: int) -> list[StoredMessage]:
    account = TOKEN.split(":")[0]
    conversation = await bot.store.find_conversation("telegram", account, str(sender))
    return [] if conversation is None else await bot.store.messages(conversation)


async def test_a_question_is_answered_with_sources(
    fake: FakeBotApi, mind: Mind, tmp_path: Path
) -> None:
    user = fake.user(1)
    async with running(mind, tmp_path, fake.url):
        user.send("/start")
        await user.expect("随法问")
        user.send("老板跑路了工钱没给怎么办")
        answer = await user.expect("出处")
        assert "［1］" in answer["text"]
        assert "申请法律援助" in user.labels()
        user.press("出处1")
        await until(lambda: len(user.received) == 3)
        assert [call.code for call in fake.calls("answerCallbackQuery")] == [200]
        assert fake.calls("setMyCommands")[0].params["commands"]
    assert fake.pending() == 0


@pytest.mark.parametrize(
    "content",
    [
        {"voice": {"file_id": "v", "duration": 3}},
        {"photo": [{"file_id": "p"}]},
        {"document": {"file_id": "d"}},
        {"sticker": {"file_id": "s", "emoji": "👍"}},
        {"location": {"latitude": 31.7, "longitude": 113.4}},
        {"contact": {"phone_number": "13800001111"}},
    ],
    ids=lambda content: next(iter(content)),
)
async def test_what_is_no_text_gets_a_fitting_reply(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, content: dict[str, Any]
) -> None:
    user = fake.user(1)
    async with running(mind, tmp_path, fake.url) as bot:
        user.send(**content)
        await until(lambda: bool(user.received))
        [said, _] = await lines(bot, 1)
        assert said.text


async def test_an_edited_message_gets_a_reply(fake: FakeBotApi, mind: Mind, tmp_path: Path) -> None:
    user = fake.user(1)
    async with running(mind, tmp_path, fake.url):
        user.edit("改过的话")
        await until(lambda: bool(user.received))


async def test_groups_are_not_answered(fake: FakeBotApi, mind: Mind, tmp_path: Path) -> None:
    group = {"id": -100, "type": "group", "title": "村里的群"}
    async with running(mind, tmp_path, fake.url):
        fake.add_update({"message": {"chat": group, "text": "大家好", "message_id": 1}})
        await until(lambda: fake.pending() == 0)
    assert fake.calls("sendMessage") == []


async def test_a_crash_between_storing_and_acknowledging(
    fake: FakeBotApi, mind: Mind, tmp_path: Path
) -> None:
    user = fake.user(1)
    acknowledging = Fault(FaultKind.DROP, "getUpdates")
    fake.plan = lambda method, params: acknowledging if "offset" in params else None
    async with running(mind, tmp_path, fake.url):
        user.send("你好")
        await user.expect("随法问")
    assert fake.pending() == 1  # it was stored, and Telegram does not know it
    fake.plan = lambda method, params: None
    async with running(mind, tmp_path, fake.url) as bot:
        await until(lambda: fake.pending() == 0)
        user.send("谢谢")
        await until(lambda: len(user.received) == 2)
        assert [m.text for m in await lines(bot, 1) if m.reply is None] == ["你好", "谢谢"]


async def test_duplicates_disorder_and_ids_that_jump(
    fake: FakeBotApi, mind: Mind, tmp_path: Path
) -> None:
    """Ids shuffled within a batch, every fifth update repeated, and a jump to lower ids."""
    chance = random.Random(3)
    fake.shuffle = chance.shuffle
    people = [fake.user(number) for number in range(1, 6)]
    words = [f"你好{turn}" for turn in range(8)]
    sent: list[dict[str, Any]] = []
    async with running(mind, tmp_path, fake.url) as bot:
        for turn in range(4):
            if turn == 2:
                await until(lambda: fake.pending() == 0)
                # The empty poll after the last batch tells us that any id may follow.
                await asyncio.sleep(QUICK.poll + 0.1)
                fake.jump(500)
            for update in chance.sample(sent, len(sent) // 5):
                fake.deliver(update)
            now = words[2 * turn : 2 * turn + 2]
            sent += [person.send(text) for person in people for text in now]
            await until(lambda: fake.pending() == 0)
        await until(lambda: all(len(person.received) == 8 for person in people))
        for person in people:
            assert [m.text for m in await lines(bot, person.id) if m.reply is None] == words


async def test_what_cannot_be_read_is_parked_and_holds_up_nobody(
    fake: FakeBotApi, mind: Mind, tmp_path: Path
) -> None:
    user = fake.user(1)
    async with running(mind, tmp_path, fake.url):
        fake.deliver({"update_id": 99_990, "message": {"text": "没有聊天"}})
        fake.deliver({"update_id": 99_991, "message": "不是消息"})
        user.send("你好")
        await user.expect("随法问")
        await until(lambda: fake.pending() == 0)
    assert len(user.received) == 1


@pytest.mark.parametrize(
    "fault",
    [
        Fault(FaultKind.DROP, "getUpdates"),
        Fault(FaultKind.ERROR, "getUpdates", code=502),
        Fault(FaultKind.ERROR, "getUpdates", code=409),
        Fault(FaultKind.ERROR, "getUpdates", seconds=1, code=429),
        Fault(FaultKind.TRUNCATE, "getUpdates"),
        Fault(FaultKind.RESET, "getUpdates"),
        Fault(FaultKind.ERROR, "deleteWebhook", code=500),
        Fault(FaultKind.ERROR, "setMyCommands", code=400),
    ],
    ids=lambda fault: f"{fault.kind.name}-{fault.method}-{fault.code}",
)
async def test_receiving_goes_on_after_a_fault(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, fault: Fault
) -> None:
    fake.faults = [fault]
    user = fake.user(1)
    user.send("你好")
    async with running(mind, tmp_path, fake.url):
        await user.expect("随法问")
        await until(lambda: fake.pending() == 0)
    assert len(user.received) == 1
    assert not fake.faults


async def test_a_webhook_left_from_before_is_removed(
    fake: FakeBotApi, mind: Mind, tmp_path: Path
) -> None:
    async with running(mind, tmp_path, fake.url, webhook_url="http://127.0.0.1:1/gone"):
        await until(lambda: bool(fake.calls("setWebhook")))
    user = fake.user(1)
    user.send("你好")
    async with running(mind, tmp_path, fake.url):
        await user.expect("随法问")


async def test_no_log_holds_the_token_or_words(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    user = fake.user(1)
    fake.faults = [Fault(kind, "getUpdates") for kind in FaultKind]
    fake.faults += [Fault(kind) for kind in FaultKind]
    async with running(mind, tmp_path, fake.url):
        for _ in range(3):
            user.send("我叫王小二，老板不给工钱")
        await until(lambda: not fake.faults and len(user.received) >= 3)
    assert "again in" in caplog.text
    assert "FAKE-token" not in caplog.text
    assert "王小二" not in caplog.text
    assert "工钱" not in caplog.text
    assert "\\u" not in caplog.text  # words as JSON escapes them


async def test_a_wrong_token_stops_nothing_else(
    fake: FakeBotApi, mind: Mind, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with running(mind, tmp_path, fake.url, token="123456:wrong") as bot:
        await until(lambda: len(fake.transcript) > 3)
        assert await bot.store.statistics()
    assert "unknown" in caplog.text
    assert "123456:wrong" not in caplog.text


async def test_without_a_token_the_channel_is_off(mind: Mind, tmp_path: Path) -> None:
    async with running(mind, tmp_path, "http://127.0.0.1:1", token="") as bot:
        assert isinstance(bot.turns, Turns)


@pytest.mark.parametrize(
    "wrong",
    [
        {"token": "没有冒号"},
        {"token": "123:abc def"},
        {"token": TOKEN, "webhook_url": "https://example.org"},
        {"token": TOKEN, "webhook_url": "example.org/hook"},
        {"token": TOKEN, "webhook_secret": "有空格 的"},
        {"token": TOKEN, "base_url": "127.0.0.1:8081"},
    ],
)
async def test_wrong_settings_are_named(mind: Mind, tmp_path: Path, wrong: dict[str, str]) -> None:
    async with running(mind, tmp_path, "", token="") as bot:
        with pytest.raises(TelegramSettingsError, match="Telegram") as raised:
            add_telegram(web.Application(), bot.turns, TelegramSettings(**wrong))
    assert wrong["token"] not in str(raised.value)


def test_settings_do_not_show_their_secrets() -> None:
    settings = TelegramSettings(token=TOKEN, webhook_secret="geheim")
    assert "FAKE" not in repr(settings)
    assert "geheim" not in repr(settings)
