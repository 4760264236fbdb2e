"""``suifawen check-dependencies``: what would a user's pip install? Needs the network.

Resolves the default set (no extras) with pip's local links, extra indexes and constraints
switched off, and fails if torch, triton or an nvidia package is in it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import click

HEAVY = re.compile(r"^(?:torch|triton|nvidia-.*|cuda-.*)$")
ROOT = Path(__file__).parent.parent
_CUT = ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL", "PIP_CONSTRAINT", "PIP_NO_INDEX", "PIP_INDEX_URL")


@click.command()
def command() -> None:
    """Resolve the default dependencies as a user's pip would, and refuse heavy ones."""
    names = resolve()
    heavy = [name for name in names if HEAVY.match(name)]
    click.echo(f"{len(names)} packages: {', '.join(names)}")
    if heavy:
        click.echo(f"the default installation would pull {', '.join(heavy)}", err=True)
        sys.exit(1)


def resolve() -> list[str]:
    """Return the names of everything `pip install .` would install, sorted."""
    environment = {k: v for k, v in os.environ.items() if k not in _CUT}
    environment["PIP_CONFIG_FILE"] = os.devnull
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        subprocess.run(
            [sys.executable, "-m", "pip", "install", "--dry-run", "--ignore-installed", "--quiet",
             "--disable-pip-version-check", "--report", str(report), str(ROOT)],
            env=environment, check=True,
        )  # fmt: skip
        data = json.loads(report.read_text(encoding="utf-8"))
    return sorted(
        re.sub(r"[-_.]+", "-", row["metadata"]["name"]).lower() for row in data["install"]
    )
