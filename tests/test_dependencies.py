"""The default installation is light. `suifawen check-dependencies` asks the index; this test
walks what is installed, offline."""

from __future__ import annotations

import re
import tomllib
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement

from scripts.check_dependencies import HEAVY

PROJECT = tomllib.loads((Path(__file__).parent.parent / "pyproject.toml").read_text())["project"]


def _name(text: str) -> str:
    return re.sub(r"[-_.]+", "-", text).lower()


def _closure(requirements: list[str]) -> set[str]:
    found: set[str] = set()
    todo = [Requirement(text) for text in requirements]
    while todo:
        requirement = todo.pop()
        if requirement.marker and not requirement.marker.evaluate({"extra": ""}):
            continue
        name = _name(requirement.name)
        if name in found:
            continue
        found.add(name)
        try:
            todo.extend(Requirement(text) for text in requires(name) or ())
        except PackageNotFoundError:
            raise AssertionError(f"{name} is needed but not installed") from None
    return found


def test_the_default_set_holds_no_torch() -> None:
    names = _closure(PROJECT["dependencies"])
    assert len(names) > 20
    assert not {name for name in names if HEAVY.match(name)}
    for given in ("python-telegram-bot", "faiss-cpu", "sqlite-utils", "aiohttp"):
        assert given in names


def test_the_models_extra_is_where_torch_comes_from() -> None:
    wanted = {_name(Requirement(t).name) for t in PROJECT["optional-dependencies"]["models"]}
    assert wanted == {"sentence-transformers", "torch"}
