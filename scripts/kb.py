"""``suifawen kb``: the editor's tools for the knowledge base."""

from __future__ import annotations

import sys
from collections import Counter
from datetime import date
from pathlib import Path

import click
import yaml

from kb.check import check_knowledge
from kb.load import SHIPPED, DocumentFile, load_knowledge
from kb.truth import check_truth
from kb.types import Kind, Knowledge
from kb.yamlfile import KnowledgeError, load_yaml, parse_file


@click.group()
def command() -> None:
    """Check, complete and inspect the knowledge base."""


def _load(folders: tuple[Path, ...]) -> Knowledge:
    try:
        return load_knowledge((SHIPPED, *folders))
    except KnowledgeError as error:
        click.echo(str(error), err=True)
        sys.exit(1)


_FOLDERS = click.option(
    "--with", "folders", multiple=True, type=click.Path(path_type=Path, exists=True),
    help="A further layer (the operator's DATA/kb); its entries win by id.",
)  # fmt: skip


@command.command("check")
@_FOLDERS
@click.option("--only", default="", help="Show only problems whose file or text contains this.")
def check(folders: tuple[Path, ...], only: str) -> None:
    """Check entries, references, phrasings and law facts; exit 1 if anything is wrong."""
    knowledge = _load(folders)
    truth = check_truth(knowledge)
    problems = [p for p in (*check_knowledge(knowledge), *truth.problems) if only in str(p)]
    for problem in problems:
        click.echo(str(problem))
    click.echo(
        f"句子 {truth.statements}，依据 {truth.bases}，数字 {truth.numbers}"
        f"（其中惯例 {truth.practice}）；要改 {len(problems)} 处"
    )
    sys.exit(1 if problems else 0)


@command.command("count")
@_FOLDERS
def count(folders: tuple[Path, ...]) -> None:
    """Count entries by kind and topic."""
    knowledge = _load(folders)
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


@command.command("provisions")
def provisions() -> None:
    """Parse kb/sources/ again and write kb/provisions/*.yaml."""
    from kb.sources import parse_provisions

    documents = parse_file(
        load_yaml(SHIPPED / "sources/documents.yaml", "kb/sources/documents.yaml"), DocumentFile
    ).documents
    source = (SHIPPED / "sources/suizhou-plans-2021-2025.txt").read_text(encoding="utf-8")
    parsed = parse_provisions(source, documents)
    keys = ("id", "document", "number", "label", "chapter", "section", "heading", "text")
    for document in documents:
        rows = [
            {key: getattr(p, key) for key in (*keys, "original")}
            for p in parsed
            if p.document == document.id
        ]
        header = "# Written by `suifawen kb provisions` from kb/sources/. Do not edit by hand.\n"
        _write_yaml(SHIPPED / f"provisions/{document.id}.yaml", {"provisions": rows}, header)
        click.echo(f"{document.title}：{len(rows)} 条")


@command.command("extract")
@click.argument("laws", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None)
def extract(laws: Path, as_of: object) -> None:
    """Look up every cited article in LAWS; write the extract and complete the register."""
    from kb.statutes import extract_article, load_statutes

    day = date.fromisoformat(str(as_of)[:10]) if as_of else date.today()
    knowledge = _load(())
    statutes = load_statutes(laws, day)
    cited = {(a.law, a.article) for a in knowledge.articles.values()}
    cited |= {(b.law, b.article) for e in knowledge.entries.values()
              for s in e.statements() for b in s.basis}  # fmt: skip
    articles: dict[str, dict[str, dict[str, object]]] = {}
    register = dict(knowledge.laws)
    new, missing = [], []
    for law, number in sorted(cited):
        statute = statutes.get(law)
        if statute is None or number not in statute.articles:
            missing.append(f"{law} {number}")
            continue
        quantities, digest = extract_article(statute.articles[number])
        articles.setdefault(law, {})[number] = {"quantities": list(quantities), "digest": digest}
        if law not in register:
            new.append(
                {
                    "name": law,
                    "category": statute.category,
                    "effective": statute.effective,
                    "verified_on": day,
                }
            )
            register[law] = None  # type: ignore[assignment]  # only marks it as seen
    header = (
        "# Written by `suifawen kb extract LAWS`: what the truth checker needs of the official\n"
        "# texts. Numbers with units and a digest of each cited article, no text.\n"
    )
    _write_yaml(SHIPPED / "laws/extract.yaml", {"articles": articles}, header)
    if new:
        path = SHIPPED / "laws/register.yaml"
        with path.open("a", encoding="utf-8") as file:
            for row in new:
                file.write("\n" + yaml.safe_dump([row], allow_unicode=True, sort_keys=False))
    click.echo(f"核对法条 {len(cited)}，找不到 {len(missing)}，新登记法律 {len(new)}")
    for name in missing:
        click.echo(f"  找不到：{name}")
    sys.exit(1 if missing else 0)


def _write_yaml(path: Path, data: object, header: str) -> None:
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=1000)
    path.write_text(header + text, encoding="utf-8")


@command.command("try")
@click.argument("text")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
def try_(text: str, data: Path | None) -> None:
    """Show what would be answered to TEXT, why, and what came second."""
    from datetime import UTC, datetime

    from bot.asking import AskRequest, ask
    from retrieval.types import Query
    from scripts._explaining import explain
    from scripts._mind import open_current_mind

    mind = open_current_mind(data)
    answer = ask(mind, AskRequest(text=text), datetime.now(UTC))
    click.echo(answer["text"])
    click.echo(f"\n---- {answer['status']}，紧急程度 {answer['urgency']}")
    for line in explain(mind.searcher.search(Query(text=text)), mind.playbook.knowledge):
        click.echo(line)
