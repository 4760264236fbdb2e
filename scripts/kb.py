"""``suifawen kb``: the editor's tools for the knowledge base."""

from __future__ import annotations

import click

from scripts._kb import checking, documents, editing, making, publishing, reporting, statutes


@click.group()
def command() -> None:
    """Check, complete, publish and inspect the knowledge base."""


for module in (checking, documents, making, editing, publishing, reporting, statutes):
    for verb in vars(module).values():
        if isinstance(verb, click.Command):
            command.add_command(verb)
