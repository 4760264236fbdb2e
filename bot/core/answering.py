"""From a search result to what the citizen reads.

Rules of this module: every sentence is a field of an entry, a quotation of a provision or a
wording of `kb/wording/`; nothing is put together from parts of sentences. What is not in the
first answer folds behind a button.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date

from bot.core.choices import Verb, render_choice
from bot.core.playbook import Playbook
from bot.core.quoting import best_sentences
from bot.core.reply import (
    Block,
    BlockKind,
    Button,
    ButtonStyle,
    Citation,
    Judgement,
    Line,
    Reply,
    Status,
    Urgency,
)
from bot.core.session import Matter
from kb.types import Entry, Facet, Kind, Office, Provision, Statement
from retrieval.types import LookupKind, SearchResult

MAX_CITATIONS = 40
"""Citations remembered of one matter, over all its answers."""
MAX_QUOTED = 3
"""Sentences of a provision that are quoted; all of it is behind the citation."""
MAX_LISTED = 5
"""Services and provisions in a judgement."""

# What one button shows: its wording key and the facets behind it.
FOLDS: dict[str, tuple[Facet, ...]] = {
    "bring": (Facet.BRING, Facet.EVIDENCE),
    "cost": (Facet.COST,),
    "time": (Facet.TIME,),
    "where": (Facet.WHERE,),
    "more": (Facet.WHO, Facet.HELP, Facet.REFUSED, Facet.EXCEPTIONS),
}


class Letter:
    """Collects the blocks of one reply and numbers its citations."""

    def __init__(self, playbook: Playbook, matter: Matter, today: date) -> None:
        self._playbook = playbook
        self._today = today
        self._matter = matter
        self._known = list(matter.citations)
        self.blocks: list[Block] = []
        self.citations: list[Citation] = []
        self._numbers: dict[str, int] = {}

    def mark(self, id_: str, quote: str | None = None) -> tuple[int, ...]:
        """Return the mark of the citation ``id_``, adding it; () if there is no such source."""
        if id_ not in self._numbers:
            detail = self._playbook.cite(id_, self._today)
            if detail is None:
                return ()
            index = self._remember(id_)
            number = len(self.citations) + 1
            shown = quote if quote is not None else detail.paragraphs[0]
            choice = render_choice(Verb.CITE, self._matter.id, str(index)) if index >= 0 else ""
            self.citations.append(
                Citation(
                    number=number,
                    id=id_,
                    title=detail.title,
                    quote=shown,
                    note=detail.note,
                    choice=choice,
                )
            )
            self._numbers[id_] = number
        return (self._numbers[id_],)

    def _remember(self, id_: str) -> int:
        if id_ in self._known:
            return self._known.index(id_)
        if len(self._known) >= MAX_CITATIONS:
            return -1
        self._known.append(id_)
        return len(self._known) - 1

    @property
    def matter(self) -> Matter:
        """The matter with the citations of this reply."""
        return replace(self._matter, citations=tuple(self._known))

    def line(self, statement: Statement) -> Line:
        marks = tuple(
            mark
            for basis in statement.basis
            if self._playbook.is_citable(basis, self._today)
            for mark in self.mark(basis.id)
        )
        return Line(text=statement.text, marks=marks)

    def add(self, kind: BlockKind, lines: Iterable[Line | str], heading: str = "") -> None:
        """Add a block, unless it is empty."""
        made = tuple(Line(text=line) if isinstance(line, str) else line for line in lines)
        if made:
            self.blocks.append(Block(kind=kind, heading=heading, lines=made))

    def add_facet(self, facet: Facet, statements: Sequence[Statement]) -> None:
        kind = BlockKind.STEPS if facet is Facet.STEPS else BlockKind.LIST
        heading = self._playbook.say(f"facet.{facet.value}")
        self.add(kind, [self.line(s) for s in statements], heading)

    def reply(self, status: Status, buttons: Sequence[Button]) -> Reply:
        return Reply(
            status=status,
            blocks=tuple(self.blocks),
            citations=tuple(self.citations),
            buttons=tuple(buttons),
        )


def simple_reply(
    status: Status, lines: Sequence[str], buttons: Sequence[Button] = (), lead: bool = False
) -> Reply:
    """Return a short reply of plain lines; ``lead`` makes the first one the lead."""
    blocks: list[Block] = []
    rest = list(lines)
    if lead and rest:
        blocks.append(Block(kind=BlockKind.LEAD, lines=(Line(text=rest.pop(0)),)))
    if rest:
        blocks.append(Block(kind=BlockKind.TEXT, lines=tuple(Line(text=t) for t in rest)))
    return Reply(status=status, blocks=tuple(blocks), buttons=tuple(buttons))


# -- entries -----------------------------------------------------------------------


def compose_entry(
    entry: Entry,
    matter: Matter,
    playbook: Playbook,
    today: date,
    place: str | None = None,
    statutes: Sequence[str] = (),
) -> tuple[Reply, Matter]:
    """Return the first answer about ``entry``, and the matter with its citations.

    ``place`` is where the person is, if known: the offices there are named. ``statutes`` are
    imported articles on the question; they stand apart, at the end.
    """
    letter = Letter(playbook, matter, today)
    lead = letter.line(entry.answer)
    letter.mark(entry.id)
    letter.add(BlockKind.LEAD, [replace(lead, marks=(*lead.marks, *letter.mark(entry.id)))])
    for facet in (Facet.STEPS, Facet.TIME, Facet.DONT):
        if facet is Facet.DONT and entry.kind is Kind.SERVICE:
            heading = playbook.say("facet.not_for")
            lines = [letter.line(s) for s in entry.facets.get(facet, ())]
            letter.add(BlockKind.LIST, lines, heading)
        else:
            letter.add_facet(facet, entry.facets.get(facet, ()))
    whom = _whom(entry, matter.services, playbook, place)
    letter.add(BlockKind.LIST, whom, playbook.say("answer.whom"))
    related = [
        Line(
            text=playbook.say("answer.provision", heading=p.heading),
            marks=letter.mark(p.id, p.text),
        )
        for id_ in entry.provisions[:2]
        if (p := playbook.knowledge.provisions.get(id_))
    ]
    letter.add(BlockKind.NOTE, related)
    articles = [
        Line(text=playbook.say("answer.also", title=detail.title), marks=letter.mark(id_))
        for id_ in statutes
        if (detail := playbook.cite(id_, today))
    ]
    letter.add(BlockKind.LIST, articles, playbook.say("answer.statutes"))
    if today > entry.review_by:
        letter.add(BlockKind.NOTE, [playbook.say("note.overdue")])
    return letter.reply(Status.ANSWERED, _entry_buttons(entry, matter.id, playbook)), letter.matter


def compose_simple(
    entry: Entry, matter: Matter, playbook: Playbook, today: date
) -> tuple[Reply, Matter]:
    """Return the shortest answer about ``entry``: the first thing to do, and who explains it."""
    letter = Letter(playbook, matter, today)
    letter.add(BlockKind.LEAD, [playbook.say("answer.simply")])
    first = entry.facets.get(Facet.STEPS, (entry.answer,))[:1]
    letter.add(BlockKind.STEPS, [letter.line(statement) for statement in first])
    letter.add(BlockKind.TEXT, playbook.say("answer.explained_by").strip().split("\n"))
    buttons = [call_button("12348", playbook), *_entry_buttons(entry, matter.id, playbook)]
    return letter.reply(Status.ANSWERED, buttons), letter.matter


def compose_fold(
    entry: Entry,
    fold: str,
    matter: Matter,
    playbook: Playbook,
    today: date,
    place: str | None = None,
) -> tuple[Reply, Matter]:
    """Return what stands behind one button of ``entry``; see `compose_entry`."""
    letter = Letter(playbook, matter, today)
    letter.add(BlockKind.TEXT, [playbook.say("answer.about", title=entry.title)])
    found = False
    for facet in FOLDS[fold]:
        statements = entry.facets.get(facet, ())
        letter.add_facet(facet, statements)
        found = found or bool(statements)
    if fold == "where" or not found:
        whom = _whom(entry, matter.services, playbook, place)
        letter.add(BlockKind.LIST, whom, playbook.say("answer.whom"))
    if not found:
        letter.blocks[0] = Block(
            kind=BlockKind.TEXT,
            lines=(Line(text=playbook.say("answer.nothing", title=entry.title)),),
        )
    return letter.reply(Status.ANSWERED, _entry_buttons(entry, matter.id, playbook)), letter.matter


def _whom(
    entry: Entry, services: Sequence[str], playbook: Playbook, place: str | None
) -> list[str]:
    """Lines that say whom to turn to: the offices, then the numbers with their purpose."""
    lines = []
    for id_ in dict.fromkeys((*itself(entry), *services[:3])):
        service = playbook.entry(id_)
        if service is None:
            continue
        offices = playbook.offices(id_, place)
        if not offices and service.id != entry.id:
            lines.append(playbook.say("answer.service", name=service.title))
        lines += [_office(office, playbook) for office in offices]
    for number in entry.hotlines:
        hotline = playbook.knowledge.hotlines[number]
        key = "answer.hotline" if hotline.dial else "answer.platform"
        lines.append(playbook.say(key, number=number, name=hotline.name, purpose=hotline.purpose))
    return lines


def _office(office: Office, playbook: Playbook) -> str:
    """One line with what is known of an office, and when it was looked up."""
    known = (
        ("answer.office_address", office.address),
        ("answer.office_phone", office.phone),
        ("answer.office_hours", office.hours),
    )
    parts = [playbook.say(key, value=text) for key, text in known if text]
    verified = office.verified_on
    day = f"{verified.year}年{verified.month}月{verified.day}日"
    return playbook.say("answer.office", name=office.name, parts="，".join(parts), verified=day)


def _entry_buttons(entry: Entry, matter: int, playbook: Playbook) -> list[Button]:
    buttons = [
        Button(choice=render_choice(Verb.FACET, matter, fold), label=playbook.say(f"button.{fold}"))
        for fold, facets in FOLDS.items()
        if any(f in entry.facets for f in facets)
    ]
    kinds = entry.handoff or ("legal_aid",)
    return buttons + handoff_buttons(matter, playbook, kinds) + [rephrase_button(matter, playbook)]


def handoff_buttons(
    matter: int | None, playbook: Playbook, kinds: Sequence[str] = ()
) -> list[Button]:
    """Return the buttons that lead to a person; `consult` is always among them."""
    wanted = [k for k in ("legal_aid", "mediation", "report") if k in kinds] + ["consult"]
    return [
        Button(
            choice=render_choice(Verb.HANDOFF, matter, kind),
            label=playbook.say(f"button.{kind}"),
            style=ButtonStyle.PRIMARY,
        )
        for kind in wanted
    ]


def rephrase_button(matter: int | None, playbook: Playbook) -> Button:
    return Button(
        choice=render_choice(Verb.REPHRASE, matter), label=playbook.say("button.rephrase")
    )


def call_button(number: str, playbook: Playbook) -> Button:
    return Button(
        choice="", label=playbook.say("button.call", number=number), style=ButtonStyle.DANGER,
        call=number,
    )  # fmt: skip


# -- provisions and look-ups ---------------------------------------------------------


def compose_provision(
    provision: Provision, question: str, others: Sequence[str], matter: Matter,
    playbook: Playbook, today: date,
) -> tuple[Reply, Matter]:  # fmt: skip
    """Return an answer out of a city document: what it says, quoted, and that it has run out.

    Without a ``question`` (it was asked for by its number) all of it is quoted.
    """
    letter = Letter(playbook, matter, today)
    lead = provision.summary or provision.heading
    document = playbook.knowledge.documents[provision.document]
    body = f"{provision.heading}。{provision.text}"
    mark = letter.mark(provision.id, body)
    letter.add(BlockKind.LEAD, [Line(text=lead, marks=mark)])
    quoted = best_sentences(body, question, MAX_QUOTED) if question else body.split("\n")
    source = playbook.say(
        "answer.quoted", document=document.title, label=playbook.provision_label(provision)
    )
    letter.add(BlockKind.QUOTE, [Line(text=s, marks=mark) for s in quoted], source)
    letter.add(BlockKind.NOTE, [playbook.document_note(provision.document, today)])
    related = [
        Line(text=playbook.say("answer.also", title=p.title or p.heading), marks=letter.mark(p.id))
        for id_ in others[:2]
        if (p := playbook.knowledge.provisions.get(id_)) and p.id != provision.id
    ]
    letter.add(BlockKind.LIST, related, playbook.say("answer.related") if related else "")
    buttons = [
        Button(choice=render_choice(Verb.SHOW, matter.id, service.id), label=service.title)
        for id_ in provision.services[:3]
        if (service := playbook.entry(id_))
    ]
    buttons += [*handoff_buttons(matter.id, playbook), rephrase_button(matter.id, playbook)]
    return letter.reply(Status.ANSWERED, buttons), letter.matter


def compose_lookup(
    result: SearchResult, matter: Matter, playbook: Playbook, today: date
) -> tuple[Reply, Matter] | None:
    """Return the answer to an exact look-up of an article or a number, or None if it is none."""
    lookup = result.lookup
    if lookup is None or lookup.kind not in (LookupKind.ARTICLE, LookupKind.HOTLINE):
        return None
    letter = Letter(playbook, matter, today)
    buttons = [*handoff_buttons(matter.id, playbook), rephrase_button(matter.id, playbook)]
    if lookup.kind is LookupKind.HOTLINE:
        for number in lookup.ids:
            hotline = playbook.knowledge.hotlines[number]
            key = "answer.hotline" if hotline.dial else "answer.platform"
            text = playbook.say(key, number=number, name=hotline.name, purpose=hotline.purpose)
            letter.add(BlockKind.LEAD, [text])
            if hotline.not_for:
                letter.add(BlockKind.TEXT, [playbook.say("answer.not_for", what=hotline.not_for)])
        if result.services and (service := playbook.entry(result.services[0])):
            choice = render_choice(Verb.SHOW, matter.id, service.id)
            buttons.insert(0, Button(choice=choice, label=service.title))
        return letter.reply(Status.ANSWERED, buttons), letter.matter
    details = [(id_, d) for id_ in lookup.ids if (d := playbook.cite(id_, today))]
    if not details:
        text = playbook.say("lookup.article_unknown", asked=lookup.asked)
        letter.add(BlockKind.LEAD, [text])
        return letter.reply(Status.UNANSWERABLE_NOT_COVERED, buttons), letter.matter
    for id_, detail in details:
        mark = letter.mark(id_)
        letter.add(BlockKind.LEAD, [Line(text=detail.title, marks=mark)])
        letter.add(BlockKind.TEXT, detail.paragraphs)
        letter.add(BlockKind.NOTE, [detail.note])
    return letter.reply(Status.ANSWERED, buttons), letter.matter


# -- when there is no answer -----------------------------------------------------------


def compose_ask_back(
    result: SearchResult, matter: int | None, playbook: Playbook
) -> tuple[Reply, tuple[str, ...]]:
    """Return the question back with its choices, and the ids that are offered."""
    offered = [(id_, *named) for id_ in result.choices if (named := playbook.titled(id_))]
    one_topic = len({topic for _, topic, _ in offered}) == 1
    status = Status.CLARIFY_DETAIL if one_topic else Status.CLARIFY_TOPIC
    key = "clarify.detail" if one_topic else "clarify.topic"
    buttons = [
        Button(choice=render_choice(Verb.SHOW, matter, id_), label=title)
        for id_, _, title in offered
    ]
    none = render_choice(Verb.NONE, matter)
    buttons.append(Button(choice=none, label=playbook.say("button.none_of_these")))
    buttons += handoff_buttons(matter, playbook)
    block = Block(kind=BlockKind.STEPS, lines=tuple(Line(text=title) for *_, title in offered))
    lead = Block(kind=BlockKind.LEAD, lines=(Line(text=playbook.say(key)),))
    reply = Reply(status=status, blocks=(lead, block), buttons=tuple(buttons))
    return reply, tuple(id_ for id_, *_ in offered)


def compose_no_answer(services: Sequence[str], matter: Matter | None, playbook: Playbook) -> Reply:
    """Return the nearest route where nothing covers the question: an office, 12348, a person."""
    offered = [e for id_ in services[:3] if (e := playbook.entry(id_))]
    matter_id = matter.id if matter else None
    lines = [playbook.say("answer.service", name=e.title) for e in offered]
    blocks = [Block(kind=BlockKind.LEAD, lines=(Line(text=playbook.say("none.not_covered")),))]
    if lines:
        heading = playbook.say("none.nearest")
        blocks.append(
            Block(
                kind=BlockKind.LIST, heading=heading, lines=tuple(Line(text=line) for line in lines)
            )
        )
    blocks.append(Block(kind=BlockKind.TEXT, lines=(Line(text=playbook.say("none.hotline")),)))
    buttons = [
        Button(choice=render_choice(Verb.SHOW, matter_id, e.id), label=e.title) for e in offered
    ]
    buttons += [call_button("12348", playbook)]
    buttons += [*handoff_buttons(matter_id, playbook), rephrase_button(matter_id, playbook)]
    return Reply(
        status=Status.UNANSWERABLE_NOT_COVERED, blocks=tuple(blocks), buttons=tuple(buttons)
    )


def services_of(entry: Entry, result: SearchResult) -> tuple[str, ...]:
    """Return where to go, best first: as the search weighed it, then what ``entry`` names."""
    return tuple(dict.fromkeys((*itself(entry), *result.services, *entry.services)))


def itself(entry: Entry) -> tuple[str, ...]:
    """Return the id of ``entry`` if it is a service, and so a place to go to."""
    return (entry.id,) if entry.kind is Kind.SERVICE else ()


def judge(
    status: Status, result: SearchResult, urgency: Urgency, entry: Entry | None = None,
    handoff: str | None = None,
) -> Judgement:  # fmt: skip
    """Return what the contract reports for a search result and the entry that was shown."""
    services = result.services
    provisions = result.provisions
    situation = result.situation
    if entry is not None:
        services = services_of(entry, result)
        provisions = tuple(dict.fromkeys((*entry.provisions, *provisions)))
        situation = entry.id if entry.kind is Kind.SITUATION else None
    return Judgement(
        status=status,
        topic=result.topic,
        situation=situation,
        services=services[:MAX_LISTED],
        provisions=provisions[:MAX_LISTED],
        urgency=urgency,
        handoff=handoff,
        confidence=result.confidence,
    )
