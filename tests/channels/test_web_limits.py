"""How much one visitor may ask of the server."""

from __future__ import annotations

import asyncio

from bot.channels.web.limits import MINUTE, Polls, RateLimit


def test_a_minute_holds_so_many_uses_and_no_more() -> None:
    limit = RateLimit(3)
    assert [limit.use("a", float(t)) for t in (0, 1, 2)] == [0, 0, 0]
    assert limit.use("a", 10.0) == 50.0
    assert limit.use("b", 10.0) == 0
    assert limit.use("a", MINUTE) == 0  # the first one has left the minute
    assert limit.use("a", MINUTE) == 1.0


def test_a_refused_use_does_not_lengthen_the_wait() -> None:
    limit = RateLimit(1)
    limit.use("a", 0.0)
    assert [limit.use("a", float(t)) for t in (30, 45, 59)] == [30.0, 15.0, 1.0]


def test_what_is_remembered_is_bounded() -> None:
    limit = RateLimit(1, max_keys=100)
    for number in range(1000):
        assert limit.use(f"visitor {number}", 0.0) == 0
    assert limit.use("visitor 999", 1.0) > 0
    assert limit.use("visitor 0", 1.0) == 0  # forgotten


async def test_the_newest_polls_win() -> None:
    polls = Polls(each=2, overall=100)
    released: list[int] = []

    async def poll(number: int) -> None:
        task = asyncio.create_task(asyncio.sleep(60))
        with polls.held("somebody", task):
            await asyncio.wait({task})
        released.append(number)

    async with asyncio.TaskGroup() as group:
        for number in range(4):
            group.create_task(poll(number))
            for _ in range(5):
                await asyncio.sleep(0)
        assert sorted(released) == [0, 1]
        polls.release_all()
    assert sorted(released) == [0, 1, 2, 3]
    assert not polls.is_full()


async def test_polls_are_limited_overall() -> None:
    polls = Polls(each=2, overall=1)
    task = asyncio.create_task(asyncio.sleep(60))
    with polls.held("somebody", task):
        assert polls.is_full()
    assert not polls.is_full()
    await asyncio.wait({task})
    assert task.cancelled()  # nobody waits for it any more
