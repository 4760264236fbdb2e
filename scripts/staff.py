"""``suifawen staff``: accounts of the desk, from the command line."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.settings import SettingsError, load_settings

if TYPE_CHECKING:
    from bot.desk.accounts import Accounts
    from bot.storage.store import Store

ROLES = {"clerk": "经办人", "supervisor": "负责人", "admin": "管理员"}
_DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (./data).")


@click.group()
def command() -> None:
    """Add, list and disable accounts of the desk; give a new password. The server may run."""


@command.command("add")
@click.argument("login")
@click.option("--name", required=True, help="The name that citizens see, for example 张三.")
@click.option("--role", type=click.Choice(list(ROLES)), default="clerk", show_default=True)
@_DATA
def add(login: str, name: str, role: str, data: Path | None) -> None:
    """Add an account and show its first password, once."""

    async def work(store: Store, accounts: Accounts) -> None:
        from bot.storage.store import Role

        staff, password = await accounts.add(login, name, Role(role))
        detail = {"staff": str(staff.id), "role": role, "by": "command"}
        await store.audit(datetime.now(UTC), None, "staff_added", detail)
        click.echo(f"已添加{staff.name}（{ROLES[role]}）")
        _show(staff.login, password)

    _run(data, work)


@command.command("list")
@_DATA
def list_(data: Path | None) -> None:
    """List the accounts."""

    async def work(store: Store, accounts: Accounts) -> None:
        for staff in await store.list_staff():
            state = (
                "已停用" if not staff.active else "没有改过密码" if staff.must_change else "在用"
            )
            click.echo(f"{staff.login}\t{staff.name}\t{ROLES[staff.role]}\t{state}")

    _run(data, work)


@command.command("password")
@click.argument("login")
@_DATA
def password(login: str, data: Path | None) -> None:
    """Give the account a new random password and show it, once; its logins end."""

    async def work(store: Store, accounts: Accounts) -> None:
        made = await accounts.reset_password(login)
        await _audit(store, login, "staff_password")
        _show(login, made)

    _run(data, work)


@command.command("disable")
@click.argument("login")
@_DATA
def disable(login: str, data: Path | None) -> None:
    """Switch the account off; its logins end at once. `enable` switches it on again."""

    async def work(store: Store, accounts: Accounts) -> None:
        await accounts.switch(login, active=False)
        await _audit(store, login, "staff_disabled")
        click.echo(f"已停用 {login}，登录的地方都已退出")

    _run(data, work)


@command.command("enable")
@click.argument("login")
@_DATA
def enable(login: str, data: Path | None) -> None:
    """Switch the account on again."""

    async def work(store: Store, accounts: Accounts) -> None:
        await accounts.switch(login, active=True)
        await _audit(store, login, "staff_enabled")
        click.echo(f"已启用 {login}")

    _run(data, work)


async def _audit(store: Store, login: str, action: str) -> None:
    """Note in the audit log what was done from the command line, by whoever may log in there."""
    from bot.desk.accounts import tidy_login

    staff = await store.staff_by_login(tidy_login(login))
    detail = {"staff": str(staff.id) if staff else "", "by": "command"}
    await store.audit(datetime.now(UTC), None, action, detail)


def _show(login: str, password: str) -> None:
    click.echo(f"账号 {login}  密码 {password}")
    click.echo("密码只显示这一次，请现在交给本人；第一次登录会要求改掉")


def _run(data: Path | None, work: Callable[[Store, Accounts], Awaitable[None]]) -> None:
    """Do ``work`` on the store of the installation; exit 1 with a message if it cannot be."""
    from bot.desk.accounts import AccountError, Accounts
    from bot.storage.sqlite import open_store
    from bot.storage.store import StorageError

    async def run() -> None:
        settings = load_settings(data=data)
        store = open_store(settings.database, settings.contact_key)
        try:
            await work(store, Accounts(store))
        finally:
            await store.close()

    try:
        asyncio.run(run())
    except AccountError as error:
        click.echo(_wording(error.key).format(**error.values), err=True)
        sys.exit(1)
    except (SettingsError, StorageError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def _wording(key: str) -> str:
    """Return a sentence of the desk; the verb needs no bundle and so has no playbook."""
    import yaml

    from kb.load import SHIPPED

    text = (SHIPPED / "wording" / "desk.yaml").read_text(encoding="utf-8")
    return str(yaml.safe_load(text)["wording"][key])
