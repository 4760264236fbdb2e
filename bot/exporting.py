"""What is stored about a person, in a form the person can read."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from bot.core.playbook import Playbook
from bot.core.reply import Block, BlockKind, Line, Reply, Status

MAX_LINES = 120
"""Lines of the conversation in one reply; the newest are kept."""
CHINA = timezone(timedelta(hours=8))


def render_export(data: Mapping[str, Any], playbook: Playbook) -> Reply:
    """Return everything of `Store.export` that a person can read, newest words last."""
    say = playbook.say
    lines = [say("data.since", at=_time(data["conversation"]["created_at"]))]
    blocks = [_block("", lines)]
    tickets = []
    for ticket in data["tickets"]:
        contact = ticket.get("contact") or {}
        kind, state = say(f"kind.{ticket['kind']}"), say(f"state.{ticket['state']}")
        tickets.append(say("ticket.headline", kind=kind, code=ticket["code"], state=state))
        for key in ("phone", "place_words", "story"):
            if contact.get(key):
                tickets.append(say(f"data.{key}", value=contact[key]))
    blocks.append(_block(say("data.tickets"), tickets))
    spoken = [line for m in data["messages"] if (line := _message(m, playbook))]
    if len(spoken) > MAX_LINES:
        spoken = [say("data.older", count=len(spoken) - MAX_LINES), *spoken[-MAX_LINES:]]
    blocks.append(_block(say("data.messages"), spoken))
    full = tuple(block for block in blocks if block.lines)
    return Reply(status=Status.SOCIAL_OTHER, blocks=full)


def _message(message: Mapping[str, Any], playbook: Playbook) -> str:
    text = message["text"]
    if not text and message.get("reply"):
        text = " ".join(
            line["text"] for block in message["reply"]["blocks"] for line in block["lines"]
        )
        text = text if len(text) <= 60 else text[:60] + "……"
    if not text:
        return ""
    who = message.get("staff_name") or playbook.say(f"data.author_{message['author']}")
    return playbook.say("data.message", at=_time(message["at"]), who=who, text=text)


def _block(heading: str, lines: list[str]) -> Block:
    kind = BlockKind.LIST if heading else BlockKind.TEXT
    return Block(kind=kind, heading=heading, lines=tuple(Line(text=line) for line in lines))


def _time(stamp: str) -> str:
    at = datetime.fromisoformat(stamp).astimezone(CHINA)
    return f"{at.year}年{at.month}月{at.day}日 {at:%H:%M}"
