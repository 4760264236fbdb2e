"""Slows down who guesses a password, and nobody else.

Counted is the pair of account and address: a colleague at another desk, or the owner of an
account that somebody guesses at, can still log in. The wait grows and always ends.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.storage.store import Store

FREE_TRIES = 5
FIRST_WAIT = 30
"""Seconds after the fifth wrong password; doubled with each further one."""
LONGEST_WAIT = 15 * 60
FORGOTTEN_AFTER = timedelta(hours=1)


async def note_try(store: Store, login: str, address: str, now: datetime) -> None:
    """Count a try as failed, before its password is checked; a success will clear it."""
    await store.record_login(login, _pair(login, address), False, now)


async def note_success(store: Store, login: str, address: str, now: datetime) -> None:
    """Begin to count afresh."""
    await store.record_login(login, _pair(login, address), True, now)


async def seconds_to_wait(store: Store, login: str, address: str, now: datetime) -> int:
    """Return how long this pair has to wait until the next try; 0 for not at all."""
    pair = _pair(login, address)

    async def failures_within(seconds: float) -> int:
        since = now - timedelta(seconds=seconds)
        return (await store.failed_logins(login, pair, since))[1]

    failures = await failures_within(FORGOTTEN_AFTER.total_seconds())
    if failures < FREE_TRIES:
        return 0
    wait = min(FIRST_WAIT << min(failures - FREE_TRIES, 10), LONGEST_WAIT)
    if not await failures_within(wait):
        return 0
    # The store counts and tells no times: halve the span until the last failure is found.
    newest, oldest = 0, wait
    while newest < oldest:
        middle = (newest + oldest) // 2
        if await failures_within(middle):
            oldest = middle
        else:
            newest = middle + 1
    return max(wait - newest, 1)


def _pair(login: str, address: str) -> str:
    return f"{address} {login}"
