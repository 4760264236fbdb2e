"""People who write to the bot."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.fake_bot_api.wire import Json, buttons_of

if TYPE_CHECKING:
    from .server import FakeBotApi


@dataclass
class VirtualUser:
    """A person with a private chat. ``received`` is what the bot has sent, oldest first."""

    server: FakeBotApi
    id: int
    started: bool = True
    blocked: bool = False
    received: list[Json] = field(default_factory=list)
    _sent: int = 0
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def chat(self) -> Json:
        return {"id": self.id, "type": "private", "first_name": f"user{self.id}"}

    @property
    def person(self) -> Json:
        return {"id": self.id, "is_bot": False, "first_name": f"user{self.id}"}

    def send(self, text: str | None = None, **content: Any) -> Json:
        """Send text or other ``content`` (`voice={...}`); return the update."""
        self._sent += 1
        message = {
            "message_id": 1_000_000 + self._sent,
            "from": self.person,
            "chat": self.chat,
            "date": int(time.time()),
            **({"text": text} if text is not None else {}),
            **content,
        }
        return self.server.add_update({"message": message}, self.id)

    def edit(self, text: str) -> Json:
        message = {"message_id": 1_000_000, "from": self.person, "chat": self.chat, "text": text}
        dates = {"date": int(time.time()), "edit_date": int(time.time())}
        return self.server.add_update({"edited_message": message | dates}, self.id)

    def press(self, label: str) -> Json:
        """Press the newest button whose label holds ``label``."""
        for message in reversed(self.received):
            for data, text in buttons_of(message):
                if label in text:
                    return self._press(data, message)
        raise LookupError(f"no button {label!r} among {self.labels()}")

    def press_data(self, data: str) -> Json:
        """Press a button that is too old for Telegram to know its message."""
        return self._press(data, None)

    def _press(self, data: str, message: Json | None) -> Json:
        id_ = str(self.server.next_query())
        query = {"id": id_, "from": self.person, "chat_instance": "1", "data": data}
        return self.server.add_update(
            {"callback_query": query | ({"message": message} if message else {})}, self.id
        )

    def block(self, blocked: bool = True) -> None:
        self.blocked = blocked
        status = "kicked" if blocked else "member"
        member = {"chat": self.chat, "from": self.person, "date": int(time.time())}
        self.server.add_update(
            {"my_chat_member": member | {"new_chat_member": {"status": status}}}, self.id
        )

    def receive(self, message: Json) -> None:
        self.received.append(message)
        self._news.set()

    def labels(self) -> list[str]:
        return [text for message in self.received for _, text in buttons_of(message)]

    def texts(self) -> list[str]:
        return [message["text"] for message in self.received]

    async def expect(self, text: str, seconds: float = 10) -> Json:
        """Return the newest message from the bot that holds ``text``, waiting for it."""
        async with asyncio.timeout(seconds):
            while True:
                for message in reversed(self.received):
                    if text in message["text"]:
                        return message
                self._news.clear()
                await self._news.wait()
