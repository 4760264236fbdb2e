"""The values of the knowledge base. `kb/README.md` is the list of the words used here.

Nothing in this module does I/O. Every text is simplified Chinese as a citizen reads it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import date
from enum import StrEnum
from typing import Literal

from kb.value import value


class Kind(StrEnum):
    """What an entry is."""

    SITUATION = "situation"
    SERVICE = "service"
    PROVISION = "provision"


class Facet(StrEnum):
    """The parts of an entry, in the order in which an editor writes them.

    A citizen can ask for most of them by name (要带什么, 收费吗, 多久).
    """

    STEPS = "steps"
    WHERE = "where"
    BRING = "bring"
    EVIDENCE = "evidence"
    COST = "cost"
    TIME = "time"
    WHO = "who"
    HELP = "help"
    REFUSED = "refused"
    DONT = "dont"
    EXCEPTIONS = "exceptions"


@value
class Basis:
    """An article of a law, as one statement cites it.

    ``law`` is the full name without 中华人民共和国.
    """

    law: str
    article: str

    @property
    def id(self) -> str:
        """The citation id of the contract, `law/NAME/ARTICLE`."""
        return f"law/{self.law}/{self.article}"

    @property
    def label(self) -> str:
        """As a citizen reads it: 《劳动合同法》第十条."""
        return f"《{self.law}》{self.article}"


@value
class Statement:
    """One sentence that a citizen reads, with the law behind it.

    ``practice`` is the reason why a number in the sentence stands in no article.
    """

    text: str
    basis: tuple[Basis, ...] = ()
    practice: str | None = None


@value
class Topic:
    """What a trouble is about.

    ``default`` are the services named first when nothing says otherwise.
    """

    id: str
    name: str
    default: tuple[str, ...] = ()


@value
class Hotline:
    """A national number with its exact purpose."""

    number: str
    name: str
    purpose: str
    not_for: str = ""
    dial: bool = True
    """False for numbers that cannot be called (12381 only sends text messages)."""


@value
class Entry:
    """A service or a situation: what the bot can say about one thing.

    ``facets`` maps a facet to its statements; a facet that is not there has nothing to say.
    ``must_mention`` are points that have to be in the first answer, each a text that
    occurs in it, with alternatives separated by ``|``.
    """

    id: str
    kind: Kind
    title: str
    answer: Statement
    topic: str | None = None
    facets: Mapping[Facet, tuple[Statement, ...]] = field(default_factory=dict)
    hotlines: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    provisions: tuple[str, ...] = ()
    must_mention: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()
    handoff: tuple[str, ...] = ()
    """Kinds of ticket that fit: legal_aid, mediation, consult, report."""
    owner: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    verified_on: date
    review_by: date
    approved_by: str | None = None
    source: str = ""
    """File and line it was read from, for messages to the editor."""

    def statements(self) -> tuple[Statement, ...]:
        """Every sentence of the entry, the answer first."""
        return (self.answer, *(s for facet in self.facets.values() for s in facet))


@value
class Document:
    """One of the three city documents, and how `kb.sources` recognises it in the source.

    ``opens_with`` are the first characters of its first line; ``title_line`` says whether
    that line is the title (or already the preamble); ``numbering`` is `chinese` for
    （一）（二）… and `arabic` for 1. 2. …
    """

    id: str
    title: str
    valid_from: date
    valid_to: date
    opens_with: str
    title_line: bool
    numbering: Literal["chinese", "arabic"]


@value
class Provision:
    """A numbered provision of a document, with what an editor added to find it.

    ``text`` is normalised (see `kb.sources`); ``original`` is as received.
    ``facts`` are the numbers, years and bodies in it, each a quotation of ``text``.
    """

    id: str
    document: str
    number: int
    label: str
    """The number as printed: （十三） or 13."""
    chapter: str
    section: str
    heading: str
    text: str
    original: str
    title: str = ""
    summary: str = ""
    facts: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    phrasings: tuple[str, ...] = ()


@value
class LawVersion:
    """A law in the version that is in force, and who looked it up when."""

    name: str
    category: str
    effective: date | None
    """None where the database gives no date; then the citation says so."""
    short: str = ""
    verified_on: date
    repealed_on: date | None = None
    repealed_by: str = ""


@value
class Article:
    """A cited article: our own words for what it says, and what the checker needs of its text."""

    law: str
    article: str
    gist: str
    quantities: tuple[str, ...] = ()
    """Numbers with units that occur in the official text, such as `60 日`."""
    digest: str = ""
    """First 16 hex digits of the SHA-256 of the official text that was read."""


@value
class Place:
    """A county-level area, town, street or zone, with the names people use for it."""

    id: str
    name: str
    level: str
    """city, county or town."""
    parent: str | None = None
    aliases: tuple[str, ...] = ()


@value
class Office:
    """Where a service is found in one place: the operator's own facts, never shipped."""

    service: str
    place: str
    """Id of a county or town."""
    name: str
    address: str = ""
    phone: str = ""
    hours: str = ""
    verified_on: date


@value
class Knowledge:
    """All that the bot knows, as loaded from YAML: the input of the bundle."""

    topics: Mapping[str, Topic]
    hotlines: Mapping[str, Hotline]
    entries: Mapping[str, Entry]
    documents: Mapping[str, Document]
    provisions: Mapping[str, Provision]
    laws: Mapping[str, LawVersion]
    articles: Mapping[str, Article]
    """By citation id, `law/NAME/ARTICLE`."""
    places: Mapping[str, Place]
    offices: tuple[Office, ...] = ()
