"""Questions and their answers: searching, asking back, follow-ups, the buttons of answers."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import assert_never

from bot.core.answering import (
    FOLDS,
    MAX_LISTED,
    call_button,
    compose_ask_back,
    compose_entry,
    compose_fold,
    compose_lookup,
    compose_no_answer,
    compose_provision,
    compose_simple,
    handoff_buttons,
    itself,
    judge,
    services_of,
    simple_reply,
)
from bot.core.choices import Choice, Verb, parse_choice
from bot.core.concluding import conclude
from bot.core.effects import Decision, Say, Search
from bot.core.events import MessageReceived, SearchCompleted
from bot.core.matters import earlier_matter, keep_matter, matter_for, new_matter
from bot.core.playbook import Playbook, bare
from bot.core.reply import Block, BlockKind, Judgement, Line, Reply, Status, Urgency
from bot.core.session import Matter, Session, matter_of
from bot.core.ticket_flow import forward_to_staff, talking_ticket
from kb.types import Entry, Kind, Provision
from retrieval.types import Outcome, Query, Scope

MAX_BEFORE = 60
"""Characters of the citizen's earlier words that go along with a short message."""

# -- searching -------------------------------------------------------------------------


def start_search(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    """Ask for a search with what the conversation already knows."""
    located = playbook.locate(event.screened.folded)
    if located is not None:
        place, name = located
        session = replace(session, place=place.id)
        if playbook.is_phrase("only_place", event.screened.folded.replace(name, "")):
            lines = [playbook.say("clarify.place", place=place.name)]
            return conclude(session, event, playbook, simple_reply(Status.CLARIFY_DETAIL, lines))
    matter = matter_of(session, session.current)
    query = Query(
        text=event.screened.text,
        place=session.place,
        topic=matter.topic if matter else None,
        situation=matter.situation if matter else None,
        before=matter.words[-MAX_BEFORE:] if matter else "",
    )
    return Decision(session=session, effects=(Search(query=query),))


def on_search(session: Session, event: SearchCompleted, playbook: Playbook) -> Decision:
    """Turn the search result into an answer, a question back, or the nearest route.

    While staff have the conversation only a sure answer on another matter is given.
    """
    result = event.result
    ticket = talking_ticket(session)
    if ticket is not None and (
        result.outcome is not Outcome.ANSWER or result.topic == ticket.topic
    ):
        return forward_to_staff(session, event, playbook, ticket)
    match result.outcome:
        case Outcome.ANSWER:
            return _on_found(session, event, playbook)
        case Outcome.ASK_BACK:
            return _on_unsure(session, event, playbook)
        case Outcome.NO_ANSWER:
            return _on_nothing(session, event, playbook)
        case _:
            assert_never(result.outcome)


def _urgency(event: SearchCompleted, playbook: Playbook) -> Urgency:
    asks = playbook.is_phrase("deadline", event.screened.folded)
    return Urgency.DEADLINE if asks else Urgency.NORMAL


def _on_found(session: Session, event: SearchCompleted, playbook: Playbook) -> Decision:
    result = event.result
    before = session
    session, matter = matter_for(session, result.topic, event.screened.text)
    matter = replace(matter, situation=result.situation, services=result.services)
    today = event.at.date()
    entry = playbook.entry(result.best, today)
    provision = playbook.knowledge.provisions.get(result.best or "")
    composed = compose_lookup(result, matter, playbook, today)
    if composed is None and provision is not None:
        asked = "" if result.lookup is not None else event.screened.text
        composed = compose_provision(provision, asked, result.provisions, matter, playbook, today)
    if composed is None and entry is not None:
        matter = replace(matter, entry=entry.id, services=services_of(entry, result))
        composed = compose_entry(entry, matter, playbook, today, session.place, result.statutes)
    if composed is None:  # the entry is not valid today
        return _on_nothing(before, event, playbook)
    reply, matter = composed
    notes = [
        playbook.say(key)
        for key, wanted in (
            ("note.truncated", event.screened.truncated),
            ("note.personal", bool(event.screened.personal)),
        )
        if wanted
    ]
    if notes:
        note = Block(kind=BlockKind.NOTE, lines=tuple(Line(text=n) for n in notes))
        reply = replace(reply, blocks=(*reply.blocks, note))
    judgement = judge(reply.status, result, _urgency(event, playbook), entry)
    session = replace(keep_matter(session, matter), choices=())
    return conclude(session, event, playbook, reply, judgement)


def _on_unsure(session: Session, event: SearchCompleted, playbook: Playbook) -> Decision:
    result = event.result
    if not result.choices:
        return _on_nothing(session, event, playbook)
    session, matter = matter_for(session, result.topic, event.screened.text)
    matter = replace(matter, situation=None, services=result.services)
    reply, offered = compose_ask_back(result, matter.id, playbook)
    judgement = judge(reply.status, result, _urgency(event, playbook))
    session = replace(keep_matter(session, matter), choices=offered)
    return conclude(session, event, playbook, reply, judgement)


def _on_nothing(session: Session, event: SearchCompleted, playbook: Playbook) -> Decision:
    result = event.result
    if result.scope is Scope.NOT_LEGAL:
        lines = playbook.say("none.not_legal").strip().split("\n")
        reply = simple_reply(Status.UNANSWERABLE_NOT_LEGAL, lines)
    elif result.scope is Scope.EMPTY:
        lines = playbook.say("clarify.too_little").strip().split("\n")
        buttons = handoff_buttons(session.current, playbook)
        reply = simple_reply(Status.CLARIFY_EMPTY, lines, buttons)
    else:
        session, matter = matter_for(session, result.topic, event.screened.text)
        session = keep_matter(session, replace(matter, entry=None, services=result.services))
        reply = compose_no_answer(result.services, matter, playbook)
    judgement = judge(reply.status, result, _urgency(event, playbook))
    return conclude(replace(session, choices=()), event, playbook, reply, judgement)


# -- what was offered -------------------------------------------------------------------

_ORDINAL = re.compile(r"(?:我?选|第|是)?\s*([1-4一二三四两])\s*(?:个|项|条|号)?(?:吧|的)?")


def on_pick(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Understand `1` or `第二个` as one of the choices that were offered last."""
    if not session.choices:
        return None
    match = _ORDINAL.fullmatch(bare(event.screened.folded))
    if match is None:
        if playbook.is_phrase("none_of_these", event.screened.folded):
            return _none_of_these(session, event, playbook)
        return None
    number = {"一": 1, "二": 2, "两": 2, "三": 3, "四": 4}.get(match[1]) or int(match[1])
    if number > len(session.choices):
        return None
    return _show(session, event, playbook, session.choices[number - 1], session.current)


def on_choice(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Handle the buttons of answers."""
    choice = parse_choice(event.message.choice or "")
    if choice is None:
        return None
    match choice.verb:
        case Verb.FACET if choice.argument in FOLDS:
            matter = matter_of(session, choice.matter)
            entry = playbook.entry(matter.entry) if matter else None
            if matter is None or entry is None:
                return None
            return _show_fold(session, event, playbook, matter, entry, choice.argument)
        case Verb.SHOW:
            return _show(session, event, playbook, choice.argument, choice.matter or None)
        case Verb.NONE:
            return _none_of_these(session, event, playbook)
        case Verb.REPHRASE:
            return _rephrase(session, event, playbook)
        case Verb.CITE:
            return _cite(session, event, playbook, choice)
        case _:
            return None


def stale_choice(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    """A button that means nothing any more."""
    reply = simple_reply(Status.CLARIFY_EMPTY, [playbook.say("choice.stale")])
    return conclude(session, event, playbook, reply)


def _rephrase(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    reply = simple_reply(Status.CLARIFY_TOPIC, [playbook.say("clarify.rephrase")])
    return conclude(replace(session, choices=()), event, playbook, reply)


def _none_of_these(session: Session, event: MessageReceived, playbook: Playbook) -> Decision:
    buttons = [call_button("12348", playbook), *handoff_buttons(session.current, playbook)]
    reply = simple_reply(Status.CLARIFY_DETAIL, [playbook.say("clarify.none_of_these")], buttons)
    return conclude(replace(session, choices=()), event, playbook, reply)


def _show(
    session: Session, event: MessageReceived, playbook: Playbook, id_: str, matter_id: int | None
) -> Decision | None:
    matter = matter_of(session, matter_id)
    if provision := playbook.knowledge.provisions.get(id_):
        return _show_provision(session, event, playbook, provision, matter)
    entry = playbook.entry(id_, event.at.date())
    if entry is None:
        return None
    topic = entry.topic or (matter.topic if matter else "service-info")
    if matter is None:
        session, matter = new_matter(session, topic, event.screened.text)
    own = (*itself(entry), *entry.services)
    matter = replace(matter, topic=topic, entry=entry.id, services=own)
    if entry.kind is Kind.SITUATION:
        matter = replace(matter, situation=entry.id)
    reply, matter = compose_entry(entry, matter, playbook, event.at.date(), session.place)
    judgement = Judgement(
        status=reply.status,
        topic=topic,
        situation=matter.situation,
        services=own[:MAX_LISTED],
        provisions=entry.provisions[:MAX_LISTED],
        confidence=1.0,  # the citizen chose it
    )
    session = replace(keep_matter(session, matter), choices=())
    return conclude(session, event, playbook, reply, judgement)


def _show_provision(
    session: Session, event: MessageReceived, playbook: Playbook, provision: Provision,
    matter: Matter | None,
) -> Decision:  # fmt: skip
    """Quote the provision that was chosen, by what was asked before."""
    topic, asked = "plan-content", matter.words if matter else ""
    if matter is None:
        session, matter = new_matter(session, topic, event.screened.text)
    matter = replace(matter, topic=topic, situation=None)
    reply, matter = compose_provision(provision, asked, (), matter, playbook, event.at.date())
    judgement = Judgement(
        status=reply.status, topic=topic, provisions=(provision.id,), confidence=1.0
    )
    session = replace(keep_matter(session, matter), choices=())
    return conclude(session, event, playbook, reply, judgement)


def _cite(
    session: Session, event: MessageReceived, playbook: Playbook, choice: Choice
) -> Decision | None:
    matter = matter_of(session, choice.matter)
    if matter is None or not choice.argument.isdigit():
        return None
    index = int(choice.argument)
    id_ = matter.citations[index] if index < len(matter.citations) else ""
    detail = playbook.cite(id_, event.at.date())
    if detail is None:
        return None
    blocks = (
        Block(kind=BlockKind.LEAD, lines=(Line(text=detail.title),)),
        Block(kind=BlockKind.QUOTE, lines=tuple(Line(text=p) for p in detail.paragraphs)),
        Block(kind=BlockKind.NOTE, lines=(Line(text=detail.note),)),
    )
    reply = Reply(status=Status.ANSWERED, blocks=blocks)
    return Decision(session=session, effects=(Say(reply=reply),))


# -- follow-up questions ------------------------------------------------------------------

_BACK = re.compile(
    r"(?:对了|还有|那)?[,，]?(?:刚才|刚刚|前面|先前|之前|上面)(?:说|问|讲)?的?(?:那个?|这个?)?"
    r"(?P<what>.{0,12}?)的?[那这]?[个件]?(?:事情?|问题)[,，]?(?P<ask>.+)"
)
"""刚才工钱的事要带什么材料: which matter, and what of it."""


def on_follow_up(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Understand 换个说法, 听不懂, 要带什么, 收费吗, 多久 from the matter being talked about."""
    asked = bare(event.screened.folded)
    if playbook.is_phrase("rephrase", asked):
        return _rephrase(session, event, playbook)
    matter = matter_of(session, session.current)
    if match := _BACK.fullmatch(asked):
        matter, asked = earlier_matter(session, match["what"]), match["ask"]
    entry = playbook.entry(matter.entry) if matter else None
    if matter is None or entry is None:
        return None
    if playbook.is_phrase("ask_again", asked):
        return _say_simply(session, event, playbook, matter, entry)
    for name in FOLDS:
        if playbook.is_phrase(f"ask_{name}", asked):
            return _show_fold(session, event, playbook, matter, entry, name)
    return None


def _say_simply(
    session: Session, event: MessageReceived, playbook: Playbook, matter: Matter, entry: Entry
) -> Decision:
    """Say the one thing to do first, and who explains it by word of mouth."""
    reply, matter = compose_simple(entry, matter, playbook, event.at.date())
    judgement = _of_matter(reply.status, matter, entry)
    return conclude(keep_matter(session, matter), event, playbook, reply, judgement)


def _show_fold(
    session: Session, event: MessageReceived, playbook: Playbook, matter: Matter, entry: Entry,
    name: str,
) -> Decision:  # fmt: skip
    reply, matter = compose_fold(entry, name, matter, playbook, event.at.date(), session.place)
    urgency = Urgency.DEADLINE if name == "time" else Urgency.NORMAL
    judgement = _of_matter(reply.status, matter, entry, urgency)
    return conclude(keep_matter(session, matter), event, playbook, reply, judgement)


def _of_matter(
    status: Status, matter: Matter, entry: Entry, urgency: Urgency = Urgency.NORMAL
) -> Judgement:
    """What is reported of an answer that only goes on with ``matter``."""
    return Judgement(
        status=status,
        topic=matter.topic,
        situation=matter.situation,
        services=matter.services[:MAX_LISTED],
        provisions=entry.provisions[:MAX_LISTED],
        urgency=urgency,
        confidence=1.0,
    )
