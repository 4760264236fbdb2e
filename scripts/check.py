"""``suifawen check``: everything that CI checks, in the same order. `make test` calls it."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import click

STEPS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("format", ("ruff", "format", "--check", ".")),
    ("lint", ("ruff", "check", ".")),
    ("types", ("mypy",)),
    ("knowledge", ("scripts", "kb", "check")),
    ("tests", ("pytest", "-q", "-n", "2")),
)
_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1"}
"""See retrieval/__init__.py; pytest-randomly loads numpy before anything of ours."""


@click.command()
@click.argument("only", nargs=-1, type=click.Choice([name for name, _ in STEPS]))
def command(only: tuple[str, ...]) -> None:
    """Run format, lint, types, knowledge and tests; or ONLY some of them."""
    failed = []
    for name, arguments in STEPS:
        if only and name not in only:
            continue
        click.secho(f"== {name}", bold=True)
        started = time.perf_counter()
        command_line = [sys.executable, "-m", *arguments]
        code = subprocess.run(command_line, env=os.environ | _ENVIRONMENT, check=False).returncode
        click.echo(
            f"{name}: {'ok' if code == 0 else 'FAILED'}, {time.perf_counter() - started:.0f} s"
        )
        if code:
            failed.append(name)
    if failed:
        click.secho(f"failed: {', '.join(failed)}", fg="red")
        sys.exit(1)
