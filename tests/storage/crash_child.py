"""Receives messages and commits turns until it is killed; tells each as it is acknowledged."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from bot.core.session import Session
from bot.storage.sqlite import open_store
from bot.storage.store import Author, NewMessage, Turn
from tests.storage.builders import NOW, form, message


async def work(database: Path, key: Path, round_: str) -> None:
    store = open_store(database, key)

    async def talk(sender: str) -> None:
        for number in range(1_000_000):
            name = f"{round_}-{sender}-{number}"
            [receipt] = await store.receive([(message(name, sender, name), b"raw")], True)
            print("received", name, flush=True)
            await store.commit(
                Turn(
                    conversation=receipt.conversation,
                    at=NOW,
                    inbox=receipt.inbox,
                    session=Session(conversation=receipt.conversation, channel="web", place=name),
                    messages=(NewMessage(author=Author.CITIZEN, text=name),),
                    opened=(form(name, submission=name),) if number % 3 == 0 else (),
                )
            )
            print("committed", name, flush=True)

    await asyncio.gather(*(talk(f"s{number}") for number in range(8)))


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]))
