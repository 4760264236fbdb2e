"""``kb new``, ``export``, ``import``, ``approve`` and ``diff``: changing what the bot knows."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import click

from bot.settings import SettingsError, load_settings
from kb.approval import append_approvals, entry_digest
from kb.catalogue import CatalogueError, open_catalogue
from kb.check import ID_RULE, MIN_PHRASINGS, check_knowledge, is_id
from kb.spreadsheet import SpreadsheetError, changes, read_spreadsheet, write_spreadsheet
from kb.types import Entry, Kind, Knowledge
from kb.writing import entry_record, write_records
from retrieval.bundle import CATALOGUE
from scripts._kb.layers import DATA, load_layers, name_of

REVIEW = timedelta(days=180)


def own_layer(data: Path | None) -> Path:
    try:
        return load_settings(data=data).knowledge
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def everything(data: Path | None) -> Knowledge:
    own = own_layer(data)
    return load_layers((own,) if own.is_dir() else ())


@click.command("new")
@click.argument("kind", type=click.Choice(["situation", "service"]))
@click.argument("topic")
@click.argument("id_", metavar="ID")
@DATA
def new(kind: str, topic: str, id_: str, data: Path | None) -> None:
    """Put an empty entry of TOPIC with ID into the operator's layer, to be filled in."""
    knowledge = everything(data)
    if topic not in knowledge.topics:
        click.echo(f"没有主题“{topic}”。可用的：{'、'.join(knowledge.topics)}", err=True)
        sys.exit(1)
    if id_ in knowledge.entries:
        click.echo(f"编号“{id_}”已经用过（{knowledge.entries[id_].source}）", err=True)
        sys.exit(1)
    if not is_id(id_):
        click.echo(f"编号“{id_}”不行：{ID_RULE}。例如 {topic}-no-contract", err=True)
        sys.exit(1)
    today = date.today()
    asked = MIN_PHRASINGS[Kind(kind)]
    record: dict[str, Any] = {
        "id": id_,
        "title": "（名字，不超过16个字）",
        "answer": "（一句话回答：先说结论，再说先找谁。依据写在句子最后的方括号里）",
        "steps": ["（第一步，马上要做的）"],
        "where": ["（去哪里）"],
        "bring": ["（要带什么）"],
        "evidence": ["（要留什么证据；没有就删掉这一项）"],
        "cost": ["（要不要钱）"],
        "time": ["（从哪天算、多久，写上依据）"],
        "help": ["（什么人能得到法律援助、调解；没有就删掉）"],
        "refused": ["（人家不管、不受理，怎么办）"],
        "dont": ["（千万不要）"],
        "exceptions": ["（什么情况不一样；没有就删掉）"],
        "hotlines": [],
        "services": [],
        "provisions": [],
        "handoff": ["consult"],
        "must_mention": ["（必须说到的词）"],
        "phrasings": [f"（说法，至少{asked}条）"],
        "verified_on": today,
        "review_by": today + REVIEW,
    }
    path = write_records(own_layer(data), Kind(kind), topic, [record])
    click.echo(f"写在 {path}。填好以后运行 suifawen kb check --with {path.parent.parent}")


@click.command("export")
@click.argument("target", metavar="FILE.xlsx", type=click.Path(path_type=Path))
@DATA
def export(target: Path, data: Path | None) -> None:
    """Write all entries to a spreadsheet."""
    entries = everything(data).entries.values()
    try:
        write_spreadsheet(target, entries)
    except OSError as error:
        click.echo(f"写不了 {target}：{error.strerror}。请换一个文件夹里的 .xlsx 文件名", err=True)
        sys.exit(1)
    click.echo(f"{len(entries)} 个条目写到 {target}。改完用 suifawen kb import 读回来")


@click.command("import")
@click.argument("source", metavar="FILE.xlsx", type=click.Path(path_type=Path, exists=True))
@DATA
def import_(source: Path, data: Path | None) -> None:
    """Read a spreadsheet; what differs goes into the operator's layer."""
    knowledge, own = everything(data), own_layer(data)
    try:
        rows = read_spreadsheet(source)
    except SpreadsheetError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    unknown = [row for row in rows if row.topic and row.topic not in knowledge.topics]
    found = changes(rows, knowledge.entries)
    for row in unknown:
        click.echo(f"{row.where}：没有主题“{row.topic}”。可用的主题见 kb/topics.yaml", err=True)
    for row in found.conflicts:
        click.echo(
            f"{row.where}：{row.id} 在导出以后别处也改过。请重新导出，在新表里改这一行", err=True
        )
    if unknown or found.conflicts:
        click.echo("什么都没有写入，表格里的内容没有丢", err=True)
        sys.exit(1)
    files: dict[tuple[Kind, str], list[dict[str, Any]]] = {}
    for row in found.changed:
        files.setdefault((row.kind, row.topic), []).append(row.record)
    for (kind, topic), records in files.items():
        path = write_records(own, kind, topic, records)
        click.echo(f"{path}：{'、'.join(r['id'] for r in records)}")
    click.echo(f"读了 {len(rows)} 行，有 {len(found.changed)} 个条目变了或者是新的")
    if found.outdated:
        ids = "、".join(row.id for row in found.outdated)
        click.echo(f"表格里没有改、系统里已经更新的，按系统里的不动：{ids}")
    absent = len(knowledge.entries.keys() - {row.id for row in rows})
    if absent:
        click.echo(f"不在表格里的 {absent} 个条目不动（删掉一行不会撤下条目）")
    click.echo(f"请运行 suifawen kb check --with {own}")


@click.command("approve")
@click.argument("ids", nargs=-1)
@click.option("--all", "all_", is_flag=True, help="Every entry as it stands.")
@click.option(
    "--by", required=True, callback=name_of, help="Who approves; citizens do not see the name."
)
@DATA
def approve(ids: tuple[str, ...], all_: bool, by: str, data: Path | None) -> None:
    """Record that BY approves the entries IDS, in the wording they have now."""
    knowledge = everything(data)
    unknown = [id_ for id_ in ids if id_ not in knowledge.entries]
    if unknown or not (ids or all_):
        problem = f"没有这些条目：{'、'.join(unknown)}" if unknown else "请写编号，或者 --all"
        click.echo(problem, err=True)
        sys.exit(1)
    entries = [e for e in knowledge.entries.values() if all_ or e.id in ids]
    places = {entry.source for entry in entries}
    unfinished = [p for p in check_knowledge(knowledge) if f"{p.file}:{p.line}" in places]
    if unfinished:
        click.echo("先改好这些，再审定：\n" + "\n".join(map(str, unfinished)), err=True)
        sys.exit(1)
    count = append_approvals(own_layer(data), entries, by, datetime.now(UTC))
    rest = sum(not e.approved_by for e in everything(data).entries.values())
    click.echo(f"{by} 审定了 {count} 个条目，还有 {rest} 个没有审定")
    click.echo("发布以后生效：suifawen kb publish")


@click.command("diff")
@click.argument("old")
@click.argument("new", default="")
@DATA
def diff(old: str, new: str, data: Path | None) -> None:
    """Show what citizens will see changed from bundle OLD to NEW (default: the files now).

    OLD and NEW are folders or the first characters of digests under DATA/bundles.
    """
    bundles = load_settings(data=data).bundles
    before = _open(bundles, old)
    after = _open(bundles, new) if new else everything(data)
    lines = list(compare(before, after))
    for line in lines or ["没有变化"]:
        click.echo(line)


def _open(bundles: Path, name: str) -> Knowledge:
    folders = [Path(name)] if Path(name).is_dir() else sorted(bundles.glob(f"{name}*"))
    try:
        if len(folders) != 1:
            raise CatalogueError(f"{bundles} 里没有、或者不止一个以“{name}”开头的知识包")
        return open_catalogue(folders[0] / CATALOGUE)[0]
    except CatalogueError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


def compare(before: Knowledge, after: Knowledge) -> Iterator[str]:
    """Yield a line for each change that a citizen can notice, entries in their order."""
    for id_ in (*before.entries, *(i for i in after.entries if i not in before.entries)):
        old, new = before.entries.get(id_), after.entries.get(id_)
        if old is None and new is not None:
            yield f"新增 {id_}：{new.title}"
        elif new is None and old is not None:
            yield f"撤下 {id_}：{old.title}"
        elif old is not None and new is not None and entry_digest(old) != entry_digest(new):
            yield f"改动 {id_}：{new.title}"
            yield from _changes(old, new)
    for name in ("provisions", "laws", "articles", "places", "hotlines"):
        a, b = getattr(before, name), getattr(after, name)
        changed = [k for k in {**a, **b} if a.get(k) != b.get(k)]
        if changed:
            yield f"{name} 改动 {len(changed)} 项：{'、'.join(changed[:10])}"


def _changes(old: Entry, new: Entry) -> Iterator[str]:
    a, b = entry_record(old), entry_record(new)
    for key in {**a, **b}:
        was, now = a.get(key, ""), b.get(key, "")
        if was == now:
            continue
        was_lines = was if isinstance(was, list) else [str(was)]
        now_lines = now if isinstance(now, list) else [str(now)]
        yield from (f"    {key} - {line}" for line in was_lines if line and line not in now_lines)
        yield from (f"    {key} + {line}" for line in now_lines if line and line not in was_lines)
