"""Web chat: one page that sends with POST and receives by long poll."""

from bot.channels.web.routes import add_web_chat

__all__ = ["add_web_chat"]
