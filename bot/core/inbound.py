"""What a citizen sent, in the words of no channel."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from kb.value import value


class MessageKind(StrEnum):
    """What kind of thing arrived. Only TEXT and CHOICE carry words we can answer."""

    TEXT = "text"
    CHOICE = "choice"
    """A button was pressed; ``choice`` holds its id."""
    VOICE = "voice"
    PHOTO = "photo"
    FILE = "file"
    STICKER = "sticker"
    LOCATION = "location"
    CONTACT = "contact"
    EDITED = "edited"
    OTHER = "other"


@value
class InboundMessage:
    """One message as a channel parsed it.

    ``channel`` is `web` or `telegram`; ``account`` names which of several bots of that
    channel; ``sender`` is the channel's id of the person, never shown to staff.
    ``dedupe_key`` is unique within (channel, account): a re-delivery has the same one.
    ``address`` is the client's network address where the channel has one; only its
    keyed digest is stored, for limits.
    """

    channel: str
    account: str = ""
    sender: str
    dedupe_key: str
    kind: MessageKind
    text: str = ""
    choice: str | None = None
    received_at: datetime
    address: str | None = None
