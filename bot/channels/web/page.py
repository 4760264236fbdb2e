"""The page and its files, ready to be sent: words filled in, compressed once, with an ETag."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.core.playbook import Playbook
from kb.types import Hotline
from kb.value import value

ASSETS = Path(__file__).parent / "assets"
TEMPLATE = "page.html"
_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
_LIVE = "web.live."
ADVICE = "12348"
"""The hotline in the head of the page."""
MAX_EXAMPLES = 6


@value
class Asset:
    """A file as it is sent. ``version`` is a digest of its bytes."""

    content_type: str
    body: bytes
    gzipped: bytes
    version: str


def build_asset(content_type: str, body: bytes) -> Asset:
    return Asset(
        content_type=content_type,
        body=body,
        gzipped=gzip.compress(body, 9, mtime=0),
        version=hashlib.sha256(body).hexdigest()[:16],
    )


def send_asset(request: web.Request, asset: Asset, cache: str) -> web.Response:
    """Return the answer to a request for ``asset``; ``cache`` is its Cache-Control."""
    headers = {"ETag": f'"{asset.version}"', "Cache-Control": cache, "Vary": "Accept-Encoding"}
    known = request.if_none_match or ()
    if any(tag.value in (asset.version, "*") for tag in known):
        return web.Response(status=304, headers=headers)
    body = asset.body
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        body = asset.gzipped
    return web.Response(
        body=body, content_type=asset.content_type, charset="utf-8", headers=headers
    )


class Page:
    """The chat page with its files. The page is made anew when the playbook is another one."""

    def __init__(self) -> None:
        self.files = {
            path.name: build_asset(_TYPES[path.suffix], path.read_bytes())
            for path in sorted(ASSETS.iterdir())
            if path.suffix in _TYPES
        }
        environment = Environment(
            loader=FileSystemLoader(ASSETS),
            undefined=StrictUndefined,
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._template = environment.get_template(TEMPLATE)
        self._made: tuple[Playbook, Asset] | None = None

    def html(self, playbook: Playbook) -> Asset:
        """Return the page with the words of ``playbook``."""
        if self._made is None or self._made[0] is not playbook:
            self._made = (playbook, build_asset("text/html", self._render(playbook).encode()))
        return self._made[1]

    def _render(self, playbook: Playbook) -> str:
        return self._template.render(
            say=playbook.say,
            operator=playbook.operator.name,
            approved=playbook.approved,
            examples=playbook.say("web.examples").strip().split("\n")[:MAX_EXAMPLES],
            advice=playbook.knowledge.hotlines[ADVICE],
            hotlines=_hotlines(playbook),
            words=json.dumps(_words(playbook), ensure_ascii=False),
            versions={name: asset.version for name, asset in self.files.items()},
        )


def _words(playbook: Playbook) -> dict[str, object]:
    """What the script has to know: its words, and the numbers that can be called."""
    live = {k.removeprefix(_LIVE): v for k, v in playbook.wording.items() if k.startswith(_LIVE)}
    dial = [h.number for h in playbook.knowledge.hotlines.values() if h.dial]
    return {**live, "larger": playbook.say("web.larger"), "dial": dial}


def _hotlines(playbook: Playbook) -> list[Hotline]:
    return [playbook.knowledge.hotlines[n] for n in playbook.say("web.hotlines").split()]
