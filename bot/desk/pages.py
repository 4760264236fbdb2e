"""Renders the pages. Everything that goes into one is escaped."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.core.playbook import Playbook
from bot.desk.permissions import may_manage_staff
from bot.desk.times import BEIJING
from bot.storage.store import StaffSession

HERE = Path(__file__).parent
STATIC = HERE / "static"


class Pages:
    """The templates, compiled once, and the versions of the files they link to."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=FileSystemLoader(HERE / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._versions = {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()[:16]
            for path in STATIC.iterdir()
        }

    def render(
        self,
        name: str,
        playbook: Playbook,
        now: datetime,
        login: StaffSession | None = None,
        *,
        status: int = 200,
        **values: object,
    ) -> web.Response:
        """Return the page ``name``; ``login`` is who sees it, None before the login."""
        html = self._templates.get_template(f"{name}.html").render(
            say=playbook.say,
            operator=playbook.operator.name,
            versions=self._versions,
            clock=f"{now.astimezone(BEIJING):%H:%M}",
            now=int(now.timestamp() * 1000),
            staff=login.staff if login else None,
            csrf=login.csrf if login else "",
            manages=login is not None and may_manage_staff(login.staff),
            **values,
        )
        return web.Response(text=html, content_type="text/html", status=status)


def redirect(location: str) -> web.Response:
    """Send the browser on with a GET, so that a reload repeats nothing."""
    return web.Response(status=303, headers={"Location": location})
