"""``suifawen benchmark``: figures beside those of others, in one run on one machine."""

from __future__ import annotations

import click

from scripts._benchmark.http import http
from scripts._benchmark.retrieval import retrieval


@click.group()
def command() -> None:
    """Measure; see the subcommands."""


command.add_command(http)
command.add_command(retrieval)
