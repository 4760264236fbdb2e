"""Puts the channel into the application, or leaves it off."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from dataclasses import field
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit

from aiohttp import web

from bot.channels.telegram.bot_api import BotApi, BotApiError
from bot.channels.telegram.pace import Timing
from bot.channels.telegram.parse import CHANNEL
from bot.channels.telegram.receiver import Receiver, poll_updates
from bot.channels.telegram.sender import Sender
from bot.channels.telegram.webhook import (
    SECRET,
    build_handler,
    derive_secret,
    set_webhook,
    webhook_path,
)
from bot.core.playbook import Playbook
from bot.turns import Turns, utc_now
from kb.value import value

log = logging.getLogger(__name__)

_TOKEN = re.compile(r"(\d{1,20}):[A-Za-z0-9_-]{1,100}")
_COMMAND = "telegram.command."
_START = "start"
"""Telegram sends this command for a new chat; it does not belong in the menu."""


class TelegramSettingsError(ValueError):
    """A setting cannot be used; the message says which and how it has to look."""


@value
class TelegramSettings:
    """``token`` empty: the channel is off. ``webhook_url`` empty: long polling.

    ``webhook_url`` is the public address, `https://HOST/telegram/webhook`; its path is served
    by our own server. ``webhook_secret`` empty: one is derived from the token. ``base_url``
    is another Bot API server.
    """

    token: str = field(default="", repr=False)
    webhook_url: str = ""
    webhook_secret: str = field(default="", repr=False)
    base_url: str = ""


def add_telegram(
    app: web.Application,
    turns: Turns,
    settings: TelegramSettings,
    *,
    timing: Timing | None = None,
    clock: Callable[[], datetime] = utc_now,
) -> None:
    """Receive and send for as long as ``app`` runs. Does nothing without a token.

    Raises `TelegramSettingsError`.
    """
    if not settings.token:
        return
    account = _check(settings)
    timing = timing or Timing()
    commands = _commands(turns.playbook)
    api = BotApi(settings.token, settings.base_url, timing.call)
    receiver = Receiver(api, turns, account=account, commands=commands, clock=clock)

    def say(key: str, **values: object) -> str:
        return turns.playbook.say(key, **values)  # of the bundle that is in use now

    sender = Sender(api, turns.store, say=say, timing=timing, clock=clock)
    turns.on_outbox(CHANNEL, sender.wake)
    if settings.webhook_url:
        secret = settings.webhook_secret or derive_secret(settings.token)
        app.router.add_post(webhook_path(settings.webhook_url), build_handler(receiver, secret))
        receiving = partial(set_webhook, api, settings.webhook_url, secret, timing)
    else:
        receiving = partial(poll_updates, api, receiver, timing)
    tasks: list[asyncio.Task[None]] = []

    async def start(app: web.Application) -> None:
        tasks.extend(map(asyncio.create_task, (receiving(), _show_menu(api, commands))))
        tasks.append(asyncio.create_task(sender.run()))
        log.info("Telegram: bot %s is on", account)

    async def stop(app: web.Application) -> None:
        """Receive nothing more, then let the messages in flight arrive."""
        sender.stop()
        for task in tasks[:-1]:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=timing.closing)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await receiver.close()
        await api.close()

    # Not a clean-up context: those are left only when the application's own, which closes
    # turns and store, may already have been.
    app.on_startup.append(start)
    app.on_shutdown.append(stop)


async def _show_menu(api: BotApi, commands: dict[str, str]) -> None:
    """Set the menu of commands. Without it everything works: the words can be written."""
    menu = [
        {"command": name, "description": words}
        for name, words in commands.items()
        if name != _START
    ]
    try:
        await api.call("setMyCommands", {"commands": menu})
    except BotApiError as error:
        log.warning("Telegram: the menu of commands was not set: %s", error)


def _commands(playbook: Playbook) -> dict[str, str]:
    """Return the words that each command stands for."""
    return {
        key.removeprefix(_COMMAND): playbook.say(key)
        for key in playbook.wording
        if key.startswith(_COMMAND)
    }


def _check(settings: TelegramSettings) -> str:
    """Return the bot's number, which names our account: it needs no network to be known."""
    token = _TOKEN.fullmatch(settings.token)
    if token is None:
        raise TelegramSettingsError(
            "Telegram 的 token 格式不对，应当像 123456789:AAE…，从 @BotFather 那里原样复制。"
        )
    if settings.webhook_url:
        url = urlsplit(settings.webhook_url)
        if url.scheme not in ("http", "https") or not url.netloc or len(url.path) < 2:
            raise TelegramSettingsError(
                "Telegram 的 webhook 地址不对，应当是 https:// 开头、带路径的公网地址，"
                "例如 https://example.gov.cn/telegram/webhook。"
            )
    if settings.webhook_secret and SECRET.fullmatch(settings.webhook_secret) is None:
        raise TelegramSettingsError(
            "Telegram 的 webhook 密钥只能用英文字母、数字、下划线和横线，1到256个。"
        )
    if settings.base_url and urlsplit(settings.base_url).scheme not in ("http", "https"):
        raise TelegramSettingsError("Telegram 的服务器地址不对，应当像 http://127.0.0.1:8081。")
    return token[1]
