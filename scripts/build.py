"""``suifawen build``: make the bundle out of the knowledge base."""

from __future__ import annotations

import hashlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from bot.settings import Settings, SettingsError, load_settings
from kb.check import check_knowledge
from kb.load import SHIPPED, load_files, load_knowledge
from kb.truth import check_truth
from kb.types import Knowledge
from kb.yamlfile import KnowledgeError, Problem

_ROOT = Path(__file__).parent.parent


@click.command()
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--unchecked", is_flag=True, help="Build although the checks find problems.")
def command(data: Path | None, unchecked: bool) -> None:
    """Check the knowledge base and build the bundle from it."""
    try:
        settings = load_settings(data=data)
        place = build(settings, checked=not unchecked, report=click.echo)
    except (KnowledgeError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"知识包：{place}")


def roots(settings: Settings) -> tuple[Path, ...]:
    """Return the layers of the knowledge base: the shipped one, then the operator's."""
    own = settings.knowledge
    return (SHIPPED, own) if own.is_dir() else (SHIPPED,)


def inputs_digest(layers: Sequence[Path], encoder_id: str) -> str:
    """Return a digest of everything a bundle is built from: it is out of date when this changes."""
    from retrieval import analyse, bundle, danger, ranking
    from retrieval.labelled import TRAINING

    digest = hashlib.sha256(f"{bundle.FORMAT} {analyse.VERSION} {encoder_id}".encode())
    code = [p for package in ("kb", "retrieval") for p in sorted((_ROOT / package).glob("*.py"))]
    texts = [
        ranking.SHIPPED,
        *_examples(TRAINING),
        *_examples(danger.TRAINING),
        *_yaml_files(layers),
    ]
    for path in (*code, *texts):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def _examples(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.jsonl"))


def _yaml_files(layers: Sequence[Path]) -> Iterator[Path]:
    for layer in layers:
        yield from sorted(layer.rglob("*.yaml"))


def check_files(knowledge: Knowledge, files: Mapping[str, Any], where: str) -> list[Problem]:
    """Return what would keep the bot from speaking: a wrong wording, rule or operator's file."""
    from bot.core.playbook import PlaybookError, build_playbook
    from retrieval.danger import load_examples

    try:
        build_playbook(knowledge, files, _Untrained(tuple({kind for _, kind in load_examples()})))
    except PlaybookError as error:
        return [Problem(where, 0, str(error))]
    return []


@dataclass(frozen=True, slots=True)
class _Untrained:
    """Stands for the classifier of danger, which takes seconds to train: it has its classes."""

    classes: tuple[str, ...]

    def shares(self, folded: str) -> dict[str, float]:
        raise TypeError("not trained: only the files are checked with it")


def build(
    settings: Settings,
    *,
    checked: bool = True,
    by: str = "suifawen",
    report: Callable[[str], object] = print,
) -> Path:
    """Build, seal and publish a bundle; return its folder. Raises `KnowledgeError`.

    ``by`` stands in the log of publications, where a bundle that is in use already is not written
    again, unless a rollback is undone by it.
    """
    from bot.core.playbook import DIALECT
    from kb.catalogue import build_catalogue
    from retrieval import bundle
    from retrieval.classifier import save_classifiers
    from retrieval.danger import FILE as DANGER
    from retrieval.danger import build_danger, load_examples
    from retrieval.encoders import open_encoder
    from retrieval.index import build_index
    from retrieval.labelled import load_messages
    from retrieval.normalise import parse_dialect
    from retrieval.publishing import Publication, record, unpin
    from retrieval.ranking import SHIPPED as RANKING

    started = time.perf_counter()
    layers = roots(settings)
    knowledge, files = load_knowledge(layers), load_files(layers)
    if checked:
        problems = [*check_knowledge(knowledge), *check_truth(knowledge).problems]
        if problems:
            raise KnowledgeError(problems)
    if problems := check_files(knowledge, files, str(layers[-1])):
        raise KnowledgeError(problems)
    messages = load_messages(knowledge)
    danger = build_danger(knowledge, load_examples(), messages)
    encoder = open_encoder(settings.encoder)
    settings.bundles.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="building-", dir=settings.bundles))
    try:
        build_catalogue(folder / bundle.CATALOGUE, knowledge, files)
        dialect = parse_dialect(files.get(DIALECT))
        index = build_index(knowledge, encoder, messages, dialect)
        index.save(folder)
        save_classifiers(folder / DANGER, {"danger": danger})
        shutil.copyfile(RANKING, folder / bundle.RANKING)
        counts = {
            "entries": len(knowledge.entries),
            "provisions": len(knowledge.provisions),
            "articles": len(knowledge.articles),
            "candidates": index.dense.size,
        }
        digest = bundle.seal(folder, inputs_digest(layers, encoder.id), encoder, counts)
        folder.chmod(0o755)
        before = bundle.current(settings.bundles)
        place = bundle.publish(settings.bundles, folder, digest)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    if unpin(settings.bundles) or before != place:
        now = datetime.now(UTC)
        publication = Publication(at=now, by=by, action="publish", digest=digest)
        record(settings.bundles, publication)
    seconds = time.perf_counter() - started
    report(
        f"已生成：条目 {counts['entries']}，条款 {counts['provisions']}，"
        f"法条 {counts['articles']}，可答 {counts['candidates']}，用时 {seconds:.1f} 秒"
    )
    return place
