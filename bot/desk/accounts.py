"""Accounts of staff: what a login and a password have to be, and how passwords are kept.

Passwords are hashed with argon2id at the library's defaults (64 MiB, about 0.1 s), in threads
and only a few at a time, so that a crowd of logins can neither stop the server nor fill its
memory. There are no rules of composition: length is what counts, and the obvious is refused.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import unicodedata
from dataclasses import replace
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from bot.storage.store import Role, Staff, Store

MIN_LENGTH = 10
MAX_LENGTH = 128
MIN_VARIETY = 4
"""Different characters, and characters beside the own login and name."""
LONGEST_NAME = 20
AT_ONCE = 2
"""Hashes computed at the same time; each takes 64 MiB."""
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0/o, 1/i/l: a first password is read aloud and copied by hand."""
_LOGIN = re.compile(r"[\w.-]{2,32}")
_COMMON = frozenset(
    (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
)
_UP = ("0123456789" * 13, "abcdefghijklmnopqrstuvwxyz" * 5)
_RUNS = (*_UP, *(run[::-1] for run in _UP))


class AccountError(ValueError):
    """A login, name or password is refused; ``key`` names the wording that says why."""

    def __init__(self, key: str, **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.values = values


def tidy_login(login: str) -> str:
    """Return ``login`` as it is stored: people type capitals and spaces without meaning them."""
    return unicodedata.normalize("NFKC", login).strip().lower()


def new_password() -> tuple[str, str]:
    """Return a random password (79 bits) and its hash. Takes about 0.1 s."""
    letters = [secrets.choice(_ALPHABET) for _ in range(16)]
    password = "-".join("".join(letters[i : i + 4]) for i in range(0, 16, 4))
    return password, PasswordHasher().hash(_typed(password))


def check_password(password: str, staff: Staff) -> None:
    """Refuse a password that is too short, too long or among the first to be guessed."""
    if len(password) < MIN_LENGTH:
        raise AccountError("desk.password.too_short", least=MIN_LENGTH)
    if len(password) > MAX_LENGTH:
        raise AccountError("desk.password.too_long", most=MAX_LENGTH)
    plain = unicodedata.normalize("NFKC", password).lower()
    rest = plain.replace(staff.login.lower(), "").replace(staff.name.lower(), "")
    runs = any(plain in run for run in _RUNS)
    if plain in _COMMON or runs or len(set(plain)) < MIN_VARIETY or len(rest) < MIN_VARIETY:
        raise AccountError("desk.password.too_common")


class Accounts:
    """The accounts of one store. One change at a time: a row is read, changed and written."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._changing = asyncio.Lock()
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def verify(self, staff: Staff | None, password: str) -> bool:
        """Whether ``password`` is right. For an account that does not exist it takes as long."""
        hashed = staff.password_hash if staff else self._nobody
        async with self._slots:
            right = await asyncio.to_thread(self._verify, hashed, password)
        return right and staff is not None

    async def add(self, login: str, name: str, role: Role) -> tuple[Staff, str]:
        """Add an account; return it with its first password, which has to be changed at once."""
        login, name = tidy_login(login), name.strip()
        if not _LOGIN.fullmatch(login):
            raise AccountError("desk.staff.bad_login")
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise AccountError("desk.staff.bad_name", most=LONGEST_NAME)
        password, hashed = await self._new_password()
        async with self._changing:
            if await self._store.staff_by_login(login) is not None:
                raise AccountError("desk.staff.login_taken", login=login)
            staff = await self._store.add_staff(login, name, role, hashed)
            staff = replace(staff, must_change=True)
            await self._store.update_staff(staff)
        return staff, password

    async def reset_password(self, login: str) -> str:
        """Give the account a random password, which has to be changed at once; return it."""
        password, hashed = await self._new_password()
        await self._set_password(login, hashed, must_change=True)
        return password

    async def change_password(self, login: str, password: str) -> None:
        """Give the account the password that its owner has chosen."""
        async with self._slots:
            hashed = await asyncio.to_thread(self._hasher.hash, _typed(password))
        await self._set_password(login, hashed, must_change=False)

    async def change_role(self, login: str, role: Role) -> None:
        async with self._changing:
            await self._store.update_staff(replace(await self._find(login), role=role))

    async def switch(self, login: str, *, active: bool) -> None:
        """Switch the account on or off. Switched off, its logins end at once."""
        async with self._changing:
            await self._store.update_staff(replace(await self._find(login), active=active))

    async def _set_password(self, login: str, hashed: str, *, must_change: bool) -> None:
        """Store a password; the store ends every login with the old one."""
        async with self._changing:
            staff = await self._find(login)
            changed = replace(staff, password_hash=hashed, must_change=must_change)
            await self._store.update_staff(changed)

    async def _find(self, login: str) -> Staff:
        staff = await self._store.staff_by_login(tidy_login(login))
        if staff is None:
            raise AccountError("desk.staff.unknown")
        return staff

    async def _new_password(self) -> tuple[str, str]:
        async with self._slots:
            return await asyncio.to_thread(new_password)

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _typed(password))
        except (VerificationError, InvalidHashError):
            return False


def _typed(password: str) -> bytes:
    """Return the bytes of a password, the same whichever way a keyboard composed them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")
