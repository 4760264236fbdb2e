"""Kill -9 at any moment: whatever was acknowledged is there, and the file is sound."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
from collections.abc import Iterable
from contextlib import closing

from bot.storage.sqlite import open_store
from bot.storage.vault import open_vault
from tests.storage.conftest import Place

ROUNDS = 5


def run_and_kill(place: Place, round_: int, after: int) -> set[tuple[str, str]]:
    """Kill a child some moment after its acknowledgement ``after``; return all it gave."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.crash_child", *place, f"r{round_}"],
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": ":".join(sys.path)},
    )
    assert child.stdout is not None
    with child.stdout as output:
        lines = [output.readline() for _ in range(after)]
        child.kill()
        lines += output.readlines()
    child.wait()
    told = [line.split() for line in lines if line.endswith("\n")]  # the last may be torn
    return {(what, name) for what, name in told}


async def test_kill_loses_nothing_acknowledged(place: Place) -> None:
    rng = random.Random(7)
    acknowledged: set[tuple[str, str]] = set()
    for round_ in range(ROUNDS):
        acknowledged |= run_and_kill(place, round_, after=rng.randrange(50, 500))
    received = {name for what, name in acknowledged if what == "received"}
    committed = {name for what, name in acknowledged if what == "committed"}
    assert committed

    with closing(sqlite3.connect(place.database)) as db:
        assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        inbox = dict(db.execute("SELECT dedupe_key, state FROM inbox").fetchall())
        lines = [text for (text,) in db.execute("SELECT text FROM messages")]
        opened = {code for (code,) in db.execute("SELECT code FROM tickets")}
    vault = open_vault(place.key, None)

    def keys(names: Iterable[str]) -> set[str]:
        return {vault.digest("dedupe", name) for name in names}

    assert keys(received) <= inbox.keys()
    assert committed <= set(lines)
    # A turn happened whole and once: its line and its ticket are there if and only if it is done.
    done = {key for key, state in inbox.items() if state == "done"}
    assert keys(lines) == done
    assert len(lines) == len(done)
    assert opened == {name for name in lines if int(name.rsplit("-", 1)[1]) % 3 == 0}

    store = open_store(place.database, place.key)
    waiting = set()
    for conversation in await store.unfinished():
        item = await store.next_item(conversation)
        assert item is not None
        waiting.add(item.message.text)
    await store.close()
    assert keys(waiting) <= inbox.keys() - done
