"""What the editor's commands share: loading the layers, writing YAML."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import yaml

from kb.load import SHIPPED, load_knowledge
from kb.types import Knowledge
from kb.yamlfile import KnowledgeError

FOLDERS = click.option(
    "--with", "folders", multiple=True, type=click.Path(path_type=Path, exists=True),
    help="A further layer (the operator's DATA/kb); its entries win by id.",
)  # fmt: skip
DATA = click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")


def name_of(_: click.Context, __: click.Parameter, value: str) -> str:
    """Return a person's name on one line. Raises `click.BadParameter` if there is none."""
    name = " ".join(value.split())
    if not name:
        raise click.BadParameter("请写名字，例如 --by 张三")
    return name


def load_layers(folders: tuple[Path, ...]) -> Knowledge:
    """Load the shipped knowledge and ``folders``; print what is wrong and exit if it cannot."""
    try:
        return load_knowledge((SHIPPED, *folders))
    except KnowledgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def write_yaml(path: Path, data: object, header: str) -> None:
    """Write ``data`` under ``header`` in the order it has."""
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000)
    path.write_text(header + text, encoding="utf-8")
