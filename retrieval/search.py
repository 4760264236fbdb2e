"""From a question to ranked, explained hits with a calibrated confidence.

Three voices, each in 0..1, joined by a convex combination (`retrieval.ranking`): the lexical
score of a candidate (share of the best one's), the cosine of its vector, and what
the topic classifier thinks of its topic (log probability on a scale of 0..1). The best
candidate of each topic speaks for the topic; a softmax over them, calibrated, is the
confidence. Everything is immutable and safe to use from several threads.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, replace
from itertools import zip_longest

import numpy as np

from kb.types import Kind, Knowledge
from retrieval.analyse import terms
from retrieval.encoder import Encoder, Floats
from retrieval.homophones import Homophones
from retrieval.index import Index
from retrieval.lookups import Lookups
from retrieval.normalise import Dialect, fold
from retrieval.pinyin import Pinyin
from retrieval.ranking import Ranking, Weights, calibrate
from retrieval.service_votes import MAX_SERVICES, ServiceVotes
from retrieval.statutes import StatuteLibrary
from retrieval.types import Hit, Lookup, LookupKind, Outcome, Query, Reason, Scope, SearchResult

ELLIPTIC = 12
"""Characters; a longer message says by itself what it is about."""
SHORTEST_MATTER = 4
"""Characters; less of a message than this is no matter of its own."""
_ADDS = re.compile("[,，。;；!！ ]+(?:还有(?!没)|另外|再就是|顺便(?:问)?|对了)[,，: ]?(?:就是)?")
EXACT = 0.95
"""Confidence in a question that stands in the knowledge base word for word, or by its name."""
SHOWN_HITS = 5
SHOWN_STATUTES = 3
MAX_CHOICES = 4
MAX_PROVISIONS = 5
OFFICE = 0.9
"""An office of many topics has this share of the best topic's prior."""
ABOUT_PLAN = 0.05
"""Share of the topic plan-content from which the nearest provisions are named: of held-out
phrasings .99 of those about the plan have it, and .03 of the others."""
NOT_SUGGESTED = frozenset({"crisis"})
"""Nobody is asked whether they mean to die unless nothing else is likelier."""
LIKELY = 0.05
"""Share of a topic from which it is an alternative when asking back."""
SMALLEST = 1e-6
"""Probabilities below it are one to the ranking: the scale of the prior ends there."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What each voice says of each candidate, all in 0..1 and of shape (candidates,)."""

    asked: list[str]
    lexical: Floats
    dense: Floats
    prior: Floats
    fused: Floats
    """How near each candidate is: the three voices with the weights of `Ranking.order`."""
    probabilities: Floats
    """Of the topic classifier, shape (topics,)."""
    services: Floats
    """Of the classifier of the first service, shape (services,)."""
    coverage: float
    """How much of the best possible lexical score the best candidate reaches."""

    def fuse(self, weights: Weights) -> Floats:
        """Return the convex combination of the three voices."""
        return _fuse(weights, self.lexical, self.dense, self.prior)


class Searcher:
    """Searches one bundle; immutable, safe in several threads."""

    def __init__(
        self,
        index: Index,
        knowledge: Knowledge,
        encoder: Encoder,
        ranking: Ranking,
        dialect: Dialect | None = None,
        bundle: str = "",
        statutes: StatuteLibrary | None = None,
    ) -> None:
        self._index = index
        self._knowledge = knowledge
        self.encoder = encoder
        self.ranking = ranking
        self.dialect = dialect or Dialect(())
        titles = [entry.title for entry in knowledge.entries.values()]
        titles += [topic.name for topic in knowledge.topics.values()]
        self._homophones = Homophones(
            index.topics.features.counts(2), titles, index.lexical.terms()
        )
        self._pinyin = Pinyin(index.topics.features.counts)
        self._lookups = Lookups(knowledge, statutes)
        self._statutes = statutes
        self._bundle = bundle
        self._classes = index.topics.classes
        kinds = np.array([c.kind for c in index.candidates])
        self._is_situation = kinds == Kind.SITUATION
        self._is_provision = kinds == Kind.PROVISION
        self._no_topic = index.topic_of < 0
        self._plan = self._classes.index("plan-content")
        # Nothing in them is mended: what stands in a phrasing is known.
        self._said = {
            _bare(self._pinyin.read(text)): number
            for number, candidate in enumerate(index.candidates)
            for text in candidate.said
        }
        """The candidate of each phrasing: what an editor wrote down is answered as he wrote it."""
        self._votes = ServiceVotes(knowledge, self._classes, index.services.classes)

    @property
    def index(self) -> Index:
        return self._index

    @property
    def topics(self) -> tuple[str, ...]:
        """The topics, in the order of `topic_scores`."""
        return self._classes

    def normalise(self, folded: str) -> str:
        """Return folded words with dialect and lay words replaced and wrong characters mended."""
        return self._homophones.mend(self.dialect.apply(self._pinyin.read(folded)))

    def search(self, query: Query) -> SearchResult:
        """Return what was found. Total: any text has a result."""
        started = time.perf_counter()
        alone, scores = self._search(query.text)
        result = self._two_matters(query.text, alone.query) or alone
        short = len(result.query) <= ELLIPTIC and result.scope is not Scope.NOT_LEGAL
        if query.before and short and result.outcome is not Outcome.ANSWER:
            result = self._in_context(query, scores)
        if self._statutes is not None and result.outcome is Outcome.ANSWER and not result.lookup:
            result = replace(result, statutes=self._statutes.search(result.query, SHOWN_STATUTES))
        seconds = time.perf_counter() - started
        return replace(result, bundle=self._bundle, seconds=seconds)

    def _search(self, text: str) -> tuple[SearchResult, Scores]:
        folded = self.normalise(fold(text))
        scores = self.scores(folded)
        result = self._judge(folded, scores, self._shares(scores))
        lookup = self._lookups.find(folded)
        if lookup is not None:
            return self._looked_up(result, lookup), scores
        said = self._said.get(_bare(folded))
        return result if said is None else self._written(result, said, scores), scores

    def _two_matters(self, text: str, folded: str) -> SearchResult | None:
        """Offer both matters of a message that adds a second one, if both are clear."""
        parts = [part for part in _ADDS.split(text) if len(part) >= SHORTEST_MATTER]
        if len(parts) != 2:
            return None
        one, other = (self._search(part)[0] for part in parts)
        sure = sorted((one.confidence, other.confidence))
        clear = sure[0] >= self.ranking.ask_above and sure[1] >= self.ranking.answer_above
        if not clear or one.topic == other.topic or {one.scope, other.scope} != {Scope.LEGAL}:
            return None
        named = [self._situations_of(each)[: MAX_CHOICES // 2] for each in (one, other)]
        services = [s for pair in zip_longest(one.services, other.services) for s in pair if s]
        return replace(
            one,
            query=folded,
            outcome=Outcome.ASK_BACK,
            reason=Reason.TWO_MATTERS,
            confidence=min(one.confidence, other.confidence),
            best=None,
            situation=None,
            choices=tuple(dict.fromkeys(id_ for ids in named for id_ in ids)),
            services=tuple(dict.fromkeys(services))[:MAX_SERVICES],
        )

    def _situations_of(self, result: SearchResult) -> list[str]:
        entries = self._knowledge.entries
        first = [result.best] if result.best else []
        ids = dict.fromkeys([*first, *result.choices, *(hit.id for hit in result.hits)])
        return [i for i in ids if i in entries and entries[i].topic == result.topic]

    def _in_context(self, query: Query, alone: Scores) -> SearchResult:
        """Return what a message means that says too little alone, after what was said before.

        Its topic has to be likely in both: by itself, and together with the earlier words. What
        was answered last is no answer to a further question.
        """
        folded = self.normalise(fold(f"{query.before}，{query.text}"))
        joined = self.scores(folded)
        shares = self._shares(alone) * self._shares(joined)
        return self._judge(folded, joined, shares / shares.sum(), without=query.situation)

    # -- scoring ---------------------------------------------------------------------

    def scores(self, folded: str) -> Scores:
        """Return every voice's score of every candidate, and the fused one."""
        index = self._index
        asked = terms(folded)
        raw = index.lexical.scores(asked)
        top = float(raw.max(initial=0.0))
        possible = index.lexical.best_possible(asked)
        lexical = raw / top if top > 0 else raw
        dense = self._dense(folded)
        row = index.topics.features.of(folded)
        probabilities = index.topics.judge(row)
        scaled = _scaled(probabilities)
        prior = np.where(self._no_topic, scaled.max() * OFFICE, scaled[index.topic_of])
        return Scores(
            asked=asked,
            lexical=lexical,
            dense=dense,
            prior=prior.astype(np.float32),
            fused=_fuse(self.ranking.order, lexical, dense, prior.astype(np.float32)),
            probabilities=probabilities,
            services=index.services.judge(row),
            coverage=top / possible if possible > 0 else 0.0,
        )

    def _dense(self, folded: str) -> Floats:
        """Return the cosine of each candidate, 0 where it is negative."""
        dense = np.zeros(len(self._index.candidates), dtype=np.float32)
        vector = self.encoder.encode([folded])[0]
        if vector.any():
            numbers, cosines = self._index.dense.search(vector, len(dense))
            dense[numbers] = np.maximum(cosines, 0)
        return dense

    def topic_scores(self, scores: Scores, weights: Weights | None = None) -> Floats:
        """Return the score of each topic: its best candidate, or the prior alone.

        ``weights`` are others than the searcher's own, to try them.
        """
        weights = weights or self.ranking.topic
        fused = scores.fuse(weights)
        topics = (weights.prior * _scaled(scores.probabilities)).astype(np.float32)
        has = ~self._no_topic
        np.maximum.at(topics, self._index.topic_of[has], fused[has])
        return topics

    # -- judging ------------------------------------------------------------------------

    def _shares(self, scores: Scores) -> Floats:
        """Return how likely each topic is, summing to 1."""
        return _softmax(self.topic_scores(scores) * self.ranking.sharpness)

    def _judge(
        self, folded: str, scores: Scores, shares: Floats, without: str | None = None
    ) -> SearchResult:
        order = np.argsort(-shares)
        best = int(order[0])
        second = float(shares[order[1]]) if len(order) > 1 else 0.0
        confidence = calibrate(
            self.ranking, float(shares[best]), float(shares[best]) - second, scores.coverage
        )
        topic = self._classes[best]
        ranked = self._ranked(scores, topic)
        near = self._index.candidates[ranked[0]].id if ranked else None
        named = tuple((self._classes[i], float(shares[i])) for i in order[:SHOWN_HITS])
        result = SearchResult(
            query=folded,
            outcome=Outcome.NO_ANSWER,
            scope=Scope.LEGAL,
            confidence=confidence,
            topic=topic,
            topics=named,
            services=self._votes.rank(shares, scores.services, near, confidence, self.ranking),
            provisions=self._provisions(scores, float(shares[self._plan]), ranked),
            hits=tuple(self._hit(i, scores) for i in ranked[:SHOWN_HITS]),
            rejected=tuple(self._hit(i, scores) for i in ranked[SHOWN_HITS : 2 * SHOWN_HITS]),
            terms=tuple(self._index.lexical.known(scores.asked)),
        )
        return self._outcome(result, scores, order, ranked, without)

    def _ranked(self, scores: Scores, topic: str) -> list[int]:
        """Return the best candidates: that of ``topic`` first, then each by fused score."""
        best = np.argsort(-scores.fused)[: 6 * SHOWN_HITS].tolist()
        first = [i for i in best if self._index.candidates[i].topic == topic][:1]
        return [*first, *(i for i in best if i not in first)]

    def _outcome(
        self,
        result: SearchResult,
        scores: Scores,
        order: np.ndarray,
        ranked: list[int],
        without: str | None,
    ) -> SearchResult:
        ranking = self.ranking
        share = dict(result.topics)
        foreign, unclear = share.get("not-legal", 0.0), share.get("unclear", 0.0)
        if foreign >= max(ranking.not_legal_above, unclear):
            return replace(result, scope=Scope.NOT_LEGAL, reason=Reason.FOREIGN)
        if unclear >= ranking.unclear_above or not result.terms:
            return replace(result, scope=Scope.EMPTY, reason=Reason.TOO_LITTLE)
        own = [i for i in ranked if self._index.candidates[i].topic == result.topic]
        again = bool(own) and self._index.candidates[own[0]].id == without
        own = [i for i in own if self._index.candidates[i].id != without]
        lead = scores.fused[own[0]] - scores.fused[own[1]] if len(own) > 1 else 1.0
        if result.confidence < ranking.answer_above or not own:
            reason = Reason.UNSURE
        elif foreign + unclear >= ranking.doubt_above:
            reason = Reason.DOUBTFUL
        elif again:
            reason = Reason.AGAIN
        elif lead < ranking.situation_lead:
            reason = Reason.CLOSE
        else:
            return self._answer(result, own[0], Reason.SURE)
        result = replace(result, reason=reason)
        if result.confidence < ranking.ask_above:
            return result
        choices = self._choices(scores, result, order, own)
        if not choices:
            return self._answer(result, own[0], Reason.NO_OTHER) if own else result
        return replace(result, outcome=Outcome.ASK_BACK, choices=choices)

    def _answer(self, result: SearchResult, number: int, reason: Reason) -> SearchResult:
        candidate = self._index.candidates[number]
        situation = candidate.id if candidate.kind is Kind.SITUATION else None
        return replace(
            result, outcome=Outcome.ANSWER, best=candidate.id, situation=situation, reason=reason
        )

    def _choices(
        self, scores: Scores, result: SearchResult, order: np.ndarray, own: list[int]
    ) -> tuple[str, ...]:
        """Return the real alternatives: of a sure topic, or one of each likely topic and then
        what else is near."""
        if own and self._is_provision[own[0]] and result.confidence >= self.ranking.answer_above:
            return ()  # the nearest provision is quoted, and the others are named under it
        if result.confidence >= self.ranking.answer_above:
            situations = [i for i in own if self._is_situation[i]]
            return tuple(self._index.candidates[i].id for i in situations[:MAX_CHOICES])
        share = dict(result.topics)
        likely = [i for i in order[:MAX_CHOICES] if share.get(self._classes[i], 0.0) >= LIKELY]
        likely = [i for i in likely if i == order[0] or self._classes[i] not in NOT_SUGGESTED]
        offered = self._is_situation | self._is_provision
        allowed = np.flatnonzero(offered & np.isin(self._index.topic_of, likely))
        near = allowed[np.argsort(-scores.fused[allowed])].tolist()
        best = [next((i for i in near if self._index.topic_of[i] == t), None) for t in likely]
        chosen = dict.fromkeys([*(i for i in best if i is not None), *near])
        return tuple(self._index.candidates[i].id for i in list(chosen)[:MAX_CHOICES])

    def _provisions(self, scores: Scores, plan: float, ranked: list[int]) -> tuple[str, ...]:
        """Return the nearest provisions if they may be asked about, else the best entry's."""
        if plan >= ABOUT_PLAN:
            members = np.flatnonzero(self._is_provision)
            nearest = members[np.argsort(-scores.fused[members])][:MAX_PROVISIONS]
            return tuple(self._index.candidates[i].id for i in nearest)
        entry = (
            self._knowledge.entries.get(self._index.candidates[ranked[0]].id) if ranked else None
        )
        return entry.provisions[:MAX_PROVISIONS] if entry else ()

    def _looked_up(self, result: SearchResult, lookup: Lookup) -> SearchResult:
        confidence = max(result.confidence, EXACT)
        result = replace(result, lookup=lookup, confidence=confidence, reason=Reason.NAMED)
        match lookup.kind:
            case LookupKind.PROVISION:
                best = lookup.ids[0] if lookup.ids else None
                outcome = Outcome.ANSWER if best else Outcome.NO_ANSWER
                return replace(
                    result, outcome=outcome, best=best, topic="plan-content", services=(),
                    provisions=lookup.ids, situation=None,
                )  # fmt: skip
            case LookupKind.HOTLINE:
                services = self._answering(lookup.ids[0])
                return replace(
                    result, outcome=Outcome.ANSWER, topic="service-info", services=services,
                    best=services[0] if services else None,
                )  # fmt: skip
            case LookupKind.SERVICE:
                entry = self._knowledge.entries[lookup.ids[0]]
                topic = entry.topic or "service-info"
                services = tuple(dict.fromkeys((entry.id, *entry.services)))[:MAX_SERVICES]
                return replace(
                    result, outcome=Outcome.ANSWER, topic=topic, best=entry.id, services=services
                )
            case _:
                return replace(result, outcome=Outcome.ANSWER)

    def _written(self, result: SearchResult, number: int, scores: Scores) -> SearchResult:
        """Answer with the candidate that has the question among its phrasings."""
        candidate = self._index.candidates[number]
        others = tuple(hit for hit in result.hits if hit.id != candidate.id)
        result = replace(
            result,
            topic=candidate.topic or "service-info",
            scope=Scope.LEGAL,
            confidence=max(result.confidence, EXACT),
            hits=(self._hit(number, scores), *others)[:SHOWN_HITS],
        )
        return self._answer(result, number, Reason.WRITTEN)

    def _answering(self, number: str) -> tuple[str, ...]:
        """Return the services whose own number this is, the one named after it first."""
        services = [
            e for e in self._knowledge.entries.values()
            if e.kind is Kind.SERVICE and number in e.hotlines
        ]  # fmt: skip
        services.sort(key=lambda e: (number not in e.title, e.hotlines.index(number)))
        return tuple(e.id for e in services[:MAX_SERVICES])

    def _hit(self, number: int, scores: Scores) -> Hit:
        return Hit(
            id=self._index.candidates[number].id,
            score=float(scores.fused[number]),
            lexical=float(scores.lexical[number]),
            dense=float(scores.dense[number]),
            prior=float(scores.prior[number]),
        )


def _bare(folded: str) -> str:
    """Return the words alone, so that a comma more or less is the same question."""
    return "".join(c for c in folded if c.isalnum())


def _fuse(weights: Weights, lexical: Floats, dense: Floats, prior: Floats) -> Floats:
    fused = weights.lexical * lexical + weights.dense * dense + weights.prior * prior
    result: Floats = fused.astype(np.float32)
    return result


def _scaled(probabilities: Floats) -> Floats:
    """Log probabilities on a scale of 0 (`SMALLEST` or less) to 1 (certain)."""
    logs = np.log(np.maximum(probabilities, SMALLEST)) / np.log(SMALLEST)
    scaled: Floats = (1 - logs).astype(np.float32)
    return scaled


def _softmax(scores: Floats) -> Floats:
    powers = np.exp(scores - scores.max())
    shares: Floats = powers / powers.sum()
    return shares
