"""Imports go down only, and each foreign library has one door. Asserts that it saw files."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
PACKAGES = ("kb", "retrieval", "bot", "scripts")

# A module may import from its own layer and from those below it (further up in this list).
LAYERS = (
    ("kb",),
    ("retrieval",),
    ("bot.core",),
    ("bot.storage",),
    ("bot.settings", "bot.lock", "bot.clients"),
    (
        "bot.thinking",
        "bot.minds",
        "bot.asking",
        "bot.explaining",
        "bot.drafting",
        "bot.exporting",
        "bot.turns",
    ),
    ("bot.channels", "bot.desk", "bot.api", "bot.health"),
    ("bot.app",),
    ("scripts",),
)
# Only these may import the library. The core sees retrieval's types and text forms, no index.
DOORS = {
    "telegram": ("bot.channels.telegram",),
    "faiss": ("retrieval.dense",),
    "sentence_transformers": ("retrieval.hub_encoder", "scripts.train_encoder"),
    "torch": ("scripts.train_encoder",),
    # The benchmark compares with the full-text search of SQLite itself.
    "sqlite3": ("bot.storage", "kb.catalogue", "scripts._benchmark.systems"),
    "sqlite_utils": ("kb.catalogue",),
    "aiohttp": (
        "bot.channels",
        "bot.desk",
        "bot.api",
        "bot.health",
        "bot.app",
        "bot.clients",
        "scripts",
    ),
    "cryptography": ("bot.storage",),
    "argon2": ("bot.desk",),
    "jinja2": ("bot.desk", "bot.channels.web", "scripts._evaluate.html"),
}
CORE_MAY_USE = ("retrieval.types", "retrieval.normalise")
PURE = ("asyncio", "logging", "random", "secrets", "time", "os", "pathlib", "socket", "threading")


def _modules() -> Iterator[tuple[str, Path]]:
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts), path


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(name == p or name.startswith(p + ".") for p in prefixes)


def _layer(module: str) -> int | None:
    found = [i for i, names in enumerate(LAYERS) if _within(module, names)]
    return max(found, default=None)


def test_imports_go_down_only() -> None:
    seen = checked = 0
    wrong = []
    for module, path in _modules():
        seen += 1
        own = _layer(module)
        if own is None:
            assert module in ("bot.__init__",), f"{module} is in no layer: add it to LAYERS"
            continue
        for name in _imports(path):
            layer = _layer(name)
            if layer is not None:
                checked += 1
                if layer > own:
                    wrong.append(f"{module} imports {name}")
    assert seen > 60 and checked > 300
    assert not wrong


def test_each_library_has_one_door() -> None:
    uses = dict.fromkeys(DOORS, 0)
    wrong = []
    for module, path in _modules():
        for name in _imports(path):
            library = name.split(".")[0]
            if library in DOORS:
                uses[library] += 1
                if not _within(module, DOORS[library]):
                    wrong.append(f"{module} imports {name}")
    assert not wrong
    assert all(uses.values()), f"nobody imports {[k for k, n in uses.items() if not n]}"


def test_only_one_module_imports_telegram() -> None:
    importers = {m for m, p in _modules() if any(_within(n, ("telegram",)) for n in _imports(p))}
    assert len(importers) == 1, importers


def test_the_core_is_pure() -> None:
    seen = 0
    wrong = []
    for module, path in _modules():
        if not _within(module, ("bot.core",)):
            continue
        seen += 1
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
        if any(isinstance(n, ast.AsyncFunctionDef | ast.Await) for n in ast.walk(tree)):
            wrong.append(f"{module} awaits")
        if ".now(" in text or "utcnow" in text:
            wrong.append(f"{module} reads the clock")
        for name in _imports(path):
            if name.split(".")[0] in PURE:
                wrong.append(f"{module} imports {name}")
            if _within(name, ("retrieval",)) and not _within(name, CORE_MAY_USE):
                wrong.append(f"{module} imports {name}")
    assert seen > 15
    assert not wrong
