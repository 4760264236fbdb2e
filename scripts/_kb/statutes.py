"""``kb import-statutes``: the operator's own copy of the law, to be opened and read in full."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import click

from bot.settings import SettingsError, load_settings
from kb.statute_files import StatuteArticle, StatuteFileError, read_statutes
from retrieval.statutes import StatutesError, open_statutes, write_statutes
from scripts._kb.layers import DATA


@click.command("import-statutes")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--replace", is_flag=True, help="Drop the laws that were imported before.")
@DATA
def import_statutes(files: tuple[Path, ...], replace: bool, data: Path | None) -> None:
    """Import statutes from FILES (.jsonl, .jsonl.gz, .md, .txt, .docx) into DATA/statutes.

    Laws that were imported before stay; one that is imported again is replaced. A running server
    uses them from its next start.
    """
    started = time.perf_counter()
    try:
        folder = load_settings(data=data).statutes
        articles = list(_read(files))
        again = {a.law for a in articles}
        before = None if replace else open_statutes(folder)
        kept = [a for a in (before or {}).values() if a.law not in again]
        articles += kept
        counts = write_statutes(folder, articles, date.today())
    except (StatuteFileError, StatutesError, SettingsError) as error:
        click.echo(f"没有导入：{error}", err=True)
        sys.exit(1)
    seconds = time.perf_counter() - started
    click.echo(
        f"导入法律 {counts['laws']} 部，法条 {counts['articles']} 条，用时 {seconds:.0f} 秒；"
        f"没有导入的（已废止、未施行或者旧版本）{counts['left_out']} 部"
    )
    if kept:
        click.echo(f"其中以前导入、这次保留的 {len({a.law for a in kept})} 部")
    click.echo("重新启动后生效")


def _read(files: tuple[Path, ...]) -> Iterator[StatuteArticle]:
    for path in files:
        yield from read_statutes(path)
