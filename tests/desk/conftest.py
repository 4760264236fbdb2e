"""A desk with one person of each role in front of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from bot.desk import DeskSettings
from bot.storage.store import Role
from bot.thinking import Mind
from tests.desk.desk_app import Person, Running, add_staff, at_the_desk, running


class Team(NamedTuple):
    wang: Person
    """A clerk."""
    li: Person
    """Another clerk."""
    zhao: Person
    """Their supervisor."""
    admin: Person


@pytest.fixture
async def app(mind: Mind, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(mind, tmp_path, DeskSettings()) as made:
        yield made


@pytest.fixture
async def team(app: Running) -> AsyncIterator[Team]:
    async with AsyncExitStack() as stack:
        people = []
        for login, role, name in (
            ("wang", Role.CLERK, "王敏"),
            ("li", Role.CLERK, "李建国"),
            ("zhao", Role.SUPERVISOR, "赵明"),
            ("admin", Role.ADMIN, "管理员"),
        ):
            staff = await add_staff(app, login, role, name)
            people.append(await stack.enter_async_context(at_the_desk(app, staff)))
        yield Team(*people)
