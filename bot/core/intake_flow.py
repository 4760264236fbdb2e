"""The conversation around the form of `bot.core.intake`.

A form can be left (先不填), corrected (改电话), resumed (继续) and cancelled (取消) at any
question. An answer that is clearly another question leaves the form and is answered. Only
the consent at the end opens a ticket; the notice stands before it in full.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bot.core.answering import call_button, handoff_buttons, simple_reply
from bot.core.choices import Verb, parse_choice, render_choice
from bot.core.concluding import conclude
from bot.core.effects import Decision, Effect, KeepWords, OpenTicket
from bot.core.events import MessageReceived
from bot.core.handoff import HandoffKind
from bot.core.intake import (
    Answers,
    Question,
    Who,
    next_question,
    parse_phone,
    relevant_questions,
)
from bot.core.matters import new_matter
from bot.core.playbook import Playbook
from bot.core.reply import (
    Block,
    BlockKind,
    Button,
    ButtonStyle,
    Judgement,
    Line,
    Reply,
    Status,
)
from bot.core.session import Session, matter_of
from bot.core.ticket_flow import (
    open_tickets,
    progress_button,
    show_progress,
    talking_ticket,
)

ABROAD_CHANNELS = frozenset({"telegram"})
"""Channels whose provider takes the words abroad (个人信息保护法 38-39)."""
MAX_STORY = 2000
_CORRECTS = re.compile("改|错了|不对|重新填|更正")


def is_abroad(session: Session) -> bool:
    return session.channel in ABROAD_CHANNELS


# -- beginning, leaving, coming back ------------------------------------------------------


def on_request(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Understand 我要申请法律援助, 帮我调解, 转人工, 我要投诉."""
    for kind in HandoffKind:
        if playbook.is_phrase(f"want_{kind}", event.screened.folded):
            return start(session, event, playbook, kind, session.current)
    return None


def start(
    session: Session, event: MessageReceived, playbook: Playbook, kind: HandoffKind,
    matter_id: int | None,
) -> Decision:  # fmt: skip
    """Begin a form about a matter, or go on with the one that is open for the same thing."""
    matter = matter_of(session, matter_id)
    if matter is None:
        topic = {"legal_aid": "legal-aid-apply", "mediation": "mediation-apply"}.get(
            kind, "unclear"
        )
        session, matter = new_matter(session, topic, "")
    same = [t for t in open_tickets(session) if t.kind is kind and t.matter == matter.id]
    if same:
        return show_progress(session, event, playbook, same, playbook.say("ticket.already"))
    draft = session.intake
    if draft is None or draft.kind is not kind or draft.matter != matter.id:
        draft = Answers(kind=kind, matter=matter.id, submission=event.fresh)
        place = playbook.knowledge.places.get(session.place or "")
        county = playbook.county_of(place)
        if county is not None:
            town = place.id if place and place.level == "town" else None
            draft = replace(draft, county=county.id, town=town)
    opening = playbook.say(f"intake.start_{kind}")
    return _ask(session, event, playbook, replace(draft, paused=False), opening)


def on_command(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Handle 取消, 先不填, 继续, 改电话."""
    draft, folded = session.intake, event.screened.folded
    if draft is None:
        return _nothing_open(session, event, playbook)
    if playbook.is_phrase("cancel", folded):
        return _cancel(session, event, playbook, "intake.cancelled")
    if playbook.is_phrase("resume", folded):
        opening = playbook.say("intake.resumed")
        return _ask(session, event, playbook, replace(draft, paused=False), opening)
    if draft.paused:
        return None
    if playbook.is_phrase("leave", folded):
        session = replace(session, intake=replace(draft, paused=True))
        reply = simple_reply(
            Status.HANDOFF_INTAKE, [playbook.say("intake.paused")],
            [_button("resume", playbook.say("button.resume"))],
        )  # fmt: skip
        return conclude(session, event, playbook, reply, _judgement(session, draft))
    if _CORRECTS.search(folded):
        for question in relevant_questions(draft, is_abroad(session)):
            if question is not Question.CONSENT and playbook.is_phrase(f"fix_{question}", folded):
                return _correct(session, event, playbook, replace(draft, correcting=question))
    return None


def _nothing_open(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    if talking_ticket(session) is not None or not playbook.is_phrase(
        "resume", event.screened.folded
    ):
        return None
    buttons = handoff_buttons(session.current, playbook, ("legal_aid", "mediation"))
    lines = [playbook.say("intake.nothing_open")]
    return conclude(session, event, playbook, simple_reply(Status.CLARIFY_EMPTY, lines, buttons))


def _correct(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    """Take the right answer if it was said along ("电话错了，是138…"), else ask for it."""
    folded = event.screened.folded
    said = {
        Question.PHONE: parse_phone(folded) is not None,
        Question.COUNTY: playbook.find_place(folded) is not None,
        Question.TOWN: playbook.find_place(folded) is not None,
    }
    if draft.correcting is not None and said.get(draft.correcting, False):
        return _ANSWERS[draft.correcting](session, event, playbook, draft)
    return _ask(session, event, playbook, draft)


def _cancel(session: Session, event: MessageReceived, playbook: Playbook, key: str) -> Decision:
    draft = session.intake
    assert draft is not None
    session = replace(session, intake=None)
    lines = playbook.say(key).strip().split("\n")
    reply = simple_reply(Status.HANDOFF_INTAKE, lines, [call_button("12348", playbook)])
    return conclude(session, event, playbook, reply, _judgement(session, draft))


# -- answers ---------------------------------------------------------------------------------


def on_answer(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Take a text as the answer to the question that is open.

    None when it is clearly another question: it is answered, and the form stays open.
    """
    draft = session.intake
    if draft is None or draft.paused:
        return None
    question = next_question(draft, is_abroad(session))
    if question is None:
        return None
    return _ANSWERS[question](session, event, playbook, draft)


def on_choice(session: Session, event: MessageReceived, playbook: Playbook) -> Decision | None:
    """Handle the buttons that begin a form and the buttons inside it."""
    choice = parse_choice(event.message.choice or "")
    if choice is None:
        return None
    if choice.verb is Verb.HANDOFF and choice.argument in set(HandoffKind):
        return start(session, event, playbook, HandoffKind(choice.argument), choice.matter)
    draft = session.intake
    if choice.verb is not Verb.INTAKE:
        return None
    if draft is None:  # the same form sent a second time
        tickets = open_tickets(session)
        if choice.argument != "consent=yes" or not tickets:
            return None
        return show_progress(session, event, playbook, tickets[:1], playbook.say("ticket.already"))
    what, _, value = choice.argument.partition("=")
    draft = replace(draft, paused=False)
    match what, value:
        case "resume", _:
            return _ask(session, event, playbook, draft, playbook.say("intake.resumed"))
        case "cancel", _:
            return _cancel(session, event, playbook, "intake.cancelled")
        case "abroad", "yes":
            return _ask(session, event, playbook, replace(draft, abroad=True))
        case "abroad", "no":
            return _cancel(session, event, playbook, "intake.abroad_refused")
        case "story", "keep":
            matter = matter_of(session, draft.matter)
            story = (matter.words if matter else "")[:MAX_STORY]
            return _ask(session, event, playbook, _done(draft, story=story)) if story else None
        case "county", id_ if id_ == "none" or id_ in playbook.knowledge.places:
            county = "" if id_ == "none" else id_
            return _ask(session, event, playbook, _done(draft, county=county, town=None))
        case "town", "skip":
            return _ask(session, event, playbook, _done(draft, town=""))
        case "who", who if who in set(Who):
            return _ask(session, event, playbook, _done(draft, who=Who(who)))
        case "guardian", "yes":
            return _ask(session, event, playbook, _done(draft, guardian=True))
        case "guardian", "no":
            return _cancel(session, event, playbook, "intake.guardian_missing")
        case "phone", "skip":
            return _ask(session, event, playbook, _done(draft, phone=""))
        case "fix", "menu":
            return _fix_menu(session, event, playbook, draft)
        case "fix", which if which in set(Question) and which != Question.CONSENT:
            return _ask(session, event, playbook, replace(draft, correcting=Question(which)))
        case "consent", "yes":
            return _submit(session, event, playbook, draft)
        case _:
            return None


def _done(draft: Answers, **answers: object) -> Answers:
    """Return the form with ``answers`` filled in and nothing left to correct."""
    return replace(draft, correcting=None, **answers)  # type: ignore[arg-type]  # names of fields


def _answer_abroad(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision:
    if playbook.is_phrase("no", event.screened.folded):
        return _cancel(session, event, playbook, "intake.abroad_refused")
    if playbook.is_phrase("yes", event.screened.folded):
        return _ask(session, event, playbook, _done(draft, abroad=True))
    return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))


def _answer_story(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    if playbook.is_phrase("aside", event.screened.folded) and playbook.is_phrase(
        "asks", event.screened.folded
    ):
        return None
    matter = matter_of(session, draft.matter)
    said = matter.words if matter and draft.story is None else ""
    if said and playbook.is_phrase("yes", event.screened.folded):
        return _ask(session, event, playbook, _done(draft, story=said[:MAX_STORY]))
    # Who asks for a person twice wants to talk, not to write.
    wants_person = playbook.is_phrase("want_consult", event.screened.folded)
    if wants_person or playbook.is_phrase("skip", event.screened.folded):
        story = said or playbook.say("intake.story_left_out")
        return _ask(session, event, playbook, _done(draft, story=story[:MAX_STORY]))
    if len(event.screened.folded) < 4:
        return _ask(session, event, playbook, draft, playbook.say("intake.story_short"))
    story = f"{said}\n{event.screened.text}" if said else event.screened.text
    return _ask(session, event, playbook, _done(draft, story=story[:MAX_STORY]))


def _place_words(event: MessageReceived) -> str:
    """Return the place as it was written; a correction ("地点不对，是…") is no place."""
    correction = _CORRECTS.search(event.screened.folded)
    return "" if correction else event.screened.text[:60]


def _answer_county(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    folded, words = event.screened.folded, _place_words(event)
    place, name = playbook.locate(folded) or (None, "")
    county = playbook.county_of(place)
    if place is None or place.level != "town":
        rest = folded.replace(name, "", 1)  # 广水 is a town of 广水市, too
        place = playbook.find_town(rest, county.id if county else None) or place
        county = playbook.county_of(place) or county
    if county is not None:
        town = place.id if place and place.level == "town" else None
        answers = _done(draft, county=county.id, town=town, place_words=words)
        return _ask(session, event, playbook, answers)
    if playbook.is_phrase("asks", folded):
        return None
    if not playbook.is_phrase("names_place", folded):  # a name, a yes: not where somebody lives
        return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))
    return _ask(session, event, playbook, _done(draft, county="", place_words=words))


def _answer_town(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    folded, words = event.screened.folded, _place_words(event)
    if playbook.is_phrase("skip", folded):
        return _ask(session, event, playbook, _done(draft, town=""))
    place = playbook.find_town(folded, draft.county) or playbook.find_place(folded)
    if place is not None and place.level in ("town", "county"):
        county = playbook.county_of(place)
        answers = _done(
            draft,
            county=county.id if county else draft.county,
            town=place.id if place.level == "town" else None,
            place_words=words,
        )
        return _ask(session, event, playbook, answers)
    if playbook.is_phrase("asks", folded):
        return None
    if any(playbook.is_phrase(name, folded) for name in ("yes", "no")):
        return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))
    return _ask(session, event, playbook, _done(draft, town="", place_words=words))


def _answer_who(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    for who in (Who.CHILD, Who.OTHER, Who.SELF):
        if playbook.is_phrase(f"who_{who}", event.screened.folded):
            return _ask(session, event, playbook, _done(draft, who=who))
    if playbook.is_phrase("asks", event.screened.folded):
        return None
    return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))


def _answer_guardian(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    if playbook.is_phrase("no", event.screened.folded):
        return _cancel(session, event, playbook, "intake.guardian_missing")
    if playbook.is_phrase("yes", event.screened.folded):
        return _ask(session, event, playbook, _done(draft, guardian=True))
    return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))


def _answer_phone(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    phone = parse_phone(event.screened.folded)
    if phone is not None:
        masked = KeepWords(text=playbook.say("intake.phone_masked", end=phone[-2:]))
        return _ask(session, event, playbook, _done(draft, phone=phone), "", masked)
    if playbook.is_phrase("skip", event.screened.folded):
        return _ask(session, event, playbook, _done(draft, phone=""))
    if not any(c.isdigit() for c in event.screened.folded) and playbook.is_phrase(
        "asks", event.screened.folded
    ):
        return None
    masked = KeepWords(text=playbook.say("intake.phone_unclear"))
    return _ask(session, event, playbook, draft, playbook.say("intake.phone_wrong"), masked)


def _answer_consent(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision | None:
    if playbook.is_phrase("no", event.screened.folded):
        return _cancel(session, event, playbook, "intake.consent_refused")
    if playbook.is_phrase("yes", event.screened.folded):
        return _submit(session, event, playbook, draft)
    if parse_phone(event.screened.folded) is not None:  # the right number, written at the summary
        return _answer_phone(session, event, playbook, draft)
    if playbook.is_phrase("asks", event.screened.folded):
        return None
    return _ask(session, event, playbook, draft, playbook.say("intake.please_choose"))


_Handler = Callable[[Session, MessageReceived, Playbook, Answers], Decision | None]
_ANSWERS: dict[Question, _Handler] = {
    Question.ABROAD: _answer_abroad,
    Question.STORY: _answer_story,
    Question.COUNTY: _answer_county,
    Question.TOWN: _answer_town,
    Question.WHO: _answer_who,
    Question.GUARDIAN: _answer_guardian,
    Question.PHONE: _answer_phone,
    Question.CONSENT: _answer_consent,
}


# -- asking ----------------------------------------------------------------------------------


def _ask(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers,
    opening: str = "", *effects: Effect,
) -> Decision:  # fmt: skip
    """Store the form and ask its next question."""
    session = replace(session, intake=draft, choices=())
    question = next_question(draft, is_abroad(session))
    assert question is not None  # consent is only ever answered by submitting
    lines = [opening] if opening else []
    blocks: list[Block] = []
    matter = matter_of(session, draft.matter)
    match question:
        case Question.STORY if matter and matter.words and draft.story is None:
            lines.append(playbook.say("intake.story_keep"))
            words = tuple(Line(text=line) for line in matter.words.split("\n"))
            blocks.append(Block(kind=BlockKind.QUOTE, lines=words))
        case Question.CONSENT:
            blocks.append(_summary(playbook, draft))
            lines += playbook.say("intake.ask_consent").strip().split("\n")
        case _:
            lines += playbook.say(f"intake.ask_{question}").strip().split("\n")
    text = Block(kind=BlockKind.TEXT, lines=tuple(Line(text=line) for line in lines))
    reply = Reply(
        status=Status.HANDOFF_INTAKE,
        blocks=(text, *blocks) if question is Question.STORY else (*blocks, text),
        buttons=tuple(_buttons(session, playbook, draft, question)),
    )
    return conclude(session, event, playbook, reply, _judgement(session, draft), *effects)


def _buttons(
    session: Session, playbook: Playbook, draft: Answers, question: Question
) -> list[Button]:
    say = playbook.say
    cancel = _button("cancel", say("button.cancel"))
    match question:
        case Question.ABROAD:
            return [
                _button("abroad=yes", say("button.abroad_yes"), primary=True),
                _button("abroad=no", say("button.abroad_no")),
                call_button("12348", playbook),
            ]
        case Question.STORY:
            matter = matter_of(session, draft.matter)
            keep = matter is not None and matter.words and draft.story is None
            first = [_button("story=keep", say("button.story_keep"), primary=True)] if keep else []
            return [*first, cancel]
        case Question.COUNTY:
            places = [_button(f"county={p.id}", p.name) for p in playbook.counties()]
            return [*places, _button("county=none", say("button.elsewhere")), cancel]
        case Question.TOWN:
            return [_button("town=skip", say("button.skip")), cancel]
        case Question.WHO:
            return [*(_button(f"who={w}", say(f"button.who_{w}")) for w in Who), cancel]
        case Question.GUARDIAN:
            return [
                _button("guardian=yes", say("button.guardian_yes"), primary=True),
                _button("guardian=no", say("button.guardian_no")),
            ]
        case Question.PHONE:
            return [_button("phone=skip", say("button.no_phone")), cancel]
        case Question.CONSENT:
            return [
                _button("consent=yes", say("button.submit"), primary=True),
                _button("fix=menu", say("button.fix")),
                cancel,
            ]


def _button(argument: str, label: str, primary: bool = False) -> Button:
    style = ButtonStyle.PRIMARY if primary else ButtonStyle.NORMAL
    return Button(choice=render_choice(Verb.INTAKE, 0, argument), label=label, style=style)


def _summary(playbook: Playbook, draft: Answers) -> Block:
    """Everything that would be handed over, so that it can be checked before consent."""
    places = playbook.knowledge.places
    names = [places[id_].name for id_ in (draft.county, draft.town) if id_]
    where = "".join(names)
    if draft.place_words and draft.place_words not in where:
        where = f"{where}（{draft.place_words}）" if where else draft.place_words
    unset = playbook.say("intake.not_given")
    rows = (
        ("kind", playbook.say(f"kind.{draft.kind}")),
        ("story", draft.story or unset),
        ("place", where or unset),
        ("who", playbook.say(f"button.who_{draft.who}") if draft.who else unset),
        ("phone", _masked(draft.phone) if draft.phone else unset),
    )
    lines = tuple(Line(text=playbook.say(f"intake.row_{key}", value=value)) for key, value in rows)
    return Block(kind=BlockKind.LIST, heading=playbook.say("intake.summary"), lines=lines)


def _masked(phone: str) -> str:
    """The number with its middle hidden: what is said is stored and, in Telegram, goes abroad."""
    return f"{phone[:3]}****{phone[-4:]}"


def _fix_menu(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision:
    questions = [
        q for q in relevant_questions(draft, is_abroad(session))
        if q not in (Question.ABROAD, Question.CONSENT, Question.GUARDIAN)
    ]  # fmt: skip
    buttons = [_button(f"fix={q}", playbook.say(f"button.fix_{q}")) for q in questions]
    session = replace(session, intake=draft)
    reply = simple_reply(Status.HANDOFF_INTAKE, [playbook.say("intake.fix_which")], buttons)
    return conclude(session, event, playbook, reply, _judgement(session, draft))


def _submit(
    session: Session, event: MessageReceived, playbook: Playbook, draft: Answers
) -> Decision:
    """The citizen has consented: open the ticket, unless the form is incomplete or too many."""
    question = next_question(draft, is_abroad(session))
    if question is not Question.CONSENT:
        return _ask(session, event, playbook, draft)
    rules = playbook.handoff
    own, address = event.openings
    if (
        own >= rules.tickets_per_conversation_per_day
        or address >= rules.tickets_per_address_per_day
    ):
        session = replace(session, intake=replace(draft, paused=True))
        lines = playbook.say("intake.too_many").strip().split("\n")
        reply = simple_reply(Status.HANDOFF_INTAKE, lines, [call_button("12348", playbook)])
        return conclude(session, event, playbook, reply, _judgement(session, draft))
    matter = matter_of(session, draft.matter)
    ticket = OpenTicket(
        code=event.fresh,
        submission=draft.submission,
        kind=draft.kind,
        topic=matter.topic if matter else "unclear",
        matter=draft.matter,
        county=draft.county or None,
        town=draft.town or None,
        place_words=draft.place_words,
        who=draft.who or "",
        story=draft.story or "",
        phone=draft.phone or "",
        citations=matter.citations if matter else (),
        urgent=False,
        consent_version=rules.consent_version,
        due_at=event.at + timedelta(hours=rules.due_hours[draft.kind]),
    )
    session = replace(session, intake=None)
    lines = playbook.say("ticket.opened", code=event.fresh).strip().split("\n")
    hours = playbook.operator.promise_reply_hours
    if hours is not None:
        lines.append(playbook.say("ticket.promise", hours=f"{hours:g}"))
    if not draft.phone:
        lines.append(playbook.say("ticket.no_phone"))
    reply = simple_reply(
        Status.HANDOFF_OPENED, lines, [progress_button(playbook), call_button("12348", playbook)],
        lead=True,
    )  # fmt: skip
    return conclude(session, event, playbook, reply, _judgement(session, draft), ticket)


def _judgement(session: Session, draft: Answers) -> Judgement:
    matter = matter_of(session, draft.matter)
    return Judgement(
        status=Status.HANDOFF_INTAKE,
        topic=matter.topic if matter else "unclear",
        situation=matter.situation if matter else None,
        services=matter.services[:5] if matter else (),
        handoff=draft.kind,
    )
