"""``suifawen evaluate``: how good are the answers on a file of labelled questions?"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.settings import Settings, SettingsError, load_settings
from kb.types import Kind
from kb.yamlfile import KnowledgeError
from retrieval.bundle import RANKING, BundleError
from retrieval.encoder import EncoderError
from retrieval.evaluation import (
    Known,
    Outcome,
    Question,
    QuestionsError,
    compare,
    evaluate,
    load_questions,
)
from retrieval.ranking import load_ranking
from scripts._evaluate.compare import find_bundle, knowledge_differs, open_other
from scripts._evaluate.html import render
from scripts._evaluate.report import Other, Report, as_json, as_text
from scripts._mind import open_current_mind

if TYPE_CHECKING:
    from bot.thinking import Mind

_CANNOT = (QuestionsError, SettingsError, KnowledgeError, BundleError, EncoderError, OSError)
_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_PAGE = click.Path(path_type=Path, dir_okay=False, writable=True)


@click.command()
@click.argument("questions", metavar="FILE", type=_FILE)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--json", "plain", is_flag=True, help="Print the figures as JSON.")
@click.option("--html", "page", metavar="FILE", type=_PAGE, help="Write a report to look at.")
@click.option("--against", metavar="DIGEST", help="Compare with another bundle of the folder.")
@click.option("--against-encoder", "encoder", metavar="NAME",
              help="Compare with another encoder: a folder or a hub name.")  # fmt: skip
@click.option("--corpus", metavar="CORPUS", type=_FILE,
              help="{id, text} that FILE asks for with {query, gold}.")  # fmt: skip
@click.option("--folds", default=5, show_default=True, help="With --corpus.")
@click.option(
    "--statutes", type=_FILE, help="With --corpus: articles that the encoder learns first."
)
@click.option("--examples/--no-examples", default=True, help="Show the worst confusions.")
def command(
    questions: Path,
    data: Path | None,
    plain: bool,
    page: Path | None,
    against: str | None,
    encoder: str | None,
    corpus: Path | None,
    folds: int,
    statutes: Path | None,
    examples: bool,
) -> None:
    """Ask every question of FILE (.jsonl or .yaml) and print figures with 95 % intervals."""
    if corpus is not None:
        _cross_validate(questions, corpus, folds, statutes)
        return
    if against is not None and encoder is not None:
        raise click.UsageError("give either --against or --against-encoder")
    if page is not None and not page.parent.is_dir():
        raise click.BadParameter(f"there is no folder {page.parent}", param_hint="--html")
    at = datetime.now(UTC)
    try:
        load_questions(questions)  # a wrong file is told before a bundle is built, not after
        mind = open_current_mind(data)
        rows = load_questions(questions, _known(mind))
        report = _report(load_settings(data=data), mind, questions, rows, against, encoder)
        if page is not None:
            page.write_text(render(report, at), encoding="utf-8")
            click.echo(f"report: {page}", err=True)
    except _CANNOT as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    if plain:
        click.echo(json.dumps(as_json(report), ensure_ascii=False, indent=1))
        return
    for line in as_text(report, examples):
        click.echo(line)


def run(mind: Mind, questions: Sequence[Question], label: str = "asking") -> list[Outcome]:
    """Return what the bot makes of each question, each in a fresh conversation."""
    from bot.asking import AskRequest, ask
    from retrieval.types import Query

    outcomes = []
    now = datetime.now(UTC)
    with click.progressbar(questions, file=sys.stderr, label=label) as bar:
        for question in bar:
            started = time.perf_counter()
            answer = ask(mind, AskRequest(text=question.text[:20_000]), now)
            seconds = time.perf_counter() - started
            found = mind.searcher.search(Query(text=question.text[:2000]))
            topics = tuple(dict.fromkeys((answer["topic"], *(t for t, _ in found.topics))))
            hits = (h.id for h in found.hits)
            known = mind.playbook.knowledge
            situations = (answer["situation"], *(h for h in hits if h in known.entries))
            outcomes.append(
                Outcome(
                    status=answer["status"],
                    topics=topics,
                    services=tuple(answer["services"]),
                    situations=tuple(dict.fromkeys(s for s in situations if s)),
                    provisions=tuple(answer["provisions"]),
                    urgency=answer["urgency"],
                    confidence=answer["confidence"],
                    seconds=seconds,
                )
            )
    return outcomes


def _known(mind: Mind) -> Known:
    knowledge = mind.playbook.knowledge
    situations = (e.id for e in knowledge.entries.values() if e.kind is Kind.SITUATION)
    return Known(frozenset(situations), frozenset(knowledge.provisions))


def _cross_validate(questions: Path, corpus: Path, folds: int, statutes: Path | None) -> None:
    import importlib.util

    from scripts._evaluate.corpus import cross_validate, fold_encoder, load_asked, load_corpus

    try:
        texts = load_corpus(corpus)
        asked = load_asked(questions, texts)
    except (OSError, ValueError, KeyError, TypeError) as error:
        click.echo(f"{error!r}: FILE needs lines with query and gold, CORPUS with id and text",
                   err=True)  # fmt: skip
        sys.exit(1)
    dense = importlib.util.find_spec("sentence_transformers") is not None
    train = fold_encoder(texts, statutes) if dense else None
    how = "lexical, and an encoder for each fold" if dense else "lexical only"
    click.echo(f"{len(asked)} questions, {len(texts)} texts, {folds} folds, {how}")
    for m in cross_validate(texts, asked, folds, train):
        click.echo(f"{m.name:42} {m.value:6.3f}   [{m.low:.3f}, {m.high:.3f}]   n={m.count}")


def _report(
    settings: Settings,
    mind: Mind,
    source: Path,
    rows: Sequence[Question],
    against: str | None,
    encoder: str | None,
) -> Report:
    bundle = mind.playbook.bundle
    ranking = load_ranking(find_bundle(settings.bundles, bundle) / RANKING)
    if encoder is not None and knowledge_differs(settings, bundle):
        click.echo("the bundle in use is older than the knowledge base: both differ", err=True)
    # Both sides are opened before a question is asked: what cannot be opened is told at once.
    with open_other(settings, against, encoder) as named:
        outcomes = run(mind, rows)
        other = None
        if named is not None:
            name, theirs = named
            answers = run(theirs, rows, label=f"asking {name}")
            other = Other(
                name=name,
                evaluation=evaluate(rows, answers),
                comparison=compare(rows, outcomes, answers),
            )
    return Report(
        source=str(source),
        bundle=bundle,
        questions=rows,
        outcomes=outcomes,
        evaluation=evaluate(rows, outcomes, ranking.answer_above),
        other=other,
    )
