"""The first look at a message: what is visible, what is personal, is there danger."""

from __future__ import annotations

from bot.core.danger import Danger, DangerRules, detect_danger
from bot.core.privacy import Personal, RedactedText, redact
from kb.value import value
from retrieval.normalise import fold, strip_invisible

MAX_CHARACTERS = 2000
"""What is read of one message; longer ones are answered from their beginning and end."""


@value
class Screened:
    """A message after screening.

    ``text`` is what the citizen wrote without invisible characters, bounded; ``folded`` is
    for matching; ``redacted`` is the only form that logs and statistics accept.
    """

    text: str
    folded: str
    redacted: RedactedText
    personal: tuple[Personal, ...] = ()
    danger: Danger | None = None
    truncated: bool = False


def screen(text: str, rules: DangerRules) -> Screened:
    """Return ``text`` screened. Total: accepts anything, never raises."""
    visible = strip_invisible(text).strip()
    folded = fold(visible)
    danger = detect_danger(folded, rules)  # in all of it: it may stand in the middle
    truncated = len(visible) > MAX_CHARACTERS
    if truncated:  # people put the question first or last
        half = MAX_CHARACTERS // 2
        visible = f"{visible[:half]}\n{visible[-half:]}"
        folded = fold(visible)
    redacted, personal = redact(visible)
    return Screened(
        text=visible,
        folded=folded,
        redacted=redacted,
        personal=personal,
        danger=danger,
        truncated=truncated,
    )
