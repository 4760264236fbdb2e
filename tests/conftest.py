"""What all tests share: which parts can run here, and a count of what was left out.

`SUIFAWEN_ALLOW_NOTHING_LEFT_OUT=1` (set by .ci/run) makes a left-out test a failure.
"""

from __future__ import annotations

import fcntl
import importlib.util
import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from bot.minds import open_mind
from bot.settings import Settings, load_settings
from bot.thinking import Mind
from kb.types import Knowledge
from retrieval.bundle import current
from scripts.build import build

_STRICT = os.environ.get("SUIFAWEN_ALLOW_NOTHING_LEFT_OUT") == "1"
_CHROMIUM = next((p for n in ("chromium", "chromium-browser") if (p := shutil.which(n))), None)
_NEEDS = {
    "browser": (
        _CHROMIUM is not None,
        "no Chromium: sudo apt-get install -y chromium fonts-noto-cjk",
    ),
    "node": (shutil.which("node") is not None, "no node: sudo apt-get install -y nodejs"),
    "models": (
        importlib.util.find_spec("sentence_transformers") is not None,
        "no sentence-transformers: pip install torch==2.13.0 && pip install -e '.[models]'",
    ),
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for name, (present, reason) in _NEEDS.items():
            if item.get_closest_marker(name) and not present:
                item.add_marker(pytest.mark.skip(reason=reason))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = Counter(str(r.longrepr[2]) for r in terminalreporter.stats.get("skipped", ()))
    for reason, count in skipped.items():
        terminalreporter.write_line(f"left out: {count} ({reason})")
    if not skipped:
        terminalreporter.write_line("left out: nothing")


def pytest_sessionfinish(session: pytest.Session) -> None:
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if _STRICT and reporter is not None and reporter.stats.get("skipped"):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


# -- the real knowledge base, built once for all workers ----------------------------------


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of an installation with the shipped knowledge base built."""
    shared = tmp_path_factory.getbasetemp()
    if os.environ.get("PYTEST_XDIST_WORKER"):
        shared = shared.parent  # all workers of one run
    made = load_settings(data=shared / "shipped")
    made.data.mkdir(exist_ok=True)
    with (made.data / "building.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if current(made.bundles) is None:
            build(made, checked=False, report=lambda _: None)  # kb check is a step of its own
    return made


@pytest.fixture(scope="session")
def mind(settings: Settings) -> Mind:
    """The shipped knowledge base, open."""
    return open_mind(settings)


@pytest.fixture(scope="session")
def knowledge(mind: Mind) -> Knowledge:
    return mind.playbook.knowledge


@pytest.fixture
def data(settings: Settings, tmp_path: Path) -> Path:
    """A fresh data folder with the bundle built already, for a server of its own."""
    shutil.copytree(settings.bundles, tmp_path / "data" / "bundles")
    return tmp_path / "data"
