"""``kb check``, ``count`` and ``try``: is it right, how much is there, what would be said?"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import click

from kb.check import check_knowledge
from kb.load import SHIPPED, load_files
from kb.truth import check_truth
from kb.types import Kind
from kb.yamlfile import KnowledgeError
from scripts._kb.layers import DATA, FOLDERS, load_layers
from scripts.build import check_files


@click.command("check")
@FOLDERS
@click.option("--only", default="", help="Show only problems whose file or text contains this.")
def check(folders: tuple[Path, ...], only: str) -> None:
    """Check entries, references, phrasings and law facts; exit 1 if anything is wrong."""
    knowledge = load_layers(folders)
    truth = check_truth(knowledge)
    where = str(folders[-1] if folders else "kb")
    try:
        files = check_files(knowledge, load_files((SHIPPED, *folders)), where)
    except KnowledgeError as error:
        files = error.problems
    found = [*check_knowledge(knowledge), *truth.problems, *files]
    problems = [p for p in found if only in str(p)]
    for problem in problems:
        click.echo(str(problem))
    click.echo(
        f"句子 {truth.statements}，依据 {truth.bases}，数字 {truth.numbers}"
        f"（其中惯例 {truth.practice}）；要改 {len(problems)} 处"
    )
    sys.exit(1 if problems else 0)


@click.command("count")
@FOLDERS
def count(folders: tuple[Path, ...]) -> None:
    """Count entries by kind and topic."""
    knowledge = load_layers(folders)
    entries = knowledge.entries.values()
    situations = Counter(e.topic for e in entries if e.kind is Kind.SITUATION)
    services = sum(e.kind is Kind.SERVICE for e in entries)
    phrasings = sum(len(e.phrasings) for e in entries)
    phrasings += sum(len(p.phrasings) for p in knowledge.provisions.values())
    for topic in knowledge.topics.values():
        click.echo(f"{situations.get(topic.id, 0):4}  {topic.id:24}{topic.name}")
    click.echo(
        f"情形 {sum(situations.values())}，服务 {services}，条款 {len(knowledge.provisions)}，"
        f"说法 {phrasings}，引用法条 {len(knowledge.articles)}，法律 {len(knowledge.laws)}"
    )


@click.command("try")
@click.argument("text")
@DATA
def try_(text: str, data: Path | None) -> None:
    """Show what would be answered to TEXT, why, and what came second."""
    from bot.explaining import explain
    from scripts._mind import open_current_mind

    found = explain(open_current_mind(data), text, datetime.now(UTC))
    click.echo(found.answer)
    click.echo(f"\n---- {found.status}")
    for line in found.lines:
        click.echo(line)
