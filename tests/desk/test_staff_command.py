"""`suifawen staff`, as it is typed."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from click.testing import CliRunner, Result

from bot.desk.accounts import Accounts
from bot.settings import Settings
from bot.storage.sqlite import open_store
from bot.storage.store import Role, Staff
from scripts.staff import command


def run(data: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(data)])


def verified(data: Path, login: str, password: str) -> tuple[Staff, bool]:
    """Return the account and whether ``password`` is right."""

    async def look() -> tuple[Staff, bool]:
        settings = Settings(data=data)
        store = open_store(settings.database, settings.contact_key)
        try:
            staff = await store.staff_by_login(login)
            assert staff is not None
            return staff, await Accounts(store).verify(staff, password)
        finally:
            await store.close()

    return asyncio.run(look())


def _password(result: Result) -> str:
    [found] = re.findall(r"密码 ([a-z0-9-]{19})", result.output)
    return str(found)


def test_an_account_from_adding_to_disabling(tmp_path: Path) -> None:
    added = run(tmp_path, "add", "Zhang", "--name", "张三", "--role", "supervisor")
    assert added.exit_code == 0 and "只显示这一次" in added.output
    staff, right = verified(tmp_path, "zhang", _password(added))
    assert right and staff.must_change
    assert (staff.name, staff.role) == ("张三", Role.SUPERVISOR)
    again = run(tmp_path, "password", "zhang")
    assert verified(tmp_path, "zhang", _password(again))[1]
    assert not verified(tmp_path, "zhang", _password(added))[1]
    assert "没有改过密码" in run(tmp_path, "list").output
    assert run(tmp_path, "disable", "zhang").exit_code == 0
    assert "zhang\t张三\t负责人\t已停用" in run(tmp_path, "list").output
    assert run(tmp_path, "enable", "zhang").exit_code == 0
    assert "已停用" not in run(tmp_path, "list").output


def test_mistakes_get_a_message_and_change_nothing(tmp_path: Path) -> None:
    run(tmp_path, "add", "zhang", "--name", "张三")
    for arguments, says in (
        (("add", "zhang", "--name", "张四"), "已经有人用了"),
        (("add", "z z", "--name", "张四"), "账号请用2到32个"),
        (("password", "nobody"), "没有这个账号"),
        (("disable", "nobody"), "没有这个账号"),
    ):
        result = run(tmp_path, *arguments)
        assert result.exit_code == 1 and says in result.output
    assert run(tmp_path, "add", "x", "--name", "张", "--role", "king").exit_code == 2
    assert run(tmp_path, "list").output.count("\n") == 1
