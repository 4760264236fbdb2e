"""A ticket's page, and what staff do there."""

from __future__ import annotations

from aiohttp import web

from bot.core.handoff import HandoffKind, Outcome, Ticket, TicketAction, TicketError
from bot.desk.case import CaseView, build_case, mark_of
from bot.desk.desk import Desk
from bot.desk.drafts import LOOK, Deed, Draft, DraftError, parse_deed, parse_draft
from bot.desk.pages import redirect
from bot.desk.permissions import ACTIONS, may, may_open
from bot.desk.visit import RefusedError, Visit, for_page, for_staff
from bot.storage.store import Author, Staff, TicketConflict, TicketDetail

_AGAIN = "again"
"""Shown instead of `done`: the same thing was sent twice and done once."""


def add_ticket_routes(app: web.Application, desk: Desk) -> None:
    routes = TicketRoutes(desk)
    app.router.add_get("/tickets/{code}", for_staff(desk, routes.get_ticket))
    app.router.add_get("/tickets/{code}/pulse", for_page(desk, routes.get_pulse))
    app.router.add_post("/tickets/{code}/act", for_staff(desk, routes.post_act))


class TicketRoutes:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def get_ticket(self, visit: Visit) -> web.Response:
        detail = await self._detail(visit)
        done = visit.request.query.get("done", "")
        known = done in (*ACTIONS, _AGAIN)
        return await self._page(visit, detail, Draft(), done=done if known else "")

    async def get_pulse(self, visit: Visit) -> web.Response:
        """Whether the ticket or its conversation has changed."""
        now = int(visit.now.timestamp() * 1000)
        return web.json_response({"now": now, "mark": mark_of(await self._detail(visit))})

    async def post_act(self, visit: Visit) -> web.Response:
        """Do something to the ticket, once, and only to the ticket that was seen."""
        detail = await self._detail(visit)
        draft = parse_draft(visit.form)
        wanted = visit.form.get("action", "")
        if wanted == LOOK:
            return await self._page(visit, detail, draft)
        if wanted not in ACTIONS:
            raise RefusedError(400, "desk.error.unreadable")
        action = TicketAction(wanted)
        if draft.version != detail.ticket.version:
            return await self._changed_meanwhile(visit, action, draft)
        if not may(visit.staff, detail.ticket, action):
            raise RefusedError(403, "desk.error.not_now")
        try:
            deed = parse_deed(draft, action, detail.ticket, visit.playbook)
            await self._act(visit, detail.ticket, deed)
        except DraftError as error:
            problem = visit.playbook.say(error.key, **error.values)
            return await self._page(visit, detail, draft, problem=problem, status=422)
        except (TicketConflict, TicketError):
            return await self._changed_meanwhile(visit, action, draft)
        except KeyError:
            raise RefusedError(409, "desk.error.forgotten") from None
        return await self._done(visit, draft.without(action), action)

    async def _act(self, visit: Visit, ticket: Ticket, deed: Deed) -> None:
        await self._desk.turns.act(
            ticket.code,
            deed.action,
            staff=visit.staff,
            version=ticket.version,
            text=deed.text,
            kind=deed.kind,
            county=deed.county,
            outcome=deed.outcome,
        )

    async def _done(self, visit: Visit, left: Draft, done: str) -> web.Response:
        """Go back to the page; what else was typed there is still there."""
        code = visit.request.match_info["code"]
        if not left.typed():
            return redirect(f"/desk/tickets/{code}?done={done}")
        return await self._page(visit, await self._detail(visit), left, done=done)

    async def _changed_meanwhile(
        self, visit: Visit, action: TicketAction, draft: Draft
    ) -> web.Response:
        """Show the ticket as it is now with what was typed; a form sent twice was done once."""
        detail = await self._detail(visit)
        if was_done(detail, action, draft, visit.staff):
            return await self._done(visit, draft.without(action), _AGAIN)
        problem = visit.playbook.say("desk.ticket.changed")
        return await self._page(visit, detail, draft, problem=problem, status=409)

    async def _detail(self, visit: Visit) -> TicketDetail:
        """Return the ticket of the address. Raises `RefusedError` if it is not for this person."""
        detail = await self._desk.store.ticket(visit.request.match_info["code"])
        if detail is None:
            raise RefusedError(404, "desk.error.no_ticket")
        if not may_open(visit.staff, detail.ticket):
            raise RefusedError(403, "desk.error.not_yours", name=detail.ticket.owner_name)
        return detail

    async def _page(
        self,
        visit: Visit,
        detail: TicketDetail,
        draft: Draft,
        *,
        problem: str = "",
        done: str = "",
        status: int = 200,
    ) -> web.Response:
        desk = self._desk
        undelivered = await desk.store.undelivered(detail.ticket.code)
        case = build_case(detail, undelivered, visit.staff, visit.playbook, visit.now)
        await self._note_reading(visit, case)
        return desk.pages.render(
            "ticket",
            visit.playbook,
            visit.now,
            visit.login,
            status=status,
            case=case,
            draft=draft,
            problem=problem,
            done=done,
            kinds=list(HandoffKind),
            counties=visit.playbook.counties(),
            outcomes=list(Outcome),
        )

    async def _note_reading(self, visit: Visit, case: CaseView) -> None:
        """Contact data is not shown to anybody without a record of it."""
        if case.intake is not None:
            detail = {"ticket": case.code}
            await self._desk.store.audit(visit.now, visit.staff.id, "contact_shown", detail)


def was_done(detail: TicketDetail, action: TicketAction, draft: Draft, staff: Staff) -> bool:
    """Whether the last thing that happened is just what ``draft`` asks for: it was sent twice."""
    if not detail.events:
        return False
    last = detail.events[-1]
    if (last.action, last.actor) != (action, staff.id):
        return False
    said = {TicketAction.REPLY: (Author.STAFF, draft.reply),
            TicketAction.NOTE: (Author.NOTE, draft.note)}.get(action)  # fmt: skip
    if said is None:
        return True
    author, text = said
    lines = [line.text for line in detail.transcript if line.author is author]
    return bool(lines) and lines[-1] == text
