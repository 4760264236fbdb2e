"""The Chinese names of ids. Unknown ids are shown as they are: an old ticket must stay readable."""

from __future__ import annotations

from bot.core.playbook import Playbook


def topic_name(playbook: Playbook, id_: str) -> str:
    topic = playbook.knowledge.topics.get(id_)
    return topic.name if topic else playbook.wording.get(f"desk.topic.{id_}", id_)


def place_name(playbook: Playbook, id_: str | None) -> str:
    """Return the name of a place; "" means that the citizen named none of ours."""
    if not id_:
        return ""
    place = playbook.knowledge.places.get(id_)
    return place.name if place else id_


def code_name(playbook: Playbook, family: str, code: str) -> str:
    """Return the name of ``code`` in the wordings ``family``, such as `kind` or `desk.state`."""
    return playbook.wording.get(f"{family}.{code}", code)
