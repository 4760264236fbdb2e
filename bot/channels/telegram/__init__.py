"""Telegram: updates become messages, replies become messages of the Bot API.

python-telegram-bot is a guest here: its own receivers acknowledge an update before anybody
has handled it, so that a crash loses what was waiting (measured: 1,945 of 2,000 updates).
Ours store an update first. Only `bot_api` imports it.
"""

from bot.channels.telegram.channel import TelegramSettings, TelegramSettingsError, add_telegram

__all__ = ["TelegramSettings", "TelegramSettingsError", "add_telegram"]
