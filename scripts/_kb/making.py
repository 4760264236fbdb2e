"""``kb provisions`` and ``kb extract``: files that are made from other texts."""

from __future__ import annotations

import sys
from datetime import date
from pathlib import Path

import click
import yaml

from kb.load import SHIPPED, DocumentFile
from kb.yamlfile import load_yaml, parse_file
from scripts._kb.layers import load_layers, write_yaml


@click.command("provisions")
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
        write_yaml(SHIPPED / f"provisions/{document.id}.yaml", {"provisions": rows}, header)
        click.echo(f"{document.title}：{len(rows)} 条")


@click.command("extract")
@click.argument("laws", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), default=None)
def extract(laws: Path, as_of: object) -> None:
    """Look up every cited article in LAWS; write the extract and complete the register."""
    from kb.statutes import extract_article, load_statutes

    day = date.fromisoformat(str(as_of)[:10]) if as_of else date.today()
    knowledge = load_layers(())
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
    write_yaml(SHIPPED / "laws/extract.yaml", {"articles": articles}, header)
    if new:
        path = SHIPPED / "laws/register.yaml"
        with path.open("a", encoding="utf-8") as file:
            for row in new:
                file.write("\n" + yaml.safe_dump([row], allow_unicode=True, sort_keys=False))
    click.echo(f"核对法条 {len(cited)}，找不到 {len(missing)}，新登记法律 {len(new)}")
    for name in missing:
        click.echo(f"  找不到：{name}")
    sys.exit(1 if missing else 0)
