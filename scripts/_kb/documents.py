"""``kb add-document``: the next plan, when it is published."""

from __future__ import annotations

import re
import sys
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Literal, cast

import click
import yaml

from kb.sources import SourceError, parse_provisions
from kb.succession import find_successors
from kb.types import Document, Provision
from scripts._kb.editing import everything, own_layer
from scripts._kb.layers import DATA, write_yaml

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("add-document")
@click.argument("prefix")
@click.argument("source", metavar="FILE.txt", type=click.Path(path_type=Path, exists=True))
@click.option("--title", required=True)
@click.option("--from", "from_", type=_DAY, required=True, help="First day it is valid.")
@click.option("--to", type=_DAY, required=True, help="Last day it is valid.")
@click.option(
    "--numbering",
    type=click.Choice(["chinese", "arabic"]),
    required=True,
    help="chinese: （一）（二）…; arabic: 1. 2. …",
)
@click.option("--replaces", help="Prefix of the document it follows, for example plan.")
@DATA
def add_document(
    prefix: str, source: Path, title: str, from_: datetime, to: datetime, numbering: str,
    replaces: str | None, data: Path | None,
) -> None:  # fmt: skip
    """Take the text of a city document into the operator's layer, with ids PREFIX-1, PREFIX-2, …

    The text is one paragraph a line, as the three of 2021-2025 are (kb/sources/).
    """
    knowledge, own = everything(data), own_layer(data)
    if prefix in knowledge.documents or not re.fullmatch(r"[a-z][a-z0-9]{1,11}", prefix):
        _refuse(f"前缀“{prefix}”已经用过，或者不是2到12个小写字母和数字")
    if replaces is not None and replaces not in knowledge.documents:
        _refuse(f"没有文件“{replaces}”。现有：{'、'.join(knowledge.documents)}")
    if to < from_:
        _refuse("--to 不能早于 --from")
    try:
        text = source.read_text(encoding="utf-8-sig").strip() + "\n"
        document = Document(
            id=prefix,
            title=title,
            valid_from=from_.date(),
            valid_to=to.date(),
            opens_with=text[:12].split("\n")[0],
            title_line=text.split("\n")[0].strip() in (title, title.replace("—", "-")),
            numbering=cast(Literal["chinese", "arabic"], numbering),
        )
        parsed = parse_provisions(text, [document])
    except (SourceError, UnicodeDecodeError, OSError) as error:
        _refuse(f"{source} 解析不了：{error}。请每段一行，编号写成（一）或者 1.")
    _write(own, document, parsed, text, source.name)
    click.echo(f"{title}：{len(parsed)} 条，写在 {own / 'provisions'}")
    if replaces is not None:
        _show_successors(
            parsed, [p for p in knowledge.provisions.values() if p.document == replaces]
        )
    click.echo(f"请在 {own / 'provisions'}/{prefix}.notes.yaml 里写标题、说明和说法，再发布")
    click.echo(f"“规划到期了，还管用吗”那一条（{STILL_VALID}）也要跟着改，说清楚现在按哪份文件")


STILL_VALID = "plan-content-still-valid"


def _refuse(message: str) -> None:
    click.echo(message, err=True)
    sys.exit(1)


def _write(own: Path, document: Document, parsed: list[Provision], text: str, name: str) -> None:
    (own / "sources").mkdir(parents=True, exist_ok=True)
    (own / "provisions").mkdir(parents=True, exist_ok=True)
    (own / "sources" / f"{document.id}.txt").write_text(text, encoding="utf-8")
    path = own / "sources/documents.yaml"
    rows = []
    if path.exists():
        rows = (yaml.safe_load(path.read_text(encoding="utf-8")) or {}).get("documents", [])
    write_yaml(
        path, {"documents": [*rows, asdict(document)]}, "# 由 suifawen kb add-document 写入。\n"
    )
    keys = (
        "id",
        "document",
        "number",
        "label",
        "chapter",
        "section",
        "heading",
        "text",
        "original",
    )
    provisions = [{key: getattr(p, key) for key in keys} for p in parsed]
    head = f"# 由 suifawen kb add-document 从 {name} 解析。不要手工改。\n"
    write_yaml(own / f"provisions/{document.id}.yaml", {"provisions": provisions}, head)


def _show_successors(new: list[Provision], old: list[Provision]) -> None:
    found, gone = find_successors(new, old)
    headings = {p.id: p.heading for p in (*new, *old)}
    click.echo("可能的承接关系（请人工核对）：")
    for each in found:
        before = f"{each.old}（{headings[each.old]}）" if each.old else "新的，没有对应的旧条款"
        click.echo(f"  {each.new}（{headings[each.new]}） <- {before}  {each.likeness:.0%}")
    for id_ in gone:
        click.echo(f"  {id_}（{headings[id_]}）没有看到承接的条款")
