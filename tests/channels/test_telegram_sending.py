"""Sending: every message arrives, in order, and again only where that cannot be known."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.channels.telegram.bot_api import BotApi
from bot.channels.telegram.pace import Pacer, Timing
from bot.channels.telegram.sender import Sender
from bot.core.answering import simple_reply
from bot.core.reply import Status
from bot.storage.sqlite import open_store
from bot.storage.store import Author, NewMessage, Store, Turn
from bot.turns import utc_now
from tests.channels.telegram_app import QUICK, until
from tests.channels.test_telegram_render import say
from tests.fake_bot_api import TOKEN, FakeBotApi, Fault, FaultKind
from tests.storage import builders


@pytest.fixture
async def fake() -> AsyncIterator[FakeBotApi]:
    async with FakeBotApi() as server:
        yield server


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "data" / "suifawen.db", tmp_path / "keys" / "contact.key")
    yield opened
    await opened.close()


@asynccontextmanager
async def sending(
    fake: FakeBotApi, store: Store, timing: Timing = QUICK, **other: Any
) -> AsyncIterator[Sender]:
    api = BotApi(other.get("token", TOKEN), fake.url, timing.call)
    sender = Sender(api, store, say=other.get("say", say), timing=timing, clock=utc_now)
    task = asyncio.create_task(sender.run())
    try:
        yield sender
    finally:
        sender.stop()
        await task
        await api.close()


def spoken(text: str) -> NewMessage:
    return NewMessage(author=Author.BOT, reply=simple_reply(Status.SOCIAL_OTHER, [text]))


async def queue(store: Store, chat: int, *texts: str) -> int:
    """Put messages into the outbox of a chat; return the conversation."""
    known = await store.find_conversation("telegram", "", str(chat))
    conversation = known or await builders.begin(
        store, str(chat), push=True, channel="telegram", account=""
    )
    await builders.say(store, conversation, *(spoken(text) for text in texts))
    return conversation


async def waiting(store: Store) -> int:
    """How many messages are neither sent nor dead."""
    return int((await store.statistics())["outbox_waiting"])


async def sent_all(store: Store, seconds: float = 20) -> None:
    async with asyncio.timeout(seconds):
        while await waiting(store):
            await asyncio.sleep(0.02)


async def reasons(store: Store, conversation: int) -> list[str]:
    """Why messages of a conversation could not be sent, as the desk shows it."""
    form = builders.form(f"CODE-{conversation}")
    await store.commit(Turn(conversation=conversation, at=builders.NOW, opened=(form,)))
    return await store.undelivered(form.code)


async def test_messages_of_a_chat_keep_their_order(fake: FakeBotApi, store: Store) -> None:
    words = [f"第{number}句" for number in range(20)]
    for chat in (1, 2, 3):
        fake.user(chat)
        await queue(store, chat, *words)
    async with sending(fake, store):
        await sent_all(store)
    assert [fake.users[chat].texts() for chat in (1, 2, 3)] == [words] * 3


async def test_a_new_message_need_not_wait_for_the_next_look(
    fake: FakeBotApi, store: Store
) -> None:
    user = fake.user(1)
    async with sending(fake, store, replace(QUICK, look=60.0)) as sender:
        await asyncio.sleep(0.1)
        await queue(store, 1, "来了")
        sender.wake()
        await user.expect("来了")


@pytest.mark.parametrize(
    ("fault", "times"),
    [
        (Fault(FaultKind.DROP), 1),
        (Fault(FaultKind.ERROR, code=500), 1),
        (Fault(FaultKind.ERROR, code=502), 1),
        (Fault(FaultKind.ERROR, code=409), 1),
        (Fault(FaultKind.RESET), 2),  # nobody can know that it had arrived
        (Fault(FaultKind.TRUNCATE), 2),
    ],
    ids=lambda value: f"{value.kind.name}-{value.code}" if isinstance(value, Fault) else "",
)
async def test_a_failed_message_is_tried_again(
    fake: FakeBotApi, store: Store, fault: Fault, times: int
) -> None:
    user = fake.user(1)
    fake.faults = [fault]
    await queue(store, 1, "一", "二")
    async with sending(fake, store):
        await sent_all(store)
    assert user.texts() == ["一"] * times + ["二"]


async def test_a_server_that_hangs(fake: FakeBotApi, store: Store) -> None:
    user = fake.user(1)
    fake.faults = [Fault(FaultKind.DELAY, seconds=5)]
    await queue(store, 1, "一")
    async with sending(fake, store, replace(QUICK, call=1.0)):
        await sent_all(store)
    assert user.texts() == ["一"]


async def test_the_wait_that_is_asked_for_is_kept(fake: FakeBotApi, store: Store) -> None:
    fake.user(1)
    fake.user(2)
    fake.faults = [Fault(FaultKind.ERROR, seconds=1, code=429)]
    await queue(store, 1, "一")
    async with sending(fake, store):
        await until(lambda: bool(fake.transcript))
        await queue(store, 2, "二")
        await sent_all(store)
    first, other, second = fake.calls("sendMessage")
    assert other.params["text"] == "二"  # who waits holds up nobody else
    assert second.at - first.at >= 1.0


@pytest.mark.parametrize(
    ("chat", "blocked", "reason"),
    [(1, True, "停用"), (2, False, "停用"), (9, False, "找不到")],
    ids=["blocked", "never-started", "unknown"],
)
async def test_who_cannot_be_reached_is_told_to_staff(
    fake: FakeBotApi, store: Store, chat: int, blocked: bool, reason: str
) -> None:
    fake.user(1).blocked = blocked
    fake.user(2, started=False)
    conversation = await queue(store, chat, "一", "二")
    async with sending(fake, store):
        await sent_all(store)
    assert len(fake.calls("sendMessage")) == 2  # each once
    [first, second] = await reasons(store, conversation)
    assert reason in first
    assert first == second


async def test_a_message_that_is_refused_is_given_up(fake: FakeBotApi, store: Store) -> None:
    user = fake.user(1)
    conversation = await queue(store, 1, "\N{ZERO WIDTH SPACE}", "二")
    refusing = Fault(FaultKind.ERROR, code=400)
    fake.plan = lambda _, params: refusing if params.get("text") != "二" else None
    async with sending(fake, store):
        await sent_all(store)
    assert user.texts() == ["二"]
    [reason] = await reasons(store, conversation)
    assert "Bad Request" in reason
    assert "<h1>" not in reason


async def test_a_wrong_token_gives_up_nothing(fake: FakeBotApi, store: Store) -> None:
    user = fake.user(1)
    await queue(store, 1, "一")
    async with sending(fake, store, token="123456:revoked"):
        await until(lambda: len(fake.transcript) >= 2)
    async with sending(fake, store):
        await sent_all(store)
    assert user.texts() == ["一"]


async def test_a_mistake_of_ours_stops_only_its_message(fake: FakeBotApi, store: Store) -> None:
    def say_badly(key: str, **values: object) -> str:
        if key == "telegram.staff":
            raise KeyError(key)
        return say(key, **values)

    user = fake.user(1)
    conversation = await queue(store, 1)
    bad = NewMessage(author=Author.STAFF, text="明天来", staff_name="李")
    await builders.say(store, conversation, bad, spoken("二"))
    async with sending(fake, store, say=say_badly):
        await sent_all(store)
    assert user.texts() == ["二"]
    [reason] = await reasons(store, conversation)
    assert "多次" in reason


async def test_after_an_outage_nobody_waits_for_long(fake: FakeBotApi, store: Store) -> None:
    """The tenth failure means a wait of 5 s, unless others get through meanwhile."""
    first = fake.user(1)
    fake.user(2)
    await queue(store, 1, "一")
    for _ in range(9):
        [item] = await store.claim_outbox("telegram", utc_now(), 0)
    await store.retry_outbox(item.id, utc_now() + timedelta(seconds=0.3), "an outage")
    await queue(store, 2, "二")
    failing = iter([None, Fault(FaultKind.ERROR)])
    fake.plan = lambda *_: next(failing, None)
    async with sending(fake, store, replace(QUICK, first_retry=0.01, longest_retry=100.0)):
        await first.expect("一", 2)
    assert [c.code for c in fake.transcript] == [200, 502, 200]


async def test_a_second_try_goes_on_behind_what_was_accepted(
    fake: FakeBotApi, store: Store
) -> None:
    user = fake.user(1)
    failing = iter([None, Fault(FaultKind.ERROR), Fault(FaultKind.DROP)])
    fake.plan = lambda *_: next(failing, None)
    await queue(store, 1, "字" * 9000)
    async with sending(fake, store):
        await sent_all(store)
    assert [len(text) for text in user.texts()] == [4096, 4096, 808]


async def test_a_lease_that_ran_out_is_taken_up_by_the_next(fake: FakeBotApi, store: Store) -> None:
    """What a killed process had claimed."""
    user = fake.user(1)
    await queue(store, 1, "一")
    claimed = time.monotonic()
    assert await store.claim_outbox("telegram", utc_now(), 0.3)
    async with sending(fake, store):
        await sent_all(store)
    assert user.texts() == ["一"]
    assert fake.transcript[0].at >= claimed + 0.3


async def test_stopping_lets_what_is_in_flight_arrive(fake: FakeBotApi, store: Store) -> None:
    user = fake.user(1)
    fake.faults = [Fault(FaultKind.DELAY, seconds=0.3)]
    await queue(store, 1, "一")
    async with sending(fake, store):
        await until(lambda: not fake.faults)
    assert user.texts() == ["一"]
    assert await waiting(store) == 0


async def test_faults_at_random_and_an_outage(fake: FakeBotApi, store: Store) -> None:
    """T6 in small: 10 % 5xx, 5 % 429, 2 % hang, 1 % accepted and then reset, an outage."""
    chance = random.Random(11)
    kinds = [
        (0.10, Fault(FaultKind.ERROR, code=502)),
        (0.15, Fault(FaultKind.ERROR, code=429, seconds=1)),
        (0.17, Fault(FaultKind.DELAY, seconds=5)),
        (0.18, Fault(FaultKind.RESET)),
    ]
    began = asyncio.get_running_loop().time()

    def plan(method: str, params: dict[str, Any]) -> Fault | None:
        if 0.3 < asyncio.get_running_loop().time() - began < 1.3:
            return Fault(FaultKind.DROP)
        drawn = chance.random()
        return next((fault for limit, fault in kinds if drawn < limit), None)

    fake.plan = plan
    words = [f"第{number}句" for number in range(6)]
    for chat in range(1, 51):
        fake.user(chat)
        await queue(store, chat, *words)
    async with sending(fake, store, replace(QUICK, call=2.0)):
        await sent_all(store, 60)

    lost = Counter((c.params["chat_id"], c.params["text"]) for c in fake.transcript
                   if c.effect and not c.code)  # fmt: skip
    for chat, user in fake.users.items():
        once = [text for i, text in enumerate(user.texts()) if text not in user.texts()[:i]]
        assert once == words
        for text, times in Counter(user.texts()).items():
            assert times - 1 <= lost[str(chat), text]
    for number, call in enumerate(fake.transcript):
        if call.code == 429:
            chat = call.params["chat_id"]
            later = [c for c in fake.transcript[number + 1 :] if c.params["chat_id"] == chat]
            assert later[0].at - call.at >= 1.0


async def test_pace_of_one_chat_and_of_all() -> None:
    pacer = Pacer(between=0.02, between_same=0.2)
    loop = asyncio.get_running_loop()
    began = loop.time()
    times: dict[str, list[float]] = {"a": [], "b": [], "c": []}

    async def send(chat: str) -> None:
        for _ in range(3):
            await pacer.wait(chat)
            times[chat].append(loop.time() - began)

    await asyncio.gather(*map(send, times))
    for each in times.values():
        assert all(b - a >= 0.19 for a, b in pairwise(each))
    together = sorted(t for each in times.values() for t in each)
    assert all(b - a >= 0.015 for a, b in pairwise(together))
    assert together[-1] < 0.6  # chats do not wait for each other


async def test_the_pacer_forgets_chats_that_have_waited_enough() -> None:
    pacer = Pacer(between=0.0, between_same=0.0)
    for number in range(2 * Pacer.MANY):
        await pacer.wait(str(number))
    assert len(pacer._next_in) <= Pacer.MANY


def test_the_wait_after_failures_doubles_to_a_limit() -> None:
    timing = Timing()
    waits = [timing.retry_after(n, chance=lambda: 0.5) for n in (0, 1, 2, 3, 9, 10, 10_000)]
    assert waits == pytest.approx([1, 1, 2, 4, 256, 300, 300])
    assert timing.retry_after(1, chance=lambda: 0.0) == pytest.approx(0.8)
    assert timing.retry_after(1, chance=lambda: 1.0) == pytest.approx(1.2)


def test_a_call_fits_into_a_lease() -> None:
    timing = Timing()
    assert timing.call < timing.lease
    assert timedelta(seconds=timing.lease) < timedelta(minutes=5)
