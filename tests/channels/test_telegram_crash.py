"""Kill -9 five times during 200 handoffs: nothing that Telegram was told we have is lost, and
nothing happens twice."""

from __future__ import annotations

import asyncio
import random
import re
import sqlite3
import sys
from asyncio.subprocess import Process
from collections import Counter
from contextlib import closing
from pathlib import Path

from bot.channels.telegram.sender import MAX_IN_FLIGHT
from bot.settings import Settings
from tests.channels.telegram_app import files, until
from tests.fake_bot_api import FakeBotApi, VirtualUser

PEOPLE = 200
KILLS = 5
PATIENCE = 120
"""Seconds for one answer: kills, starts and leases may all fall into it."""
MESSAGES = 9
"""That each person sends, and gets an answer to."""


async def hand_off(user: VirtualUser) -> str:
    """Ask for a person and fill in the form; return the ticket's code."""
    user.send("转人工")
    await user.expect("境外", PATIENCE)
    user.press("同意传到境外")
    await user.expect("出了什么事", PATIENCE)
    user.send(f"我是{user.id}号，在工地上干了三个月，老板一直不给工钱")
    await user.expect("事情在哪里", PATIENCE)
    user.press("曾都区")
    await user.expect("哪个镇", PATIENCE)
    user.press("跳过")
    await user.expect("替别人问", PATIENCE)
    user.press("我自己的事")
    await user.expect("留一个电话", PATIENCE)
    user.press("不留电话")
    await user.expect("看一下对不对", PATIENCE)
    user.press("同意并提交")
    opened = await user.expect("已经交上去了", PATIENCE)
    user.send("进度")
    await user.expect("等待接办", PATIENCE)
    code = re.search(r"[0-9A-Z]{4}-[0-9A-Z]{4}-[0-9A-Z]{4}", opened["text"])
    assert code is not None
    return code[0]


async def start(folder: Path, server: str, settings: Settings) -> Process:
    """Start a bot in a process of its own. It ends by itself when this one does."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.channels.telegram_child",
        str(folder), server, str(settings.data),
        env={"PYTHONPATH": ":".join(sys.path)}, stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip


async def kill(child: Process) -> None:
    if child.returncode is None:
        child.kill()
    await child.wait()


async def received(people: list[VirtualUser], count: int) -> None:
    """Return when the bot has sent so many messages."""
    await until(lambda: sum(len(user.received) for user in people) >= count, PATIENCE)


async def run_and_kill(fake: FakeBotApi, folder: Path, settings: Settings) -> list[str]:
    """Have everybody hand off while the bot is killed again and again; return the codes."""
    chance = random.Random(5)
    people = [fake.user(number) for number in range(1, PEOPLE + 1)]
    forms = asyncio.gather(*map(hand_off, people))
    child = await start(folder, fake.url, settings)
    try:
        step = PEOPLE * MESSAGES // (KILLS + 1)
        for number in range(KILLS):
            moment = step * number + chance.randrange(1, step)
            await received(people, moment)
            await asyncio.sleep(chance.random() * 0.05)
            assert child.returncode is None
            await kill(child)
            child = await start(folder, fake.url, settings)
        codes = await forms
        await until(lambda: fake.pending() == 0)
    finally:
        forms.cancel()
        await kill(child)
    return codes


async def test_kill_loses_and_doubles_nothing(settings: Settings, tmp_path: Path) -> None:
    async with FakeBotApi() as fake:
        codes = await run_and_kill(fake, tmp_path, settings)

    database, _ = files(tmp_path)
    with closing(sqlite3.connect(database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        tickets = [code for (code,) in db.execute("SELECT code FROM tickets")]
        said = db.execute(
            "SELECT count(*) FROM messages WHERE author = 'citizen' GROUP BY conversation"
        ).fetchall()
        inbox = db.execute("SELECT count(*), sum(state = 'done') FROM inbox").fetchone()
        dead = db.execute("SELECT count(*) FROM outbox WHERE state = 'dead'").fetchone()

    # Each form is one ticket, and its person knows the code of just this one.
    assert sorted(tickets) == sorted(codes)
    assert len(set(codes)) == PEOPLE
    # Each message was stored once and had its effect once.
    assert inbox == (PEOPLE * MESSAGES, PEOPLE * MESSAGES)
    assert said == [(MESSAGES,)] * PEOPLE
    assert dead == (0,)
    # Only what was in flight at a kill may have been sent twice.
    repeated = 0
    for user in fake.users.values():
        times = Counter(user.texts())
        assert len(times) == MESSAGES
        repeated += sum(times.values()) - len(times)
    assert repeated <= MAX_IN_FLIGHT * KILLS
    print(f"{KILLS} kills, {PEOPLE} handoffs: {repeated} messages sent twice")
