"""``suifawen kb``: the editor's tools for the knowledge base."""

from __future__ import annotations

import click

from scripts._kb import checking, editing, making, publishing, reporting, statutes


@click.group()
def command() -> None:
    """Check, complete, publish and inspect the knowledge base."""


for module in (checking, making, editing, publishing, reporting, statutes):
    for verb in vars(module).values():
        if isinstance(verb, click.Command):
            command.add_command(verb)
