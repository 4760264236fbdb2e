"""The embedded store: `Store` on one SQLite file.

This module only joins the parts. The SQL stands by subject in the modules beside it: plain
functions that take a connection, run either by the writer or by the reader.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from bot.core.handoff import Ticket
from bot.core.inbound import InboundMessage
from bot.core.session import Session
from bot.storage import asked as asked_rows  # these three share names with arguments
from bot.storage import (
    channel_state,
    conversations,
    exporting,
    limits,
    messages,
    outbox,
    tickets,
    upkeep,
)
from bot.storage import inbox as inbox_rows
from bot.storage import staff as staff_rows
from bot.storage.backup import copy_database
from bot.storage.connection import (
    OLDEST_SQLITE,
    check_integrity,
    make_private,
    named_errors,
    open_connection,
)
from bot.storage.migrate import load_migrations, migrate
from bot.storage.reader import Reader
from bot.storage.scrubbing import Scrubber
from bot.storage.store import (
    AskedQuestion,
    InboxItem,
    OutboxItem,
    Receipt,
    Role,
    Staff,
    StaffSession,
    StorageError,
    StoredMessage,
    TicketDetail,
    TicketFilter,
    Turn,
)
from bot.storage.turn import write_turn
from bot.storage.vault import Vault, open_vault
from bot.storage.writer import Writer


def open_store(path: Path, key_path: Path) -> SqliteStore:
    """Open the database at ``path`` with the contact key at ``key_path``; make what is missing.

    Called once at start-up, on the thread of the event loop: it reads the whole file to check
    it. Raises `StorageDamaged` for a damaged file or another version's, `VaultError` for a
    missing, unsafe or foreign key, `StorageError` otherwise. The store has to be closed.
    """
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        oldest = ".".join(map(str, OLDEST_SQLITE))
        raise StorageError(
            f"SQLite {sqlite3.sqlite_version} 太旧，至少要 {oldest}。请升级系统的 SQLite。"
        )
    try:
        make_private(path)
    except OSError as error:
        raise StorageError(
            f"打不开数据库 {path}（{error.strerror}）。请检查路径和权限。"
        ) from error
    with named_errors(), closing(open_connection(path)) as db:
        check_integrity(db)
        migrate(db, load_migrations())
        vault = _open_vault(db, key_path)
    with named_errors():
        return SqliteStore(path, vault)


class SqliteStore:
    """See `bot.storage.store.Store`; made by `open_store`."""

    def __init__(self, path: Path, vault: Vault) -> None:
        self._path = path
        self._vault = vault
        self._reader = Reader(path)
        self._writer = Writer(path)
        self._scrubber = Scrubber(path)

    # -- inbox --

    async def receive(
        self, messages: Sequence[tuple[InboundMessage, bytes]], push: bool
    ) -> list[Receipt]:
        return await self._writer.run(
            lambda db: inbox_rows.receive(db, self._vault, messages, push)
        )

    async def unfinished(self) -> list[int]:
        return self._reader.read(inbox_rows.unfinished)

    async def next_item(self, conversation: int) -> InboxItem | None:
        return await self._writer.run(
            lambda db: inbox_rows.next_item(db, self._vault, conversation)
        )

    async def park(self, inbox: int, error: str) -> None:
        await self._writer.run(lambda db: inbox_rows.park(db, inbox, error))

    # -- turns --

    async def load_session(self, conversation: int) -> Session:
        return self._reader.read(
            lambda db: conversations.load_session(db, self._vault, conversation)
        )

    async def commit(self, turn: Turn) -> None:
        await self._writer.run(lambda db: write_turn(db, self._vault, turn))

    # -- conversations --

    async def find_conversation(self, channel: str, account: str, sender: str) -> int | None:
        return self._reader.read(lambda db: conversations.find(db, channel, account, sender))

    async def messages(
        self, conversation: int, after: int = 0, limit: int = 200
    ) -> list[StoredMessage]:
        return self._reader.read(lambda db: messages.after(db, conversation, after, limit))

    async def export(self, conversation: int) -> dict[str, Any]:
        return await self._reader.read_long(
            lambda db: exporting.export(db, self._vault, conversation)
        )

    async def count_openings(
        self, conversation: int, address: str | None, since: datetime
    ) -> tuple[int, int]:
        digest = limits.address_digest(self._vault, address)
        return self._reader.read(lambda db: limits.count_openings(db, conversation, digest, since))

    # -- outbox of push channels --

    async def claim_outbox(
        self, channel: str, now: datetime, lease_seconds: float, limit: int = 20
    ) -> list[OutboxItem]:
        return await self._writer.run(
            lambda db: outbox.claim(db, channel, now, lease_seconds, limit)
        )

    async def finish_outbox(self, id_: int, remote_id: str) -> None:
        await self._writer.run(lambda db: outbox.finish(db, id_, remote_id))

    async def retry_outbox(self, id_: int, at: datetime, error: str) -> None:
        await self._writer.run(lambda db: outbox.retry(db, id_, at, error))

    async def kill_outbox(self, id_: int, reason: str) -> None:
        await self._writer.run(lambda db: outbox.kill(db, id_, reason))

    # -- channel state --

    async def channel_state(self, channel: str, account: str) -> dict[str, Any]:
        return self._reader.read(lambda db: channel_state.load(db, channel, account))

    async def set_channel_state(self, channel: str, account: str, state: dict[str, Any]) -> None:
        await self._writer.run(lambda db: channel_state.save(db, channel, account, state))

    # -- tickets --

    async def tickets(self, wanted: TicketFilter) -> list[Ticket]:
        return await self._reader.read_long(lambda db: tickets.search(db, wanted))

    async def ticket(self, code: str) -> TicketDetail | None:
        return await self._reader.read_long(lambda db: tickets.detail(db, self._vault, code))

    async def ticket_conversation(self, code: str) -> int | None:
        return self._reader.read(lambda db: tickets.conversation_of(db, code))

    async def silent_since(self, before: datetime) -> list[Ticket]:
        return self._reader.read(lambda db: tickets.silent_since(db, before))

    async def undelivered(self, code: str) -> list[str]:
        return self._reader.read(lambda db: outbox.undelivered(db, code))

    # -- staff --

    async def add_staff(self, login: str, name: str, role: Role, password_hash: str) -> Staff:
        return await self._writer.run(
            lambda db: staff_rows.add(db, login, name, role, password_hash)
        )

    async def list_staff(self) -> list[Staff]:
        return self._reader.read(staff_rows.everyone)

    async def staff_by_login(self, login: str) -> Staff | None:
        return self._reader.read(lambda db: staff_rows.by_login(db, login))

    async def update_staff(self, staff: Staff) -> None:
        await self._writer.run(lambda db: staff_rows.update(db, staff))

    async def open_staff_session(
        self, token_digest: str, staff: int, csrf: str, at: datetime
    ) -> None:
        await self._writer.run(
            lambda db: staff_rows.open_session(db, token_digest, staff, csrf, at)
        )

    async def staff_session(self, token_digest: str, at: datetime) -> StaffSession | None:
        found = self._reader.read(lambda db: staff_rows.find_session(db, token_digest))
        if found is not None and at - found.seen_at >= staff_rows.SEEN_EVERY:
            await self._writer.run(lambda db: staff_rows.note_use(db, token_digest, at))
        return found

    async def close_staff_session(self, token_digest: str) -> None:
        await self._writer.run(lambda db: staff_rows.close_session(db, token_digest))

    async def record_login(self, login: str, address: str, ok: bool, at: datetime) -> None:
        await self._writer.run(
            lambda db: staff_rows.record_login(db, self._vault, login, address, ok, at)
        )

    async def failed_logins(self, login: str, address: str, since: datetime) -> tuple[int, int]:
        return self._reader.read(
            lambda db: staff_rows.failed_logins(db, self._vault, login, address, since)
        )

    async def audit(
        self, at: datetime, actor: int | None, action: str, detail: dict[str, str]
    ) -> None:
        await self._writer.run(lambda db: staff_rows.audit(db, at, actor, action, detail))

    # -- upkeep --

    async def asked(self, since: datetime, limit: int = 100_000) -> list[AskedQuestion]:
        return await self._reader.read_long(lambda db: asked_rows.since(db, since, limit))

    async def statistics(self) -> dict[str, Any]:
        return await self._reader.read_long(upkeep.statistics)

    async def purge(self, now: datetime, keep_days: Mapping[str, int]) -> dict[str, int]:
        if unknown := keep_days.keys() - upkeep.TERMS.keys():
            raise ValueError(f"unknown terms {sorted(unknown)}; known are {sorted(upkeep.TERMS)}")
        counts = dict.fromkeys(["forgotten", *keep_days], 0)
        while step := await self._writer.run(lambda db: upkeep.purge_forgotten(db, now)):
            counts["forgotten"] += step
        for term, days in keep_days.items():
            while step := await self._writer.run(
                partial(upkeep.purge_term, term=term, now=now, days=days)
            ):
                counts[term] += step
        return counts

    async def scrub(self) -> None:
        await self._scrubber.scrub()

    async def backup(self, target: Path) -> None:
        await asyncio.to_thread(copy_database, self._path, target)

    async def close(self) -> None:
        await self._writer.close()
        await self._scrubber.close()
        self._reader.close()


def _open_vault(db: sqlite3.Connection, key_path: Path) -> Vault:
    """Open the key, and note its fingerprint if the database has none or lost its key."""
    row = db.execute("SELECT fingerprint FROM contact_key").fetchone()
    known = row["fingerprint"] if row else None
    try:
        vault = open_vault(key_path, known)
    except OSError as error:
        raise StorageError(f"密钥文件 {key_path} 读不了（{error.strerror}）。") from error
    if vault.fingerprint != known:  # a start on a full disk must not fail for writing the same
        db.execute("INSERT OR REPLACE INTO contact_key VALUES (1, ?)", (vault.fingerprint,))
    return vault
