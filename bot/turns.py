"""Runs turns: load, think, commit; one conversation in order, many in parallel.

What is decided lives in `bot.core.decide`, what is
kept in `bot.storage`. A message that was accepted is on disk before its turn begins, and its
turn is one transaction, so that a kill at any point loses and doubles nothing.
"""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core.acting import Act, act_on, changed_fields
from bot.core.answering import simple_reply
from bot.core.effects import Decision, ExportConversation, Say
from bot.core.events import MessageReceived, TicketActed
from bot.core.handoff import HandoffKind, Outcome, Ticket, TicketAction, TicketState
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.playbook import Playbook
from bot.core.reply import Status
from bot.core.session import Session
from bot.drafting import Draft
from bot.exporting import render_export
from bot.storage.store import (
    AlreadyHandled,
    Author,
    InboxItem,
    NewMessage,
    Receipt,
    Staff,
    StorageError,
    StorageFull,
    Store,
    StoredMessage,
    TicketChange,
    TicketConflict,
    Turn,
)
from bot.thinking import Mind, received, think

log = logging.getLogger(__name__)

MAX_ATTEMPTS = 5
"""A message that fails this often is parked, and the citizen is told."""
RETRY_SECONDS = 0.2
FULL_RETRY_SECONDS = 2.0
CODE_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
"""Without 0/O, 1/I/L: codes are read aloud and copied by hand. 12 of them are 59 bits."""
_CODE = re.compile(
    rf"(?<![0-9A-Z])(?:[{CODE_ALPHABET}]{{4}}-){{2}}[{CODE_ALPHABET}]{{4}}(?![0-9A-Z])"
)


def fresh_code() -> str:
    """Return a random ticket code, `K7QM-2XPT-9RWA`."""
    letters = [secrets.choice(CODE_ALPHABET) for _ in range(12)]
    return "-".join("".join(letters[i : i + 4]) for i in (0, 4, 8))


def utc_now() -> datetime:
    return datetime.now(UTC)


class Turns:
    """Accepts messages, runs their turns, and tells waiting readers and senders."""

    def __init__(
        self,
        store: Store,
        mind: Mind,
        *,
        push_channels: frozenset[str] = frozenset({"telegram"}),
        clock: Callable[[], datetime] = utc_now,
        fresh: Callable[[], str] = fresh_code,
        parallel: int = 32,
    ) -> None:
        self.store = store
        self._mind = mind
        self._push = push_channels
        self._clock = clock
        self._fresh = fresh
        self._slots = asyncio.Semaphore(parallel)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="think")
        self._locks: dict[int, tuple[asyncio.Lock, int]] = {}
        self._workers: dict[int, asyncio.Task[None]] = {}
        self._again: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._readers: dict[int, set[asyncio.Future[None]]] = {}
        self._senders: dict[str, list[Callable[[], None]]] = {}
        self._closing = False

    @property
    def mind(self) -> Mind:
        return self._mind

    @property
    def playbook(self) -> Playbook:
        return self._mind.playbook

    def swap(self, mind: Mind) -> None:
        """Use another bundle from the next turn on; turns under way finish with the old one."""
        self._mind = mind

    # -- life ----------------------------------------------------------------------------

    async def start(self) -> None:
        """Go on with the messages that were accepted before the last stop."""
        for conversation in await self.store.unfinished():
            self._wake(conversation)

    async def close(self) -> None:
        """Let the turns under way finish; what still waits is taken up at the next start."""
        self._closing = True
        for waiting in list(self._readers.values()):
            for reader in list(waiting):
                if not reader.done():
                    reader.set_result(None)
        workers = list(self._workers.values())
        if workers or self._tasks:
            await asyncio.wait([*workers, *self._tasks], timeout=10)
        self._threads.shutdown(wait=False)

    # -- messages --------------------------------------------------------------------------

    async def accept(self, messages: Sequence[tuple[InboundMessage, bytes]]) -> list[Receipt]:
        """Store messages of one channel; they are on disk when this returns.

        Their turns run on their own. Raises `StorageFull` or `StorageError`.
        """
        if not messages:
            return []
        push = messages[0][0].channel in self._push
        receipts = await self.store.receive(messages, push)
        for receipt in receipts:
            if receipt.fresh:
                self._wake(receipt.conversation)
        return receipts

    async def wait(self, conversation: int, after: int, seconds: float) -> list[StoredMessage]:
        """Return the lines after ``after``; if there are none, wait up to ``seconds``."""
        found = await self.store.messages(conversation, after)
        if found or seconds <= 0 or self._closing:
            return found
        reader: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._readers.setdefault(conversation, set())
        waiting.add(reader)
        try:
            found = await self.store.messages(conversation, after)  # it may just have come
            if not found:
                await asyncio.wait_for(reader, seconds)
        except TimeoutError:
            return []
        finally:
            waiting.discard(reader)
            if not waiting:
                self._readers.pop(conversation, None)
        return found or await self.store.messages(conversation, after)

    def on_outbox(self, channel: str, wake: Callable[[], None]) -> None:
        """Call ``wake`` whenever something was put into the outbox of ``channel``."""
        self._senders.setdefault(channel, []).append(wake)

    def _wake(self, conversation: int) -> None:
        if self._closing:
            return
        if conversation in self._workers:
            self._again.add(conversation)
            return
        task = asyncio.create_task(self._work(conversation))
        self._workers[conversation] = task

    async def _work(self, conversation: int) -> None:
        """Take the waiting messages of one conversation, oldest first, until there are none."""
        try:
            while not self._closing:
                self._again.discard(conversation)
                async with self._slots:
                    item = await self.store.next_item(conversation)
                    if item is not None:
                        await self._take(item)
                        continue
                if conversation not in self._again:
                    return
        except Exception:
            log.exception("conversation %d stopped; it goes on with its next message", conversation)
        finally:
            self._workers.pop(conversation, None)

    async def _take(self, item: InboxItem) -> None:
        """Run the turn of one message; park it when it cannot be handled."""
        try:
            async with self._locked(item.conversation):
                if item.attempts > MAX_ATTEMPTS:
                    await self._give_up(item)
                else:
                    await self._turn(item)
        except AlreadyHandled:
            log.info("inbox %d was handled by somebody else", item.id)
        except StorageFull:
            log.error("disk full: the turn of inbox %d waits", item.id)
            await asyncio.sleep(FULL_RETRY_SECONDS)
        except TicketConflict:
            log.info("inbox %d: a ticket changed meanwhile, once more", item.id)
        except Exception as error:
            # Neither the message nor the error's text may stand in a log: both hold words.
            log.error("turn of inbox %d failed (%s), try %d", item.id, type(error).__name__,
                      item.attempts, exc_info=log.isEnabledFor(logging.DEBUG))  # fmt: skip
            await asyncio.sleep(RETRY_SECONDS * item.attempts)

    async def _give_up(self, item: InboxItem) -> None:
        playbook = self.playbook
        reply = simple_reply(Status.ERROR_INTERNAL, [playbook.say("error.internal")])
        text = NewMessage(
            author=Author.CITIZEN, text=item.message.text, client_key=item.message.dedupe_key
        )
        said = NewMessage(author=Author.BOT, reply=reply)
        turn = Turn(conversation=item.conversation, at=self._clock(), messages=(text, said))
        await self.store.park(item.id, "failed too often")
        await self._commit(turn, item.message.channel)

    async def _turn(self, item: InboxItem) -> None:
        mind = self._mind
        session = await self.store.load_session(item.conversation)
        event = await self._received(item, session, mind)
        decision = await asyncio.get_running_loop().run_in_executor(
            self._threads, think, mind, session, event
        )
        draft = Draft(item, event.at, session.tickets, mind.playbook.handoff)
        for effect in decision.effects:
            if isinstance(effect, ExportConversation):
                data = await self.store.export(item.conversation)
                draft.say(render_export(data, mind.playbook))
            else:
                draft.apply(effect)
        turn = draft.turn(decision)
        await self._commit(turn, item.message.channel)
        if turn.forget:
            self._spawn(self._scrub())

    async def _scrub(self) -> None:
        """Leave no trace of what was deleted; the deletion itself has already happened."""
        try:
            await self.store.scrub()
        except StorageError as error:
            log.error("deleted rows could not be scrubbed from the file yet: %s", error)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _received(self, item: InboxItem, session: Session, mind: Mind) -> MessageReceived:
        message = item.message
        event = received(message, mind.playbook, message.received_at, self._fresh())
        code = (
            _CODE.search(event.screened.text.upper()) if message.kind is MessageKind.TEXT else None
        )
        if code is not None:
            detail = await self.store.ticket(code[0])
            event = replace(event, named=detail.ticket if detail else None)
        if session.intake is not None:
            since = event.at - timedelta(hours=24)
            openings = await self.store.count_openings(item.conversation, message.address, since)
            event = replace(event, openings=openings)
        return event

    async def _commit(self, turn: Turn, channel: str) -> None:
        await self.store.commit(turn)
        for reader in list(self._readers.get(turn.conversation, ())):
            if not reader.done():
                reader.set_result(None)
        if any(m.reply is not None for m in turn.messages):
            for wake in self._senders.get(channel, ()):
                wake()

    @asynccontextmanager
    async def _locked(self, conversation: int) -> AsyncIterator[None]:
        """One writer at a time for each conversation: its turns and its staff."""
        lock, users = self._locks.get(conversation) or (asyncio.Lock(), 0)
        self._locks[conversation] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            lock, users = self._locks[conversation]
            if users == 1:
                del self._locks[conversation]
            else:
                self._locks[conversation] = (lock, users - 1)

    # -- tickets -------------------------------------------------------------------------------

    async def act(
        self,
        code: str,
        action: TicketAction,
        *,
        staff: Staff | None,
        text: str = "",
        version: int | None = None,
        kind: HandoffKind | None = None,
        county: str | None = None,
        outcome: Outcome | None = None,
    ) -> Ticket:
        """Do something to a ticket for a member of staff, or for the system (None).

        State, history, the words and what the citizen is told are one transaction. Raises
        `TicketError` when the state forbids it, `TicketConflict` when ``version`` is stale,
        `KeyError` when there is no such ticket or its conversation was deleted.
        """
        conversation = await self.store.ticket_conversation(code)
        if conversation is None:
            raise KeyError(code)
        async with self._locked(conversation):
            session = await self.store.load_session(conversation)
            ticket = next((t for t in session.tickets if t.code == code), None)
            if ticket is None:
                raise KeyError(code)
            if version is not None and ticket.version != version:
                raise TicketConflict("the ticket was changed meanwhile; reload it")
            now = self._clock()
            act = Act(
                action=action,
                at=now,
                staff=staff.id if staff else None,
                staff_name=staff.name if staff else "",
                kind=kind,
                county=county,
                outcome=outcome,
            )
            changed = act_on(ticket, act, self.playbook.handoff)
            seen = replace(changed, version=changed.version + 1)
            tickets = tuple(seen if t.code == code else t for t in session.tickets)
            event = TicketActed(
                at=now, code=code, action=action, text=text, staff_name=staff.name if staff else ""
            )
            decision = think(self._mind, replace(session, tickets=tickets), event)
            turn = Turn(
                conversation=conversation,
                at=now,
                session=decision.session,
                messages=_staff_messages(decision, action, code, text, staff),
                changes=(
                    TicketChange(
                        ticket=changed,
                        action=action,
                        actor=staff.id if staff else None,
                        detail=changed_fields(ticket, changed),
                    ),
                ),
            )
            await self._commit(turn, session.channel)
            return seen

    async def sweep(self) -> int:
        """Give back the conversations whose staff or citizen have been silent too long.

        Returns how many tickets were touched.
        """
        rules = self.playbook.handoff
        now = self._clock()
        limits = {
            TicketState.CLAIMED: timedelta(hours=rules.silence_hours),
            TicketState.REPLIED: timedelta(hours=rules.citizen_silence_hours),
        }
        touched = 0
        for ticket in await self.store.silent_since(now - min(limits.values())):
            limit = limits.get(ticket.state)
            if limit is None or ticket.acted_at > now - limit:
                continue
            try:
                await self.act(
                    ticket.code, TicketAction.SILENCE, staff=None, version=ticket.version
                )
                touched += 1
            except (TicketConflict, KeyError):
                continue  # somebody was quicker
        return touched


def _staff_messages(
    decision: Decision, action: TicketAction, code: str, text: str, staff: Staff | None
) -> tuple[NewMessage, ...]:
    name = staff.name if staff else ""
    if action is TicketAction.NOTE:
        return (NewMessage(author=Author.NOTE, text=text, ticket=code, staff_name=name),)
    author = Author.STAFF if action is TicketAction.REPLY else Author.BOT
    said = [e.reply for e in decision.effects if isinstance(e, Say)]
    words = text if author is Author.STAFF else ""
    return tuple(
        NewMessage(author=author, text=words, reply=reply, ticket=code, staff_name=name)
        for reply in said
    )
