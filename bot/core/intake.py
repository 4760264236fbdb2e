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
    COUNTY = "county"
    TOWN = "town"
    WHO = "who"
    GUARDIAN = "guardian"
    """Only for a child: is a guardian there who agrees?"""
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
    guardian: bool | None = None
    county: str | None = None
    """Place id; "" when the citizen lives elsewhere or does not say."""
    town: str | None = None
    """Place id; "" when left out or written in ``place_words``."""
    place_words: str = ""
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
    Q = Question
    return (
        *((Q.ABROAD,) if abroad else ()),
        Q.STORY,
        Q.COUNTY,
        *((Q.TOWN,) if answers.county else ()),
        Q.WHO,
        *((Q.GUARDIAN,) if answers.who is Who.CHILD else ()),
        Q.PHONE,
        Q.CONSENT,
    )


def next_question(answers: Answers, abroad: bool) -> Question | None:
    """Return the question to ask now, or None when the form is complete."""
    if answers.correcting is not None:
        return answers.correcting
    answered = {
        Question.ABROAD: answers.abroad is True,
        Question.STORY: answers.story is not None,
        Question.COUNTY: answers.county is not None,
        Question.TOWN: answers.town is not None,
        Question.WHO: answers.who is not None,
        Question.GUARDIAN: answers.guardian is True,
        Question.PHONE: answers.phone is not None,
        Question.CONSENT: answers.consent is True,
    }
    questions = relevant_questions(answers, abroad)
    return next((q for q in questions if not answered[q]), None)


_MOBILE = re.compile(r"(?<!\d)(?:\+?86[- ]?)?(1[3-9]\d)[- ]?(\d{4})[- ]?(\d{4})(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)(0\d{2,3})[- ]?(\d{7,8})(?!\d)")


def parse_phone(text: str) -> str | None:
    """Return the mobile or landline number in ``text`` (half-width digits), or None."""
    if match := _MOBILE.search(text):
        return "".join(match.groups())
    if match := _LANDLINE.search(text):
        return "-".join(match.groups())
    return None
