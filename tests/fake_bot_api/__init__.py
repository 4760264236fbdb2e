"""A local server that speaks the Bot API, with virtual users and with faults on demand.

For tests, and to try the channel by hand: `python -m tests.fake_bot_api` starts it, prints
the settings to start the bot with, and turns the terminal into a person who chats with it.

It keeps Telegram's rules as they are documented or stand in the source of its server
(tdlib/telegram-bot-api 10.0): an update is delivered again until a later offset confirms it,
and a second poll ends the first with 409. Unlike the real one it posts to http, too.
"""

from tests.fake_bot_api.server import TOKEN, Call, FakeBotApi
from tests.fake_bot_api.user import VirtualUser
from tests.fake_bot_api.wire import Fault, FaultKind

__all__ = ["TOKEN", "Call", "FakeBotApi", "Fault", "FaultKind", "VirtualUser"]
