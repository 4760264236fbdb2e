"""Contract: accounts, logins, and the log of what was done."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.storage.store import Role, Staff, StorageError, Store
from tests.storage.builders import NOW


async def add(store: Store, login: str = "wang") -> Staff:
    return await store.add_staff(login, "王敏", Role.CLERK, "hash")


async def test_accounts(store: Store) -> None:
    wang = await add(store)
    li = await add(store, "li")
    assert await store.list_staff() == [wang, li]
    assert await store.staff_by_login("li") == li
    assert await store.staff_by_login("nobody") is None
    with pytest.raises(StorageError, match="已有人使用"):
        await add(store)
    changed = replace(li, name="李红", role=Role.SUPERVISOR, password_hash="new", must_change=True)
    await store.update_staff(changed)
    assert await store.list_staff() == [wang, changed]


async def test_login_is_found_and_its_use_noted(store: Store) -> None:
    wang = await add(store)
    await store.open_staff_session("digest", wang.id, "csrf", NOW)
    first = await store.staff_session("digest", NOW + timedelta(minutes=5))
    assert first is not None
    assert (first.staff, first.csrf, first.created_at, first.seen_at) == (wang, "csrf", NOW, NOW)
    second = await store.staff_session("digest", NOW + timedelta(minutes=9))
    assert second is not None
    assert second.seen_at == NOW + timedelta(minutes=5)
    assert await store.staff_session("unknown", NOW) is None
    await store.close_staff_session("digest")
    assert await store.staff_session("digest", NOW) is None


async def test_closed_account_loses_its_logins_at_once(store: Store) -> None:
    wang = await add(store)
    await store.open_staff_session("digest", wang.id, "csrf", NOW)
    await store.update_staff(replace(wang, active=False))
    assert await store.staff_session("digest", NOW) is None
    await store.update_staff(wang)
    assert await store.staff_session("digest", NOW) is None


async def test_failures_are_counted_since_the_last_success(store: Store) -> None:
    tries = [
        ("wang", "10.0.0.1", False),
        ("li", "10.0.0.1", False),
        ("wang", "10.0.0.2", True),
        ("wang", "10.0.0.1", False),
        ("wang", "10.0.0.3", False),
    ]
    for minute, (login, address, ok) in enumerate(tries):
        await store.record_login(login, address, ok, NOW + timedelta(minutes=minute))
    assert await store.failed_logins("wang", "10.0.0.1", NOW) == (2, 3)
    assert await store.failed_logins("wang", "10.0.0.2", NOW) == (2, 0)
    assert await store.failed_logins("li", "10.0.0.9", NOW + timedelta(minutes=2)) == (0, 0)


async def test_audit_takes_system_and_staff(store: Store) -> None:
    wang = await add(store)
    await store.audit(NOW, wang.id, "ticket_opened", {"code": "A-1"})
    await store.audit(NOW, None, "purge", {})
