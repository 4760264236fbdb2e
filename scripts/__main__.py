"""The command ``suifawen``: one verb for each file in this folder.

A verb's file defines ``command``, a `click.Command`, and imports what is heavy inside it,
so that ``suifawen --help`` stays quick.
"""

from __future__ import annotations

import importlib
from pathlib import Path

import click

_HERE = Path(__file__).parent


class _Verbs(click.Group):
    """Finds a verb by its file name; ``_`` in the name is ``-`` in the verb."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        names = (p.stem for p in _HERE.glob("*.py") if not p.stem.startswith("_"))
        return sorted(name.replace("_", "-") for name in names)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"scripts.{cmd_name.replace('-', '_')}")
        command: click.Command = module.command
        return command


@click.group(cls=_Verbs, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="suifawen")
def main() -> None:
    """随法问：随州公共法律服务问答。Each verb has its own --help."""


if __name__ == "__main__":
    main()
