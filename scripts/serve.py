"""``suifawen serve``: build what is missing and run everything in one process."""

from __future__ import annotations

import asyncio
import errno
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.lock import InUse, hold
from bot.settings import Settings, SettingsError, load_settings
from kb.yamlfile import KnowledgeError
from retrieval.bundle import BundleError
from retrieval.encoder import EncoderError
from scripts._mind import ensure_bundle

if TYPE_CHECKING:
    from aiohttp import web

    from bot.storage.store import Store


_REFUSALS = (InUse, KnowledgeError, BundleError, EncoderError)
"""What stops a start with a message that tells the operator what to do."""


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--host", help="Address to listen on (default 127.0.0.1; 0.0.0.0 for all).")
@click.option("--port", type=int, help="Port (default 8080).")
def command(data: Path | None, host: str | None, port: int | None) -> None:
    """Serve the chat page, the desk, the API, and Telegram if a token is set."""
    try:
        settings = load_settings(data=data, host=host, port=port)
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    try:
        logging.basicConfig(
            level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s"
        )
        with hold(settings.data):
            ensure_bundle(settings)
            _run(settings)
    except _REFUSALS as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except OSError as error:
        said = _OS_ERRORS.get(error.errno or 0, "启动不了：{error}")
        click.echo(said.format(host=settings.host, port=settings.port, error=error), err=True)
        sys.exit(1)


_OS_ERRORS = {
    errno.EADDRINUSE: "端口 {port} 已经被别的程序占用。请换一个：make run PORT=8081，"
    "或者 suifawen serve --port 8081",
    errno.EADDRNOTAVAIL: "这台机器没有地址 {host}。只给本机用写 127.0.0.1，给别的机器用写 0.0.0.0",
    errno.EACCES: "没有权限用端口 {port}。请用 1024 以上的，例如 --port 8080",
    errno.ENOSPC: "磁盘满了，启动不了。请腾出地方再试",
}


def _run(settings: Settings) -> None:
    from bot.channels.telegram import TelegramSettingsError
    from bot.storage.store import StorageError

    try:
        asyncio.run(_serve(settings))
    except (StorageError, TelegramSettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


async def _serve(settings: Settings) -> None:
    from aiohttp import web

    from bot.app import build_app
    from bot.storage.sqlite import open_store

    store = open_store(settings.database, settings.contact_key)
    try:
        first = await _first_login(store)
        app = build_app(settings, store=store)
    except BaseException:
        await store.close()
        raise
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        site = web.TCPSite(runner, settings.host, settings.port)
        await site.start()
        _announce(runner, settings, first)
        await stop.wait()
        click.echo("正在停止……")
    finally:
        await runner.cleanup()


async def _first_login(store: Store) -> tuple[str, str] | None:
    """Make the first account if there is none; return its login and password, shown once."""
    from bot.desk.accounts import Accounts
    from bot.storage.store import Role

    if await store.list_staff():
        return None
    staff, password = await Accounts(store).add("admin", "管理员", Role.ADMIN)
    return staff.login, password


def _announce(runner: web.AppRunner, settings: Settings, first: tuple[str, str] | None) -> None:
    port = runner.addresses[0][1]
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104  # only shown
    base = settings.public_url.rstrip("/") or f"http://{host}:{port}"
    click.echo(f"随法问已启动\n  群众对话页  {base}/\n  工作台      {base}/desk")
    if first is not None:
        click.echo(
            f"  工作台首次登录  账号 {first[0]}  密码 {first[1]}\n"
            "  （密码只显示这一次，登录后会要求修改）"
        )
    click.echo("按 Ctrl+C 停止", nl=True)
    sys.stdout.flush()
