"""Decide, search if asked to, decide again: the whole way from an event to a decision.

Synchronous and free of I/O but for the search index in memory, so that it can run in a
thread and that `ask` and the real conversation are the same code.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Protocol

from bot.core.decide import decide
from bot.core.effects import Decision, Effect, Search
from bot.core.events import Event, MessageReceived, SearchCompleted
from bot.core.inbound import InboundMessage, MessageKind
from bot.core.playbook import Playbook
from bot.core.screening import Screened, screen
from bot.core.session import Session
from kb.value import value
from retrieval.ranking import Ranking
from retrieval.types import Query, SearchResult


class Searcher(Protocol):
    """Finds entries; `retrieval.search.Searcher` does."""

    @property
    def ranking(self) -> Ranking: ...

    def search(self, query: Query) -> SearchResult: ...


@value
class Mind:
    """One bundle in use: what to say and where to look. Swapped as a whole."""

    playbook: Playbook
    searcher: Searcher


def think(mind: Mind, session: Session, event: Event) -> Decision:
    """Return the decision on ``event`` with every `Search` already carried out."""
    decision = decide(session, event, mind.playbook)
    effects: list[Effect] = []
    for effect in decision.effects:
        if not isinstance(effect, Search):
            effects.append(effect)
            continue
        assert isinstance(event, MessageReceived)  # only messages are searched for
        completed = SearchCompleted(
            at=event.at,
            message=event.message,
            screened=event.screened,
            result=mind.searcher.search(effect.query),
        )
        found = decide(decision.session, completed, mind.playbook)
        decision = replace(decision, session=found.session)
        effects.extend(found.effects)
    return replace(decision, effects=tuple(effects))


def screen_message(message: InboundMessage, playbook: Playbook) -> Screened:
    """Screen a message. The label of a button is ours and is never taken for danger."""
    screened = screen(message.text, playbook.danger)
    if message.kind is MessageKind.CHOICE:
        return replace(screened, danger=None)
    return screened


def received(
    message: InboundMessage, playbook: Playbook, at: datetime, fresh: str
) -> MessageReceived:
    """Return the event for a message, without what only the store knows."""
    screened = screen_message(message, playbook)
    return MessageReceived(at=at, message=message, screened=screened, fresh=fresh)
