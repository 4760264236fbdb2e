"""Puts the desk together under ``/desk``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from aiohttp import web

from bot.desk.accounts import Accounts
from bot.desk.desk import Desk, DeskSettings
from bot.desk.faults import guarded
from bot.desk.login_routes import add_login_routes
from bot.desk.pages import STATIC, Pages
from bot.desk.queue_routes import add_queue_routes
from bot.desk.staff_routes import add_staff_routes
from bot.desk.ticket_routes import add_ticket_routes
from bot.desk.why_routes import add_why_routes
from bot.turns import Turns, utc_now


def add_desk(
    app: web.Application,
    turns: Turns,
    settings: DeskSettings,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Serve the desk; an application of its own, so that its guard stands before nothing else."""
    desk = Desk(
        turns=turns,
        settings=settings,
        clock=clock,
        pages=Pages(),
        accounts=Accounts(turns.store),
    )
    own = web.Application(middlewares=[guarded(desk)])
    add_login_routes(own, desk)
    add_queue_routes(own, desk)
    add_ticket_routes(own, desk)
    add_staff_routes(own, desk)
    add_why_routes(own, desk)
    own.router.add_static("/static", STATIC)
    app.add_subapp("/desk", own)
