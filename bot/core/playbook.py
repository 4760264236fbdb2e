"""Everything `decide` needs to know besides the session and the event.

Built once for each bundle from its knowledge, wording and rules; frozen afterwards.
"""

from __future__ import annotations

import re
import string
from collections.abc import Mapping
from dataclasses import field
from datetime import date
from functools import lru_cache
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from bot.core.danger import DangerKind, DangerModel, DangerRules
from kb.statute_files import StatuteArticle
from kb.types import Basis, Entry, Kind, Knowledge, Office, Place, Provision
from kb.value import value
from kb.yamlfile import explain
from retrieval.normalise import fold
from retrieval.types import CALM

MAX_REMEMBERED = 20_000
"""Citations kept ready; a day's worth of all sources, imported statutes included."""
DIALECT = "wording/dialect"
"""Not said by the bot: it normalises questions (`retrieval.normalise.Dialect`)."""


class PlaybookError(ValueError):
    """Wording or rules cannot be used; the message names the file and the key."""


# -- shapes of the files ---------------------------------------------------------


@value
class WordingFile:
    wording: dict[str, str]


@value
class DangerTopicShape:
    cue: str | None = None
    topic: str


@value
class DangerKindShape:
    id: str
    numbers: tuple[str, ...]
    services: tuple[str, ...]
    topics: tuple[DangerTopicShape, ...]
    always: tuple[str, ...] = ()


@value
class DangerFile:
    threshold: Annotated[float, Field(gt=0, lt=1)]
    kinds: tuple[DangerKindShape, ...]


@value
class PhraseShape:
    """``whole`` patterns have to match the whole message, ``within`` any part of it."""

    whole: tuple[str, ...] = ()
    within: tuple[str, ...] = ()
    longest: int = 40
    """Characters; a longer message is never taken for this phrase."""


@value
class PhraseFile:
    phrases: dict[str, PhraseShape]


Hours = Annotated[float, Field(gt=0, le=24 * 366)]
Count = Annotated[int, Field(gt=0)]


@value
class HandoffRules:
    """Numbers of the desk; `kb/rules/handoff.yaml` says what each is for."""

    silence_hours: Hours
    citizen_silence_hours: Hours
    due_hours: dict[str, Hours]
    urgent_due_hours: Hours
    tickets_per_conversation_per_day: Count
    tickets_per_address_per_day: Count
    consent_version: str


@value
class Operator:
    """Who runs this installation; all empty until the operator fills DATA/kb/operator.yaml."""

    name: str = ""
    promise_reply_hours: Hours | None = None
    """If set, citizens are told this time; otherwise no time is promised."""


@value
class Phrase:
    whole: re.Pattern[str] | None
    within: re.Pattern[str] | None
    longest: int

    def matches(self, bare: str) -> bool:
        """Whether ``bare`` (folded, without punctuation at the ends) is this phrase."""
        if len(bare) > self.longest:
            return False
        if self.whole is not None and self.whole.fullmatch(bare):
            return True
        return self.within is not None and self.within.search(bare) is not None


@value
class CitationDetail:
    """A citation opened in full."""

    id: str
    title: str
    note: str
    paragraphs: tuple[str, ...]


_TOWN_ENDING = re.compile("(?<=..)(?:街道|镇|乡)$")
_POLITE = re.compile(r"^(?:那|麻烦)?(?:请问|我?想?问)(?:一?下|一哈)?[,，:： ]?(?=..)")
"""What stands before a question and changes nothing of it."""
_ENDS = re.compile(r"^[\W_]+|[\W_]+$")


@lru_cache(maxsize=64)  # twenty phrases are compared with the same message
def bare(folded: str) -> str:
    """Return ``folded`` without punctuation and spaces at its ends."""
    return _ENDS.sub("", folded)


@value
class Playbook:
    """Knowledge, wording and rules, ready to be used."""

    knowledge: Knowledge
    wording: Mapping[str, str]
    danger: DangerRules
    phrases: Mapping[str, Phrase]
    handoff: HandoffRules
    operator: Operator
    approved: bool
    """Whether an operator has approved every entry."""
    bundle: str = ""
    statutes: Mapping[str, StatuteArticle] = field(default_factory=dict)
    """Articles that the operator has imported in full, by citation id."""
    place_names: tuple[tuple[str, str], ...] = field(default=())
    """(folded name or alias, place id), longest first."""
    _cited: dict[tuple[str, date], CitationDetail | None] = field(default_factory=dict)
    """What `cite` has given before: the same source is cited in many answers."""

    def say(self, key: str, **values: object) -> str:
        """Return the wording ``key`` with ``values`` filled in. Raises `PlaybookError`."""
        try:
            return self.wording[key].format(**values)
        except (KeyError, IndexError) as error:
            raise PlaybookError(f"kb/wording：“{key}”缺少 {error}") from error

    def is_phrase(self, name: str, folded: str) -> bool:
        """Whether the message is the phrase ``name`` of kb/rules/phrases.yaml."""
        phrase, words = self.phrases[name], bare(folded)
        return phrase.matches(words) or phrase.matches(_POLITE.sub("", words))

    def entry(self, id_: str | None, on: date | None = None) -> Entry | None:
        """Return the entry ``id_``; with ``on`` only if it is valid on that day."""
        entry = self.knowledge.entries.get(id_) if id_ else None
        if entry is None or on is None:
            return entry
        late = entry.valid_to is not None and on > entry.valid_to
        early = entry.valid_from is not None and on < entry.valid_from
        return None if late or early else entry

    def titled(self, id_: str) -> tuple[str, str] | None:
        """Return the topic and the title of an entry or a provision, to be offered by name."""
        if entry := self.entry(id_):
            return entry.topic or "", entry.title
        provision = self.knowledge.provisions.get(id_)
        return ("plan-content", provision.title or provision.heading) if provision else None

    def is_citable(self, basis: Basis, on: date) -> bool:
        """Whether the law of ``basis`` is in force on that day."""
        law = self.knowledge.laws.get(basis.law)
        if law is None or (law.repealed_on is not None and law.repealed_on <= on):
            return False
        return law.effective is None or law.effective <= on

    def locate(self, folded: str) -> tuple[Place, str] | None:
        """Return the most exact known place that ``folded`` names, and the name as written."""
        found = [
            (self.knowledge.places[id_], name) for name, id_ in self.place_names if name in folded
        ]
        order = {"town": 0, "county": 1, "city": 2}
        return min(found, key=lambda pair: order.get(pair[0].level, 3), default=None)

    def find_place(self, folded: str) -> Place | None:
        """Return the most exact known place that ``folded`` names, or None."""
        located = self.locate(folded)
        return located[0] if located else None

    def find_town(self, folded: str, county: str | None = None) -> Place | None:
        """Return the town that an answer to "which town?" names, without its 镇 or 街道 too.

        Only for such answers: 安居 and 太平 are ordinary words elsewhere. With ``county`` only
        a town that lies in it.
        """
        found = [
            (place, name)
            for place in self.knowledge.places.values()
            if place.level == "town" and county in (None, place.parent)
            for name in (place.name, *place.aliases)
            if _TOWN_ENDING.sub("", fold(name)) in folded
        ]
        return max(found, key=lambda pair: len(pair[1]), default=(None, ""))[0]

    def county_of(self, place: Place | None) -> Place | None:
        """Return the county-level place that ``place`` is or lies in, or None."""
        while place is not None and place.level != "county":
            place = self.knowledge.places.get(place.parent) if place.parent else None
        return place

    def offices(self, service: str, place: str | None) -> tuple[Office, ...]:
        """Return the operator's offices for ``service`` in ``place``, its county or the city.

        The nearest level that has any counts; without a place, only those of the whole city.
        """
        own = [o for o in self.knowledge.offices if o.service == service]
        here = self.knowledge.places.get(place or "suizhou")
        while own and here is not None:
            found = tuple(o for o in own if o.place == here.id)
            if found:
                return found
            here = self.knowledge.places.get(here.parent or "")
        return ()

    def counties(self) -> tuple[Place, ...]:
        return tuple(p for p in self.knowledge.places.values() if p.level == "county")

    def cite(self, id_: str, as_of: date) -> CitationDetail | None:
        """Return the citation ``id_`` in full, or None when there is no such source."""
        key = (id_, as_of)
        if key not in self._cited:
            if len(self._cited) >= MAX_REMEMBERED:
                self._cited.clear()
            self._cited[key] = self._cite(id_, as_of)
        return self._cited[key]

    def _cite(self, id_: str, as_of: date) -> CitationDetail | None:
        if id_.startswith("law/"):
            return self._cite_article(id_, as_of)
        provision = self.knowledge.provisions.get(id_)
        if provision is not None:
            document = self.knowledge.documents[provision.document]
            title = self.say(
                "cite.provision_title",
                document=document.title,
                label=self.provision_label(provision),
                heading=provision.heading,
            )
            place = " · ".join(part for part in (provision.chapter, provision.section) if part)
            body = f"{provision.heading}。{provision.text}"
            note = self.document_note(provision.document, as_of)
            return CitationDetail(
                id=id_, title=title, note=note, paragraphs=(place, *body.split("\n"))
            )
        entry = self.knowledge.entries.get(id_)
        if entry is None:
            return None
        kind = "cite.service_note" if entry.kind is Kind.SERVICE else "cite.situation_note"
        paragraphs = (entry.answer.text, *(s.text for f in entry.facets.values() for s in f))
        note = self.say(kind, verified=_day(entry.verified_on))
        if not entry.approved_by:
            note += self.say("note.not_approved")
        return CitationDetail(id=id_, title=entry.title, note=note, paragraphs=paragraphs)

    def provision_label(self, provision: Provision) -> str:
        """The number as it is cited: （三十）, or 第13条 where the document writes `13.`."""
        if self.knowledge.documents[provision.document].numbering == "chinese":
            return provision.label
        return self.say("cite.provision_number", number=provision.number)

    def document_note(self, document_id: str, as_of: date) -> str:
        """What is said beside every quotation of a city document: until when it ran."""
        document = self.knowledge.documents[document_id]
        key = "cite.document_ended" if as_of > document.valid_to else "cite.document_running"
        return self.say(key, until=document.valid_to.year)

    def article_note(self, law_name: str, as_of: date) -> str:
        """Which version of a law is cited, and whether it is still in force."""
        law = self.knowledge.laws[law_name]
        if law.repealed_on and law.repealed_on <= as_of:
            return self.say("cite.law_repealed", day=_day(law.repealed_on), by=law.repealed_by)
        if law.effective is None:
            return self.say("cite.law_undated", verified=_day(law.verified_on))
        return self.say(
            "cite.law_version", effective=_day(law.effective), verified=_day(law.verified_on)
        )

    def _cite_article(self, id_: str, as_of: date) -> CitationDetail | None:
        """Our own words for a cited article, and its full text where it was imported."""
        article, full = self.knowledge.articles.get(id_), self.statutes.get(id_)
        if article is not None and article.law in self.knowledge.laws:
            law, number = article.law, article.article
            note = self.article_note(law, as_of)
            paragraphs = [article.gist]
        elif full is not None:
            law, number = full.law, full.article
            note = self._imported_note(full)
            paragraphs = []
        else:
            return None
        if full is not None:
            paragraphs += [self.say("cite.full_text"), *full.text.split("\n")]
        else:
            paragraphs.append(self.say("cite.official_text"))
        title = self.say("cite.article_title", law=law, article=number)
        return CitationDetail(id=id_, title=title, note=note, paragraphs=tuple(paragraphs))

    def _imported_note(self, article: StatuteArticle) -> str:
        if article.effective is None:
            return self.say("cite.imported_undated", status=article.status)
        return self.say("cite.imported", status=article.status, effective=_day(article.effective))


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


# -- building ---------------------------------------------------------------------


def build_playbook(
    knowledge: Knowledge,
    documents: Mapping[str, Any],
    danger_model: DangerModel,
    bundle: str = "",
    statutes: Mapping[str, StatuteArticle] | None = None,
) -> Playbook:
    """Return the playbook of a bundle.

    ``documents`` are the YAML files of `wording/`, `rules/` and `operator.yaml` by name
    without ending (`wording/replies`, `rules/danger`). Raises `PlaybookError`.
    """
    wording: dict[str, str] = {}
    for name, data in documents.items():
        if name.startswith("wording/") and name != DIALECT:
            wording.update(_parse(name, data, WordingFile).wording)
    for key, text in wording.items():
        try:
            list(string.Formatter().parse(text))
        except ValueError as error:
            raise PlaybookError(f"kb/wording：“{key}”里的大括号没有成对：{error}") from error
    danger = _parse("rules/danger", documents.get("rules/danger"), DangerFile)
    for kind in danger.kinds:  # the one thing that must never fail when it is needed
        if f"danger.{kind.id}" not in wording:
            raise PlaybookError(f"kb/wording 缺少 danger.{kind.id}（kb/rules/danger.yaml）")
    unknown = set(danger_model.classes) - {CALM, *(kind.id for kind in danger.kinds)}
    if unknown:
        raise PlaybookError(f"kb/rules/danger.yaml 缺少 {'、'.join(sorted(unknown))}")
    phrases = _parse("rules/phrases", documents.get("rules/phrases"), PhraseFile)
    names = sorted(
        {
            (fold(name), place.id)
            for place in knowledge.places.values()
            for name in (place.name, *place.aliases)
        },
        key=lambda pair: (-len(pair[0]), pair),
    )
    return Playbook(
        knowledge=knowledge,
        wording=wording,
        danger=DangerRules(
            kinds=tuple(map(_danger_kind, danger.kinds)),
            threshold=danger.threshold,
            model=danger_model,
        ),
        phrases={name: _phrase(name, shape) for name, shape in phrases.phrases.items()},
        handoff=_parse("rules/handoff", documents.get("rules/handoff"), HandoffRules),
        operator=_parse("operator", documents.get("operator") or {}, Operator),
        approved=bool(knowledge.entries) and all(e.approved_by for e in knowledge.entries.values()),
        bundle=bundle,
        statutes=statutes if statutes is not None else {},
        place_names=tuple(names),
    )


def _parse(name: str, data: Any, shape: Any) -> Any:
    if data is None:
        raise PlaybookError(f"缺少 kb/{name}.yaml")
    try:
        return TypeAdapter(shape).validate_python(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise PlaybookError(f"kb/{name}.yaml 读不懂：{explain(first)}") from error


def _patterns(where: str, patterns: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    compiled = []
    for pattern in patterns:
        try:
            compiled.append(re.compile(pattern))
        except re.error as error:
            raise PlaybookError(f"kb/rules/{where}：“{pattern}”写错了：{error}") from error
    return tuple(compiled)


def _danger_kind(shape: DangerKindShape) -> DangerKind:
    where = f"danger: {shape.id}"
    if not shape.topics or shape.topics[-1].cue is not None:
        raise PlaybookError(f"kb/rules/{where}：最后一个 topics 不能有 cue，它是默认主题")
    topics = tuple(
        (_patterns(where, (t.cue,))[0] if t.cue is not None else None, t.topic)
        for t in shape.topics
    )
    return DangerKind(
        id=shape.id,
        numbers=shape.numbers,
        services=shape.services,
        topics=topics,
        always=_patterns(where, shape.always),
    )


def _phrase(name: str, shape: PhraseShape) -> Phrase:
    where = f"phrases: {name}"

    def joined(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
        if not patterns:
            return None
        _patterns(where, patterns)  # names the one that is wrong
        return re.compile("|".join(f"(?:{p})" for p in patterns))

    return Phrase(whole=joined(shape.whole), within=joined(shape.within), longest=shape.longest)
