"""``benchmark retrieval``: how good and how fast is our search beside what others would take?

All systems get the same candidates and the same questions in one run, each in processes of its
own (`child`), one after the other and with one thread. The rounds are interleaved, and of each
question the middle time counts, since machines are noisy.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, TypeVar

import click

from bot.settings import Settings, SettingsError, load_settings
from kb.types import Kind, Knowledge
from kb.yamlfile import KnowledgeError
from retrieval.evaluation import (
    Measure,
    Outcome,
    Question,
    QuestionsError,
    evaluate,
    load_questions,
)
from retrieval.labelled import Labelled, load_messages, phrasings
from scripts._benchmark.systems import HUB, OURS, OURS_MUTED, SYSTEMS
from scripts._benchmark.task import CATALOGUE, Document, Task

T = TypeVar("T")

QUALITY = ("situation hit@1", "situation hit@3", "topic top-1", "service hit@1")
COSTS = ("p50 ms", "p95 ms", "build s", "build MB", "start s", "start MB")
PACKAGES = ("bm25s", "jieba", "scikit-learn", "faiss-cpu", "sentence-transformers")
LONGEST = 2000
"""Characters of a question that are asked, as in `evaluate`."""
MESSAGES_EACH = 10
"""Messages to learn from for each question, when the run is cut down with --limit."""
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "PYTHONHASHSEED": "0",
}
LEGEND = """\
hit@1, hit@3, top-1: share of the questions, with its 95 % bootstrap interval. p50, p95: of one
question, warm, one thread. build: from nothing to a saved index, imports included. start: in a
fresh process, from the imports to the first answer. MB: growth of the resident memory over that.
x ours: the figure above as a multiple of ours.
A topic or first service that a system does not judge itself is that of its best candidate."""
SEEN = f"""\
Do not read the row of ours as held out: these phrasings are in no index here, but the shipped
encoder was trained with them. Compare the others with "{OURS_MUTED}"; even there the
weights of the order were chosen on these phrasings. The fair comparison is --questions FILE,
with questions that nothing of ours has seen."""


@dataclass(frozen=True, slots=True)
class Row:
    """What was measured of one system. ``absent`` names the package it lacks, if any."""

    name: str
    absent: str = ""
    quality: tuple[Measure, ...] = ()
    by_candidate: tuple[Measure, ...] = ()
    """The quality if topic and service are always those of the best candidate."""
    costs: tuple[float, ...] = ()
    """In the order and the units of `COSTS`."""


@click.command("retrieval")
@click.option(
    "--questions",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="JSON lines with text and topic or services; default: every fifth phrasing, held out.",
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--hub-model", default="", help="A sentence-transformers model to compare as well.")
@click.option(
    "--only",
    multiple=True,
    type=click.Choice([name for name in SYSTEMS if name != OURS]),
    help="Only this one beside ours; can be given several times.",
)
@click.option(
    "--rounds",
    default=3,
    show_default=True,
    type=click.IntRange(min=1),
    help="Interleaved rounds of asking.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    help="Only try the command out: so many questions, situations and provisions, few messages.",
)
def retrieval(
    questions: Path | None,
    data: Path | None,
    hub_model: str,
    only: tuple[str, ...],
    rounds: int,
    limit: int | None,
) -> None:
    """Our search beside BM25, SQLite FTS5, TF-IDF and FAISS; needs the extra [bench]."""
    try:
        settings = load_settings(data=data)
        knowledge, asked, files = _material(settings, questions)
    except (SettingsError, KnowledgeError, QuestionsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    messages = load_messages(knowledge)
    if limit is not None:
        knowledge, asked, messages = _cut_down(knowledge, asked, messages, limit)
    with tempfile.TemporaryDirectory(prefix="suifawen-benchmark-") as folder:
        task = _task(Path(folder), knowledge, asked, messages, files, settings.encoder, hub_model)
        rows = _measure(_names(only, hub_model), task, _scorer(knowledge, asked), rounds)
    for line in _report(rows, len(asked), len(task.documents), rounds):
        click.echo(line)
    if questions is None:
        click.echo(SEEN)


# -- what is asked, and of what -----------------------------------------------------------


def _material(
    settings: Settings, file: Path | None
) -> tuple[Knowledge, list[Question], dict[str, Any]]:
    """Return what everything is built from, the questions, and the raw files of knowledge."""
    from kb.load import load_files, load_knowledge
    from scripts.build import roots
    from scripts.calibrate import without_held_out

    layers = roots(settings)
    knowledge, files = load_knowledge(layers), load_files(layers)
    if file is not None:
        return knowledge, load_questions(file), files
    rest, held = without_held_out(knowledge)
    asked = [
        Question(id=str(number), text=text, situation=id_)
        for number, (text, id_) in enumerate(held)
        if id_ in rest.entries
    ]
    return rest, asked, files


def _cut_down(
    knowledge: Knowledge, asked: list[Question], messages: list[Labelled], limit: int
) -> tuple[Knowledge, list[Question], list[Labelled]]:
    """Return ``limit`` questions with their situations, and about as much of the rest.

    The services stay: the situations name them.
    """
    asked = _spread(asked, limit)
    situations = [e.id for e in knowledge.entries.values() if e.kind is Kind.SITUATION]
    kept = {*_spread(situations, limit), *(q.situation for q in asked)}
    entries = {
        e.id: e for e in knowledge.entries.values() if e.kind is not Kind.SITUATION or e.id in kept
    }
    provisions = {p.id: p for p in _spread(list(knowledge.provisions.values()), limit)}
    knowledge = replace(knowledge, entries=entries, provisions=provisions)
    return knowledge, asked, _spread(messages, limit * MESSAGES_EACH)


def _spread(rows: list[T], most: int) -> list[T]:
    """Return at most ``most`` of ``rows``, at even distances."""
    return rows[:: max(1, len(rows) // most)][:most]


def _task(
    folder: Path,
    knowledge: Knowledge,
    asked: Sequence[Question],
    messages: Sequence[Labelled],
    files: Mapping[str, Any],
    encoder: str,
    hub_model: str,
) -> Task:
    """Write what the systems are given to ``folder`` and return it."""
    from bot.core.playbook import DIALECT
    from kb.catalogue import build_catalogue

    build_catalogue(folder / CATALOGUE, knowledge, files)
    task = Task(
        folder=folder,
        documents=tuple(_documents(knowledge)),
        messages=tuple((m.text, m.topic, m.service) for m in messages),
        phrasings=tuple((p.text, p.topic) for p in phrasings(knowledge)),
        questions=tuple(q.text[:LONGEST] for q in asked),
        dialect=files.get(DIALECT),
        encoder=encoder,
        hub_model=hub_model,
    )
    task.save()
    return task


def _documents(knowledge: Knowledge) -> Iterable[Document]:
    """Yield the candidates, with the same words as in `retrieval.index.build_index`."""
    for entry in knowledge.entries.values():
        text = " ".join(s.text for s in entry.statements())
        yield Document(entry.id, entry.topic, entry.title, text, entry.phrasings)
    for provision in knowledge.provisions.values():
        text = " ".join((provision.summary, provision.heading, provision.text))
        yield Document(provision.id, "plan-content", provision.title, text, provision.phrasings)


# -- measuring ------------------------------------------------------------------------------


Answers = Sequence[Mapping[str, Any]]
Score = Callable[[Answers, bool], tuple[Measure, ...]]


def _names(only: Sequence[str], hub_model: str) -> list[str]:
    """Return the systems to measure: ours and the wanted ones, in the order of `SYSTEMS`."""
    wanted = {OURS, *(only or SYSTEMS)}
    return [name for name in SYSTEMS if name in wanted and (name != HUB or hub_model)]


def _measure(names: Sequence[str], task: Task, score: Score, rounds: int) -> list[Row]:
    """Build every system, then ask each in every round; return the rows in their order."""
    built: dict[str, dict[str, Any]] = {}
    runs: dict[str, list[dict[str, Any]]] = {name: [] for name in names}
    for name in names:
        click.echo(f"building: {name}", err=True)
        built[name] = _child(name, "build", task.folder)
    for turn in range(rounds):
        for name in names:
            if "absent" not in built[name]:
                click.echo(f"asking, round {turn + 1} of {rounds}: {name}", err=True)
                runs[name].append(_child(name, "ask", task.folder))
    return [_row(name, built[name], runs[name], score) for name in names]


def _child(name: str, step: str, folder: Path) -> dict[str, Any]:
    """Return what a fresh process measured of one system. Warnings of libraries are left out."""
    place = folder / str(list(SYSTEMS).index(name))
    place.mkdir(exist_ok=True)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "scripts._benchmark.child", name, step,
         str(folder), str(place)],
        env={**os.environ, **ONE_THREAD}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise click.ClickException(f"{name}, {step}: {done.stderr.strip()}")
    figures: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _scorer(knowledge: Knowledge, asked: Sequence[Question]) -> Score:
    """Return the function from answers to the measures of `QUALITY` that apply.

    Its second argument: use the topic and service that a system judged itself, if it did.
    """
    topics = {d.id: d.topic for d in _documents(knowledge)}
    services = {id_: _first_service(knowledge, id_) for id_ in topics}
    situations = {e.id for e in knowledge.entries.values() if e.kind is Kind.SITUATION}

    def outcome(answer: Mapping[str, Any], judged: bool) -> Outcome:
        # A candidate without a topic or service says nothing of it; the next one is asked.
        topic = next((t for id_ in answer["ids"] if (t := topics[id_])), None)
        service = next((s for id_ in answer["ids"] if (s := services[id_])), None)
        if judged:
            topic, service = answer["topic"] or topic, answer["service"] or service
        return Outcome(
            status="",
            topics=(topic,) if topic else (),
            services=(service,) if service else (),
            situations=tuple(id_ for id_ in answer["ids"] if id_ in situations),
            provisions=(),
            urgency="",
            confidence=0.0,
        )

    def score(answers: Answers, judged: bool) -> tuple[Measure, ...]:
        evaluation = evaluate(asked, [outcome(answer, judged) for answer in answers])
        return tuple(m for m in evaluation.measures if m.name in QUALITY)

    return score


def _first_service(knowledge: Knowledge, id_: str) -> str | None:
    """Return the service that a candidate sends to first: its own, itself, or its topic's."""
    entry = knowledge.entries.get(id_)
    if entry is None:
        named, topic = knowledge.provisions[id_].services, "plan-content"
    elif entry.kind is Kind.SERVICE:
        return entry.id
    else:
        named, topic = entry.services, entry.topic or ""
    if not named and topic in knowledge.topics:
        named = knowledge.topics[topic].default
    return named[0] if named else None


def _row(
    name: str, built: Mapping[str, Any], runs: Sequence[Mapping[str, Any]], score: Score
) -> Row:
    if "absent" in built:
        return Row(name, absent=built["absent"])
    each = [statistics.median(times) for times in zip(*(run["ms"] for run in runs), strict=True)]
    ordered = sorted(each)
    costs = (
        ordered[len(ordered) // 2],
        ordered[int(len(ordered) * 0.95)],
        built["build_s"],
        built["build_mb"],
        statistics.median(run["start_s"] for run in runs),
        statistics.median(run["start_mb"] for run in runs),
    )
    answers = runs[0]["answers"]
    return Row(name, "", score(answers, True), score(answers, False), costs)


# -- the table --------------------------------------------------------------------------------


def _report(rows: Sequence[Row], questions: int, candidates: int, rounds: int) -> Iterable[str]:
    ours = next(row for row in rows if row.name == OURS)
    yield f"{questions} questions, {candidates} candidates, rounds: {rounds}; {_versions()}"
    if ours.absent:
        raise click.ClickException(f"our own search lacks the package {ours.absent}")
    yield _line("", [m.name for m in ours.quality], COSTS)
    for row in rows:
        if row.absent:
            yield f"{row.name:24}not installed: {row.absent} ({_remedy(row.name)})"
            continue
        yield _line(row.name, map(_interval, row.quality), map(_figure, row.costs))
        yield _line("  x ours", *_ratios(row, ours))
    topic_or_service = [
        f"{m.name} {_interval(m)}"
        for m, judged in zip(ours.by_candidate, ours.quality, strict=True)
        if m.value != judged.value
    ]
    if topic_or_service:
        yield f"ours by its best candidate alone: {', '.join(topic_or_service)}"
    yield LEGEND


def _line(name: str, quality: Iterable[str], costs: Iterable[str]) -> str:
    return f"{name:24}" + "".join(f"{q:>23}" for q in quality) + "".join(f"{c:>10}" for c in costs)


def _ratios(row: Row, ours: Row) -> tuple[list[str], list[str]]:
    quality = [
        _ratio(mine.value or 0.0, own.value or 0.0)
        for mine, own in zip(row.quality, ours.quality, strict=True)
    ]
    return quality, [_ratio(a, b) for a, b in zip(row.costs, ours.costs, strict=True)]


def _ratio(figure: float, ours: float) -> str:
    return f"{figure / ours:.2f}" if ours > 0 else "-"


def _interval(measure: Measure) -> str:
    return f"{measure.value:.3f} [{measure.low:.3f}, {measure.high:.3f}]"


def _figure(value: float) -> str:
    """Three digits that count, without an exponent."""
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def _remedy(name: str) -> str:
    extra = "models" if name == HUB else "bench"
    return f"pip install 'suifawen[{extra}]'"


def _versions() -> str:
    found = [f"Python {platform.python_version()}"]
    for package in PACKAGES:
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            continue
    return ", ".join(found)
