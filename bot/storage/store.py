"""What the bot needs of a store, in the words of the domain.

The promise: when `receive` returns, the messages are on disk; what a turn changes becomes
visible all at once or not at all; a message has its effects once; tickets and messages that
were acknowledged survive the process being killed at any point.

`bot.storage.sqlite` is the embedded default. Times are timezone-aware everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, Protocol

from bot.core.effects import OpenTicket, RecordAnswer
from bot.core.handoff import HandoffKind, Ticket, TicketAction, TicketState
from bot.core.inbound import InboundMessage
from bot.core.reply import Judgement, Reply
from bot.core.session import Session
from kb.value import value


class StorageError(Exception):
    """Something about the store; the message says what the operator can do."""


class StorageFull(StorageError):
    """The disk is full: nothing was stored, nothing was lost; the sender has to try again."""


class StorageDamaged(StorageError):
    """The database is damaged or of another program version."""


class TicketConflict(StorageError):
    """Somebody else changed the ticket since it was read; read it again."""


class AlreadyHandled(StorageError):
    """The message of this turn has had its effects, or was given up; drop the turn."""


class Author(StrEnum):
    """Who wrote a message of a conversation."""

    CITIZEN = "citizen"
    BOT = "bot"
    STAFF = "staff"
    NOTE = "note"
    """An inner note: staff see it, the citizen never does."""


@value
class Receipt:
    """Where a received message went. ``fresh`` is False for a re-delivery."""

    inbox: int
    conversation: int
    fresh: bool


@value
class InboxItem:
    """A received message that waits for its turn. ``attempts`` counts earlier tries.

    ``message.address`` is no longer the address but its keyed digest, which `count_openings`
    takes as well: the address itself is kept nowhere.
    """

    id: int
    conversation: int
    message: InboundMessage
    attempts: int


@value
class StoredMessage:
    """One line of a conversation. ``seq`` counts up within the conversation, from 1.

    ``text`` is what the citizen or staff wrote; ``reply`` is what the bot said.
    ``ticket`` is the ticket it belongs to, if any. ``staff_name`` is the name shown.
    ``client_key`` lets the client that sent a line find its own.
    """

    seq: int
    at: datetime
    author: Author
    text: str = ""
    reply: Reply | None = None
    ticket: str | None = None
    staff_name: str = ""
    client_key: str = ""


@value
class NewMessage:
    """A line to add in a turn; see `StoredMessage`."""

    author: Author
    text: str = ""
    reply: Reply | None = None
    ticket: str | None = None
    staff_name: str = ""
    client_key: str = ""


@value
class TicketChange:
    """A ticket in its new state, and the action that brought it there.

    Stored only if the stored ticket still has version ``ticket.version``; the version is
    then counted up. Several changes of one ticket in a turn are applied in order, and only
    the first is held to its version. ``actor`` is the id of the member of staff; None is the
    citizen or the system. ``detail`` holds codes and ids only, never words of people.
    """

    ticket: Ticket
    action: TicketAction
    actor: int | None = None
    detail: Mapping[str, str] | None = None


@value
class Turn:
    """All that one turn writes, in one transaction.

    ``inbox`` is marked done, and its raw payload is dropped. Messages with a reply or of
    staff are also put into the outbox of a channel that has to send (push channels).
    """

    conversation: int
    at: datetime
    inbox: int | None = None
    session: Session | None = None
    messages: tuple[NewMessage, ...] = ()
    opened: tuple[OpenTicket, ...] = ()
    changes: tuple[TicketChange, ...] = ()
    answers: tuple[RecordAnswer, ...] = ()
    forget: bool = False
    """Delete the whole conversation instead of storing the session; ``messages`` are still
    put where the citizen can read them once (a push channel's outbox, or a last line)."""


@value
class OutboxItem:
    """A message to send through a push channel, claimed for the time of the lease.

    ``id`` names this claim, not the message: once the lease has run out and another sender
    has claimed the message, what the first one reports changes nothing. ``attempts`` counts
    earlier tries.
    """

    id: int
    conversation: int
    account: str
    sender: str
    """The channel's id of the person to send to."""
    seq: int
    message: StoredMessage
    attempts: int


@value
class TicketFilter:
    """What the queue shows. Empty tuples mean no restriction."""

    states: tuple[TicketState, ...] = ()
    kinds: tuple[HandoffKind, ...] = ()
    counties: tuple[str, ...] = ()
    owner: int | None = None
    newest_first: bool = False
    """By last action, newest first, instead of by urgency and due time."""
    limit: int = 200


@value
class TicketEvent:
    """One entry of a ticket's append-only history."""

    seq: int
    at: datetime
    action: str
    """A `TicketAction`, or `open`."""
    actor: int | None
    actor_name: str
    state: TicketState
    detail: Mapping[str, str]


@value
class Contact:
    """What was asked for in the intake and is encrypted at rest."""

    phone: str
    place_words: str
    town: str | None
    who: str
    story: str


@value
class TicketDetail:
    """A ticket as staff see it when they open it.

    ``transcript`` is the conversation with inner notes, without the lines of other tickets,
    which may be other people's business.
    """

    ticket: Ticket
    conversation: int | None
    """None after the citizen had the conversation deleted."""
    channel: str
    contact: Contact | None
    """None when it was deleted, or when the key for contact data is gone."""
    citations: tuple[str, ...]
    events: tuple[TicketEvent, ...]
    transcript: tuple[StoredMessage, ...]


class Role(StrEnum):
    CLERK = "clerk"
    SUPERVISOR = "supervisor"
    ADMIN = "admin"


@value
class Staff:
    """A member of staff."""

    id: int
    login: str
    name: str
    role: Role
    password_hash: str
    active: bool = True
    must_change: bool = False
    """The password was set by somebody else and has to be changed at the first login."""


@value
class StaffSession:
    """A login. The browser holds a random token; the store only its digest."""

    staff: Staff
    csrf: str
    created_at: datetime
    seen_at: datetime


@value
class AskedQuestion:
    """A question as statistics may keep it: redacted, with how it was judged."""

    at: datetime
    judgement: Judgement
    redacted: str
    bundle: str


class Store(Protocol):
    """Everything the bot keeps. Each method is one transaction."""

    # -- inbox --

    async def receive(
        self, messages: Sequence[tuple[InboundMessage, bytes]], push: bool
    ) -> list[Receipt]:
        """Store messages with their raw payloads; return only when they are on disk.

        A conversation is found or made by (channel, account, sender). ``push``: replies of
        this channel go to the outbox. Raises `StorageFull`.
        """

    async def unfinished(self) -> list[int]:
        """Return the conversations that have messages waiting for their turn, oldest first."""

    async def next_item(self, conversation: int) -> InboxItem | None:
        """Return the oldest waiting message of ``conversation`` and count the attempt."""

    async def park(self, inbox: int, error: str) -> None:
        """Give up a message that cannot be handled; it stays visible to the operator."""

    # -- turns --

    async def load_session(self, conversation: int) -> Session:
        """Return the session with the conversation's tickets (newest first).

        A session that cannot be read any more (older version, lost key) begins afresh.
        """

    async def commit(self, turn: Turn) -> None:
        """Write a turn. If anything is raised, nothing is changed.

        Raises `TicketConflict`; `TicketError` for an action the ticket's state forbids;
        `AlreadyHandled` if ``turn.inbox`` no longer waits; `StorageFull`. Opening a ticket
        whose ``submission`` was opened before changes nothing.
        """

    # -- conversations --

    async def find_conversation(self, channel: str, account: str, sender: str) -> int | None: ...

    async def messages(
        self, conversation: int, after: int = 0, limit: int = 200
    ) -> list[StoredMessage]:
        """Return lines with ``seq > after``, oldest first, without inner notes."""

    async def export(self, conversation: int) -> dict[str, Any]:
        """Return everything stored about a conversation as plain JSON data."""

    async def count_openings(
        self, conversation: int, address: str | None, since: datetime
    ) -> tuple[int, int]:
        """Return the tickets opened since then by the conversation, and from the address.

        ``address`` as the channel saw it, or as it stands in `InboxItem.message`.
        """

    # -- outbox of push channels --

    async def claim_outbox(
        self, channel: str, now: datetime, lease_seconds: float, limit: int = 20
    ) -> list[OutboxItem]:
        """Return items that are due, at most the oldest unsent one of each conversation."""

    async def finish_outbox(self, id_: int, remote_id: str) -> None:
        """The channel has accepted it."""

    async def retry_outbox(self, id_: int, at: datetime, error: str) -> None:
        """Try again at ``at``."""

    async def kill_outbox(self, id_: int, reason: str) -> None:
        """It can never be delivered; the desk sees why."""

    # -- channel state (offsets and the like) --

    async def channel_state(self, channel: str, account: str) -> dict[str, Any]: ...

    async def set_channel_state(
        self, channel: str, account: str, state: dict[str, Any]
    ) -> None: ...

    # -- tickets --

    async def tickets(self, wanted: TicketFilter) -> list[Ticket]:
        """Return tickets, urgent first, then by due time, then oldest first (or as wanted)."""

    async def ticket(self, code: str) -> TicketDetail | None: ...

    async def ticket_conversation(self, code: str) -> int | None: ...

    async def silent_since(self, before: datetime) -> list[Ticket]:
        """Return tickets whose staff have the conversation and that rest since ``before``."""

    async def undelivered(self, code: str) -> list[str]:
        """Return the reasons why messages of the ticket's conversation could not be sent."""

    # -- staff --

    async def add_staff(self, login: str, name: str, role: Role, password_hash: str) -> Staff: ...

    async def list_staff(self) -> list[Staff]: ...

    async def staff_by_login(self, login: str) -> Staff | None: ...

    async def update_staff(self, staff: Staff) -> None:
        """Store name, role, password hash, active.

        The account's logins end when it is switched off and when its password changes.
        """

    async def open_staff_session(
        self, token_digest: str, staff: int, csrf: str, at: datetime
    ) -> None: ...

    async def staff_session(self, token_digest: str, at: datetime) -> StaffSession | None:
        """Return the login and note that it was used; None if unknown or the account is off.

        ``seen_at`` is the use before this one, exact to half a minute.
        """

    async def close_staff_session(self, token_digest: str) -> None: ...

    async def record_login(self, login: str, address: str, ok: bool, at: datetime) -> None: ...

    async def failed_logins(self, login: str, address: str, since: datetime) -> tuple[int, int]:
        """Return failures since then and since the last success: of the login, of the address."""

    async def audit(
        self, at: datetime, actor: int | None, action: str, detail: dict[str, str]
    ) -> None:
        """Append to the audit log; ``detail`` holds ids and codes only."""

    # -- upkeep --

    async def asked(self, since: datetime, limit: int = 100_000) -> list[AskedQuestion]:
        """Return what was asked since then, newest first."""

    async def statistics(self) -> dict[str, Any]:
        """Return counts for the health page: conversations, waiting inbox, outbox, tickets."""

    async def purge(self, now: datetime, keep_days: Mapping[str, int]) -> dict[str, int]:
        """Delete what is older than its term in days; return counts. Absent terms never end.
        Call `scrub` afterwards.

        ``inbox``: what is left of handled messages, to recognise re-deliveries.
        ``conversations``: as if the citizen had asked for it, unless a ticket is open.
        ``contacts``: contact data of tickets that ended. ``answers``: redacted questions.
        ``outbox``: records of sending. ``openings``, ``logins``: digests for limits.
        ``staff_sessions``: unused logins. Raises ValueError for an unknown term.
        """

    async def scrub(self) -> None:
        """Leave no trace of deleted rows in the files; within minutes if called often.

        Raises `StorageError` if a long read stands in the way; call again.
        """

    async def backup(self, target: Path) -> None:
        """Write a consistent copy while running, without the contact key."""

    async def close(self) -> None: ...
