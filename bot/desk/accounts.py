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
AT_ONCE = 2
"""Hashes computed at the same time; each takes 64 MiB."""
_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"
"""Without 0/o, 1/i/l: a first password is read aloud and copied by hand."""
_LOGIN = re.compile(r"[\w.-]{2,32}")
_COMMON = frozenset(
    (Path(__file__).parent / "common_passwords.txt").read_text(encoding="utf-8").split()
)


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
    own = {name.lower() for name in (staff.login, staff.name) if name}
    rest = plain
    for name in own:
        rest = rest.replace(name, "")
    if plain in _COMMON or len(set(plain)) < 4 or len(rest) < 4 or _is_run(plain):
        raise AccountError("desk.password.too_common")


def _is_run(text: str) -> bool:
    """Whether every character follows the one before it, up or down: 23456789012, fedcba."""
    steps = {(ord(b) - ord(a)) % 10 if (a + b).isdigit() else ord(b) - ord(a)
             for a, b in zip(text, text[1:], strict=False)}  # fmt: skip
    return steps in ({1}, {9}, {-1})


class Passwords:
    """Hashes and verifies passwords away from the event loop."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._nobody = self._hasher.hash(secrets.token_hex())

    async def hash(self, password: str) -> str:
        async with self._slots:
            return await asyncio.to_thread(self._hasher.hash, _typed(password))

    async def verify(self, hashed: str | None, password: str) -> bool:
        """Whether ``password`` is right. None, for a login that does not exist, takes as long."""
        async with self._slots:
            right = await asyncio.to_thread(self._verify, hashed or self._nobody, password)
        return right and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _typed(password))
        except (VerificationError, InvalidHashError):
            return False


def _typed(password: str) -> bytes:
    """Return the bytes of a password, the same whichever way a keyboard composed them."""
    return unicodedata.normalize("NFC", password).encode("utf-8", "surrogatepass")


# -- changing accounts, for the desk and the command --------------------------------------


async def add_account(store: Store, login: str, name: str, role: Role) -> tuple[Staff, str]:
    """Add an account; return it with its first password, which has to be changed at once.

    Raises `AccountError`, and `StorageError` if the login is taken.
    """
    login, name = tidy_login(login), name.strip()
    if not _LOGIN.fullmatch(login):
        raise AccountError("desk.staff.bad_login")
    if not 1 <= len(name) <= 20 or not name.isprintable():
        raise AccountError("desk.staff.bad_name")
    password, hashed = await asyncio.to_thread(new_password)
    staff = await store.add_staff(login, name, role, hashed)
    staff = replace(staff, must_change=True)
    await store.update_staff(staff)
    return staff, password


async def reset_password(store: Store, staff: Staff) -> str:
    """Give ``staff`` a random password, which has to be changed at once; return it."""
    password, hashed = await asyncio.to_thread(new_password)
    await set_password(store, replace(staff, must_change=True), hashed)
    return password


async def set_password(store: Store, staff: Staff, hashed: str) -> None:
    """Store a new password; every login with the old one ends.

    An account's logins end when it is switched off, so it is, for a moment.
    """
    changed = replace(staff, password_hash=hashed)
    await store.update_staff(replace(changed, active=False))
    if staff.active:
        await store.update_staff(changed)
