"""The short form before a ticket: which question comes next, and is an answer usable.

Rules of this module: the order is recomputed from the answers each time, no "current
step" is stored, so an early answer can be corrected without leaving a later one stale.
"""

from __future__ import annotations

import re
from enum import StrEnum

from bot.core.handoff import HandoffKind
from kb.value import value


class Question(StrEnum):
    """What is asked, in order."""

    ABROAD = "abroad"
    """Consent that the channel carries the words abroad; only where it does."""
    STORY = "story"
    WHO = "who"
    PLACE = "place"
    PHONE = "phone"
    CONSENT = "consent"


class Who(StrEnum):
    SELF = "self"
    OTHER = "other"
    """For somebody else: family, or a village helper for a villager."""
    CHILD = "child"
    """Under 14: a guardian has to consent before details are stored (个人信息保护法 31)."""


@value
class Answers:
    """What the citizen has answered. None is not asked yet; "" for the phone is left out."""

    kind: HandoffKind
    matter: int
    abroad: bool | None = None
    story: str | None = None
    who: Who | None = None
    county: str | None = None
    town: str | None = None
    place_words: str | None = None
    """The place as written, where no known place was found in it."""
    phone: str | None = None
    consent: bool | None = None
    correcting: Question | None = None
    """The question the citizen wants to answer again."""
    paused: bool = False
    submission: str
    """Random key of this form: the same form opens one ticket, however often it is sent."""


def relevant_questions(answers: Answers, abroad: bool) -> tuple[Question, ...]:
    """Return the questions of this form in order. ``abroad``: the channel carries data abroad."""
    first = (Question.ABROAD,) if abroad else ()
    return (*first, Question.STORY, Question.WHO, Question.PLACE, Question.PHONE, Question.CONSENT)


def next_question(answers: Answers, abroad: bool) -> Question | None:
    """Return the question to ask now, or None when the form is complete."""
    if answers.correcting is not None:
        return answers.correcting
    answered = {
        Question.ABROAD: answers.abroad is True,
        Question.STORY: answers.story is not None,
        Question.WHO: answers.who is not None,
        Question.PLACE: answers.county is not None or answers.place_words is not None,
        Question.PHONE: answers.phone is not None,
        Question.CONSENT: answers.consent is True,
    }
    for question in relevant_questions(answers, abroad):
        if not answered[question]:
            return question
    return None


_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ]?(\d{7,8})(?!\d)")


def parse_phone(text: str) -> str | None:
    """Return the mobile or landline number in ``text`` (half-width digits), or None."""
    if match := _MOBILE.search(text):
        return "".join(match.groups())
    if match := _LANDLINE.search(text):
        return "-".join(match.groups())
    return None
