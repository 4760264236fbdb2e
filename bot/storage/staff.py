"""Members of staff, their logins, and the log of what they did."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping
from datetime import datetime, timedelta

from bot.storage.limits import address_digest
from bot.storage.stamps import from_stamp, to_stamp
from bot.storage.store import Role, Staff, StaffSession, StorageError
from bot.storage.vault import Vault

SEEN_EVERY = timedelta(seconds=30)
"""A use is noted this often: a write for every click would be dear and tell no more."""


def add(db: sqlite3.Connection, login: str, name: str, role: Role, password_hash: str) -> Staff:
    """Add an active account. Raises `StorageError` if ``login`` is taken."""
    if by_login(db, login) is not None:
        raise StorageError(f"登录名 {login} 已有人使用，请换一个。")
    added = db.execute(
        "INSERT INTO staff (login, name, role, password_hash, active, must_change)"
        " VALUES (?, ?, ?, ?, 1, 0)",
        (login, name, role, password_hash),
    )
    assert added.lastrowid is not None  # always set by INSERT
    return Staff(id=added.lastrowid, login=login, name=name, role=role, password_hash=password_hash)


def everyone(db: sqlite3.Connection) -> list[Staff]:
    return [_to_staff(row) for row in db.execute("SELECT * FROM staff ORDER BY id")]


def by_login(db: sqlite3.Connection, login: str) -> Staff | None:
    row = db.execute("SELECT * FROM staff WHERE login = ?", (login,)).fetchone()
    return _to_staff(row) if row else None


def update(db: sqlite3.Connection, staff: Staff) -> None:
    """Store everything but the login. Logins end with the account and with its password."""
    before = db.execute("SELECT password_hash FROM staff WHERE id = ?", (staff.id,)).fetchone()
    db.execute(
        "UPDATE staff SET name = ?, role = ?, password_hash = ?, active = ?, must_change = ?"
        " WHERE id = ?",
        (staff.name, staff.role, staff.password_hash, staff.active, staff.must_change, staff.id),
    )
    if not staff.active or (before and before["password_hash"] != staff.password_hash):
        db.execute("DELETE FROM staff_sessions WHERE staff = ?", (staff.id,))


# -- sessions ------------------------------------------------------------------


def open_session(
    db: sqlite3.Connection, token_digest: str, staff: int, csrf: str, at: datetime
) -> None:
    db.execute(
        "INSERT INTO staff_sessions (token_digest, staff, csrf, created_at, seen_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (token_digest, staff, csrf, to_stamp(at), to_stamp(at)),
    )


def find_session(db: sqlite3.Connection, token_digest: str) -> StaffSession | None:
    """Return the login of an active account."""
    row = db.execute(
        "SELECT * FROM staff_sessions JOIN staff ON staff.id = staff_sessions.staff"
        " WHERE token_digest = ? AND active",
        (token_digest,),
    ).fetchone()
    if row is None:
        return None
    return StaffSession(
        staff=_to_staff(row),
        csrf=row["csrf"],
        created_at=from_stamp(row["created_at"]),
        seen_at=from_stamp(row["seen_at"]),
    )


def note_use(db: sqlite3.Connection, token_digest: str, at: datetime) -> None:
    db.execute(
        "UPDATE staff_sessions SET seen_at = ? WHERE token_digest = ?", (to_stamp(at), token_digest)
    )


def close_session(db: sqlite3.Connection, token_digest: str) -> None:
    db.execute("DELETE FROM staff_sessions WHERE token_digest = ?", (token_digest,))


# -- attempts to log in --------------------------------------------------------


def record_login(
    db: sqlite3.Connection, vault: Vault, login: str, address: str, ok: bool, at: datetime
) -> None:
    db.execute(
        "INSERT INTO logins (at, login, address, ok) VALUES (?, ?, ?, ?)",
        (to_stamp(at), vault.digest("login", login), address_digest(vault, address), ok),
    )


def failed_logins(
    db: sqlite3.Connection, vault: Vault, login: str, address: str, since: datetime
) -> tuple[int, int]:
    """Return failures since then and since the last success: of the login, of the address."""
    return (
        _failures(db, "login", vault.digest("login", login), since),
        _failures(db, "address", address_digest(vault, address), since),
    )


def _failures(db: sqlite3.Connection, column: str, digest: str, since: datetime) -> int:
    count: int = db.execute(
        f"SELECT count(*) FROM logins WHERE {column} = ?1 AND NOT ok AND at >= ?2 AND id >"
        f" (SELECT coalesce(max(id), 0) FROM logins WHERE {column} = ?1 AND ok)",
        (digest, to_stamp(since)),
    ).fetchone()[0]
    return count


# -- audit ---------------------------------------------------------------------


def audit(
    db: sqlite3.Connection,
    at: datetime,
    actor: int | None,
    action: str,
    detail: Mapping[str, str],
) -> None:
    """Append to the audit log, which the schema makes append-only."""
    db.execute(
        "INSERT INTO audit (at, actor, action, detail) VALUES (?, ?, ?, ?)",
        (to_stamp(at), actor, action, json.dumps(dict(detail), ensure_ascii=False)),
    )


def _to_staff(row: sqlite3.Row) -> Staff:
    return Staff(
        id=row["id"],
        login=row["login"],
        name=row["name"],
        role=Role(row["role"]),
        password_hash=row["password_hash"],
        active=bool(row["active"]),
        must_change=bool(row["must_change"]),
    )
