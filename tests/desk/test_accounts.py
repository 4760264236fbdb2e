"""Passwords, and changes of accounts."""

from __future__ import annotations

import asyncio
import time
import unicodedata
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.desk.accounts import AccountError, Accounts, check_password, new_password, tidy_login
from bot.storage.sqlite import open_store
from bot.storage.store import Role, Store
from tests.desk.test_permissions import ME
from tests.storage.builders import NOW


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    opened = open_store(tmp_path / "suifawen.db", tmp_path / "keys" / "contact.key")
    yield opened
    await opened.close()


@pytest.mark.parametrize(
    ("password", "key"),
    [
        ("短了一点点", "too_short"),
        ("123456789", "too_short"),
        ("长" * 129, "too_long"),
        ("1234567890", "too_common"),
        ("3210987654321", "too_common"),
        ("abcdefghijk", "too_common"),
        ("QWERTYUIOP", "too_common"),
        ("ＰＡＳＳＷＯＲＤ１２３", "too_common"),
        ("aaaaaaaabbbbbbc", "too_common"),
        ("wangwangwang王敏12", "too_common"),
        ("suizhou2026", "too_common"),
    ],
)
def test_what_is_guessed_first_is_refused(password: str, key: str) -> None:
    with pytest.raises(AccountError) as caught:
        check_password(password, ME)
    assert caught.value.key == f"desk.password.{key}"


@pytest.mark.parametrize(
    "password",
    ["编钟在随州博物馆里响", "correct horse battery", "a1-b2-c3-d4", "王敏喜欢吃泡泡青和油茶"],
)
def test_no_composition_is_asked_for(password: str) -> None:
    check_password(password, ME)


def test_first_passwords_are_random_and_can_be_read_aloud() -> None:
    (first, hashed), (second, _) = new_password(), new_password()
    assert first != second
    assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert not set(first) & set("01oil")
    check_password(first, ME)


async def test_a_password_is_the_same_however_the_keyboard_composes_it(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.add("wang", "王敏", Role.CLERK)
    await accounts.change_password("wang", unicodedata.normalize("NFD", "schönes Wetter"))
    staff = await store.staff_by_login("wang")
    assert await accounts.verify(staff, unicodedata.normalize("NFC", "schönes Wetter"))
    assert not await accounts.verify(staff, "schones Wetter")
    assert not await accounts.verify(staff, "\ud800\0")


async def test_an_unknown_login_takes_as_long_as_a_known_one(store: Store) -> None:
    accounts = Accounts(store)
    staff, _ = await accounts.add("wang", "王敏", Role.CLERK)

    async def fastest(who: object) -> float:
        spans = []
        for _ in range(3):
            started = time.perf_counter()
            assert not await accounts.verify(staff if who else None, "falsch, ganz falsch")
            spans.append(time.perf_counter() - started)
        return min(spans)

    known, unknown = await fastest(staff), await fastest(None)
    assert 0.4 < unknown / known < 2.5


async def test_a_crowd_of_logins_does_not_stop_the_loop(store: Store) -> None:
    accounts = Accounts(store)
    crowd = [asyncio.create_task(accounts.verify(None, "x")) for _ in range(4)]
    worst = 0.0
    while not all(task.done() for task in crowd):
        started = time.perf_counter()
        await asyncio.sleep(0.001)
        worst = max(worst, time.perf_counter() - started)
    assert worst < 0.25


@pytest.mark.parametrize("login", ["a", "a b", "a/b", "<b>", "x" * 33, "", "w\0"])
async def test_bad_logins(store: Store, login: str) -> None:
    with pytest.raises(AccountError):
        await Accounts(store).add(login, "王敏", Role.CLERK)


@pytest.mark.parametrize("name", ["", "  ", "王" * 21, "王\n敏", "王\u202e敏"])
async def test_bad_names(store: Store, name: str) -> None:
    with pytest.raises(AccountError):
        await Accounts(store).add("wang", name, Role.CLERK)


async def test_logins_are_tidied_and_given_once(store: Store) -> None:
    staff, _ = await Accounts(store).add(" Ｗang ", " 王敏 ", Role.CLERK)
    assert (staff.login, staff.name, staff.must_change) == ("wang", "王敏", True)
    with pytest.raises(AccountError):
        await Accounts(store).add("WANG", "王二", Role.CLERK)
    assert tidy_login("  LI ") == "li"


async def test_a_new_password_ends_the_logins_of_the_old_one(store: Store) -> None:
    accounts = Accounts(store)
    staff, _ = await accounts.add("wang", "王敏", Role.CLERK)
    await store.open_staff_session("digest", staff.id, "csrf", NOW)
    made = await accounts.reset_password("wang")
    changed = await store.staff_by_login("wang")
    assert changed is not None and changed.active and changed.must_change
    assert await accounts.verify(changed, made)
    assert await store.staff_session("digest", NOW) is None


async def test_changes_at_the_same_time_do_not_undo_each_other(store: Store) -> None:
    accounts = Accounts(store)
    await accounts.add("wang", "王敏", Role.CLERK)
    await asyncio.gather(
        accounts.change_password("wang", "编钟在随州博物馆里响"),
        accounts.change_role("wang", Role.SUPERVISOR),
        accounts.switch("wang", active=False),
    )
    staff = await store.staff_by_login("wang")
    assert staff is not None
    assert (staff.role, staff.active) == (Role.SUPERVISOR, False)
    assert await accounts.verify(staff, "编钟在随州博物馆里响")
