"""Contract: whatever happens in whatever order, each message is handled once, and each reply
is sent in order, unless its conversation was deleted before."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from bot.storage.store import OutboxItem, Store, Turn
from tests.storage.builders import NOW, bot, citizen, message, receive

PEOPLE = ("a", "b", "c")
LEASE = 30


class World:
    """Drives a store with random steps and keeps book of what has to come of it."""

    def __init__(self, store: Store, rng: random.Random) -> None:
        self.store = store
        self.rng = rng
        self.now: datetime = NOW
        self.keys: list[tuple[str, str]] = []
        self.handled: list[str] = []
        self.due: dict[int, list[int]] = defaultdict(list)  # lines to send, by conversation
        self.held: list[OutboxItem] = []

    async def receive(self) -> None:
        """A message arrives, or an old one again."""
        who, key = self.rng.choice(PEOPLE), f"key-{len(self.keys)}"
        again = bool(self.keys) and self.rng.random() < 0.3
        if again:
            who, key = self.rng.choice(self.keys)
        else:
            self.keys.append((who, key))
        sent = message(key, who, key, channel="telegram")
        [receipt] = await receive(self.store, sent, push=True)
        assert receipt.fresh is not again

    async def handle(self) -> None:
        """A turn for the conversation that waits longest; now and then it deletes everything."""
        for conversation in (await self.store.unfinished())[:1]:
            item = await self.store.next_item(conversation)
            assert item is not None
            replies = self.rng.randrange(3)
            forget = self.rng.random() < 0.05
            turn = Turn(
                conversation=conversation,
                at=self.now,
                inbox=item.id,
                messages=(citizen(item.message.text), *(bot(str(n)) for n in range(replies))),
                forget=forget,
            )
            before = await self.last_seq(conversation)
            await self.store.commit(turn)
            self.handled.append(item.message.dedupe_key)
            lines = await self.store.messages(conversation, after=before)
            if forget:
                self.due[conversation].clear()
            self.due[conversation] += [line.seq for line in lines if line.reply is not None]

    async def send(self) -> None:
        """A sender claims what is due; some of it succeeds, some fails, some senders die."""
        for item in await self.store.claim_outbox("telegram", self.now, LEASE):
            assert item.seq == self.due[item.conversation][0]
            match self.rng.randrange(4):
                case 0 | 1:
                    await self.store.finish_outbox(item.id, "1")
                    self.due[item.conversation].pop(0)
                case 2:
                    await self.store.retry_outbox(item.id, self.now + timedelta(seconds=5), "502")
                case 3:
                    self.held.append(item)

    async def wait(self) -> None:
        self.now += timedelta(seconds=self.rng.choice([1, 10, LEASE]))

    async def report_late(self) -> None:
        """A sender thought dead comes back; its claim may have passed to another."""
        if self.held:
            await self.store.retry_outbox(self.held.pop().id, self.now, "late")

    async def last_seq(self, conversation: int) -> int:
        lines = await self.store.messages(conversation, limit=10_000)
        return max((line.seq for line in lines), default=0)


@pytest.mark.parametrize("seed", range(4))
async def test_random_sequences(open_store: Callable[[], Store], seed: int) -> None:
    world = World(open_store(), random.Random(seed))
    steps = [world.receive, world.handle, world.send, world.wait, world.report_late]
    for number in range(150):
        await world.rng.choice(steps)()
        if number % 50 == 49:
            await world.store.close()
            world.store = open_store()
    while await world.store.unfinished():
        await world.handle()
    while any(world.due.values()):
        await world.wait()
        await world.send()
    assert sorted(world.handled) == sorted(key for _, key in world.keys)
    assert await world.store.claim_outbox("telegram", world.now + timedelta(days=1), LEASE) == []
