"""The values that go into a search and come out of it."""

from __future__ import annotations

from enum import StrEnum

from kb.value import value

CALM = "calm"
"""The class of messages without danger, beside the kinds of kb/rules/danger.yaml."""


class Outcome(StrEnum):
    """What the confidence allows."""

    ANSWER = "answer"
    ASK_BACK = "ask_back"
    NO_ANSWER = "no_answer"


class Scope(StrEnum):
    """Whether the message belongs here at all."""

    LEGAL = "legal"
    NOT_LEGAL = "not_legal"
    EMPTY = "empty"
    """Too little to see what is asked."""


class Reason(StrEnum):
    """Why a search ended as it did, set where it is decided."""

    NAMED = "named"
    """A name, a number or an article was asked for: looked up, whatever the scores."""
    WRITTEN = "written"
    """The question is, word for word, a phrasing of what is answered with."""
    SURE = "sure"
    FOREIGN = "foreign"
    TOO_LITTLE = "too_little"
    UNSURE = "unsure"
    """Of the topic."""
    DOUBTFUL = "doubtful"
    """Sure of the topic, but it may be foreign or say too little."""
    AGAIN = "again"
    """The nearest is what was answered last."""
    CLOSE = "close"
    """Sure of the topic, but two situations are equally near."""
    NO_OTHER = "no_other"
    """There is nothing to choose between."""
    TWO_MATTERS = "two_matters"


class LookupKind(StrEnum):
    """What was asked for by its exact name."""

    ARTICLE = "article"
    PROVISION = "provision"
    HOTLINE = "hotline"
    SERVICE = "service"


@value
class Query:
    """One question with what the conversation already knows."""

    text: str
    """The citizen's words after screening; at most a few thousand characters."""
    place: str | None = None
    topic: str | None = None
    """Topic of the matter that is being talked about."""
    situation: str | None = None
    """What was answered last in it."""
    before: str = ""
    """What the citizen said last in it, for a message that says too little alone (孩子呢)."""


@value
class Hit:
    """One entry or provision with the parts of its score. Scores are in 0..1, higher is better."""

    id: str
    score: float
    lexical: float = 0.0
    dense: float = 0.0
    prior: float = 0.0
    """What the topic classifier adds."""


@value
class Lookup:
    """An exact look-up. ``ids`` are entry, provision or `law/NAME/ARTICLE` ids; may be empty."""

    kind: LookupKind
    asked: str
    ids: tuple[str, ...] = ()


@value
class SearchResult:
    """What was found, how sure it is, and what was rejected. Best first throughout."""

    query: str
    """The question as it was searched, normalised."""
    outcome: Outcome
    scope: Scope
    confidence: float
    """Calibrated probability that ``topic`` is right, 0..1."""
    topic: str
    topics: tuple[tuple[str, float], ...] = ()
    best: str | None = None
    """What to answer with: the id of a situation, a service or a provision."""
    situation: str | None = None
    services: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    hits: tuple[Hit, ...] = ()
    rejected: tuple[Hit, ...] = ()
    statutes: tuple[str, ...] = ()
    """Ids of imported articles on the question, shown apart; they never compete with entries."""
    choices: tuple[str, ...] = ()
    """Ids of situations and provisions to offer when asking back, at most four."""
    lookup: Lookup | None = None
    reason: Reason = Reason.UNSURE
    """Why it ended with this ``outcome``."""
    terms: tuple[str, ...] = ()
    """The terms of the question that carried the lexical score."""
    bundle: str = ""
    seconds: float = 0.0
