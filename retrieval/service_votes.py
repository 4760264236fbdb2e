"""Which services to go to, best first: three voices vote.

What each topic names (`kb/topics.yaml`), by the topic's share; the classifier of the first
service; and what the nearest entry names, by the confidence. Later places of a list weigh less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from kb.types import Kind, Knowledge
from retrieval.encoder import Floats
from retrieval.ranking import Ranking

MAX_SERVICES = 5
DISCOUNTS = (1.0, 0.6, 0.4, 0.3)
"""What the second, third and further services of a list weigh beside the first."""
WORTH_NAMING = 0.05
"""Services with fewer votes are not named at all."""


class ServiceVotes:
    """Counts the votes for one bundle; immutable.

    ``topics`` and ``judged`` are the classes of the two classifiers, in their order.
    """

    def __init__(self, knowledge: Knowledge, topics: Sequence[str], judged: Sequence[str]) -> None:
        self._entries = knowledge.entries
        self._names = tuple(e.id for e in knowledge.entries.values() if e.kind is Kind.SERVICE)
        self._numbers = {name: i for i, name in enumerate(self._names)}
        # A service may have been withdrawn since somebody named it.
        self._judged = np.flatnonzero([name in self._numbers for name in judged])
        self._judged_as = np.array([self._numbers[judged[int(i)]] for i in self._judged])
        self._named = np.zeros((len(topics), len(self._names)), dtype=np.float32)
        """What each topic names, discounted by place; shape (topics, services)."""
        for row, topic in enumerate(topics):
            for service, weight in self._places(knowledge.topics[topic].default):
                self._named[row, service] = weight

    def rank(
        self, shares: Floats, judged: Floats, near: str | None, confidence: float, ranking: Ranking
    ) -> tuple[str, ...]:
        """Return the ids of at most `MAX_SERVICES` services.

        ``shares`` are the topics' and ``judged`` the first service's probabilities, ``near`` the
        id of the nearest candidate.
        """
        votes = shares @ self._named
        votes[self._judged_as] += ranking.service * judged[self._judged]
        entry = self._entries.get(near or "")
        if entry is not None:
            own = (entry.id,) if entry.kind is Kind.SERVICE else entry.services
            for service, weight in self._places(own):
                votes[service] += ranking.situation * confidence * weight
        order = np.argsort(-votes, kind="stable")[:MAX_SERVICES]
        return tuple(self._names[i] for i in order if votes[i] > WORTH_NAMING)

    def _places(self, services: Iterable[str]) -> Iterator[tuple[int, float]]:
        """Yield the number and the weight of each service that there is, by its place."""
        known = [self._numbers[s] for s in services if s in self._numbers]
        for place, number in enumerate(known):
            yield number, DISCOUNTS[min(place, len(DISCOUNTS) - 1)]
