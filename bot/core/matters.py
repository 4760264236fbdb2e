"""Which trouble a message belongs to. One conversation can hold several."""

from __future__ import annotations

from dataclasses import replace

from bot.core.session import MAX_MATTERS, Matter, Session, matter_of

MAX_WORDS = 1500
"""Characters of the citizen's own words that a matter keeps for the intake's story."""


def new_matter(session: Session, topic: str, words: str) -> tuple[Session, Matter]:
    """Begin a new matter and make it the current one."""
    id_ = session.last_matter + 1
    matter = Matter(id=id_, topic=topic, words=words[-MAX_WORDS:])
    return keep_matter(replace(session, last_matter=id_), matter), matter


def keep_matter(session: Session, matter: Matter) -> Session:
    """Return the session with ``matter`` as the current one, the oldest ones dropped."""
    others = [m for m in session.matters if m.id != matter.id]
    matters = (*others, matter)[-MAX_MATTERS:]
    return replace(session, matters=matters, current=matter.id)


def matter_for(session: Session, topic: str, words: str) -> tuple[Session, Matter]:
    """Return the matter a question belongs to: the current one if the topic is the same."""
    matter = matter_of(session, session.current)
    if matter is None or matter.topic != topic:
        return new_matter(session, topic, words)
    joined = f"{matter.words}\n{words}" if matter.words else words
    matter = replace(matter, words=joined[-MAX_WORDS:])
    return keep_matter(session, matter), matter


def earlier_matter(session: Session, what: str) -> Matter | None:
    """Return the matter that ``what`` names by a word of the citizen's own, the latest first.

    Without a name, or when none has it, it is the one before the current one.
    """
    others = [m for m in reversed(session.matters) if m.id != session.current]
    named = [m for m in (*others, *session.matters) if what and _shares(what, m.words)]
    return next(iter((*named, *others, *session.matters)), None)


def _shares(what: str, words: str) -> bool:
    pairs = [what[i : i + 2] for i in range(len(what) - 1)] or [what]
    return any(pair in words for pair in pairs)
