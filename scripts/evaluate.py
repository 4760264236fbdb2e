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

from retrieval.evaluation import (
    Evaluation,
    Outcome,
    Question,
    QuestionsError,
    evaluate,
    load_questions,
)
from scripts._mind import open_current_mind

if TYPE_CHECKING:
    from bot.thinking import Mind


@click.command()
@click.argument("questions", metavar="FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
@click.option("--examples/--no-examples", default=True, help="Show the worst confusions.")
def command(questions: Path, data: Path | None, as_json: bool, examples: bool) -> None:
    """Ask every question of FILE (JSON lines) and print figures with 95 % intervals."""
    try:
        rows = load_questions(questions)
    except (QuestionsError, OSError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    mind = open_current_mind(data)
    outcomes = run(mind, rows)
    evaluation = evaluate(rows, outcomes)
    if as_json:
        click.echo(json.dumps(_as_json(evaluation), ensure_ascii=False, indent=1))
        return
    click.echo(f"{questions}: {len(rows)} questions, bundle {mind.playbook.bundle[:19]}")
    for m in evaluation.measures:
        click.echo(f"{m.name:42} {m.value:6.3f}   [{m.low:.3f}, {m.high:.3f}]   n={m.count}")
    click.echo("status: " + ", ".join(f"{k} {v}" for k, v in evaluation.statuses.items()))
    times = sorted(o.seconds * 1000 for o in outcomes)
    click.echo(f"time of a turn: median {times[len(times) // 2]:.2f} ms, "
               f"p95 {times[int(len(times) * 0.95)]:.2f} ms")  # fmt: skip
    if examples and evaluation.confusions:
        click.echo("most frequent confusions (labelled -> given):")
        for wanted, given, times_, text in evaluation.confusions:
            click.echo(f"  {times_:3}  {wanted} -> {given}   {text[:40]}")


def run(mind: Mind, questions: Sequence[Question]) -> list[Outcome]:
    """Return what the bot makes of each question, each in a fresh conversation."""
    from bot.asking import AskRequest, ask
    from retrieval.types import Query

    outcomes = []
    now = datetime.now(UTC)
    with click.progressbar(questions, file=sys.stderr, label="asking") as bar:
        for question in bar:
            started = time.perf_counter()
            answer = ask(mind, AskRequest(id=question.id, text=question.text[:20_000]), now)
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


def _as_json(evaluation: Evaluation) -> dict[str, object]:
    return {
        "measures": {
            m.name: {"value": m.value, "low": m.low, "high": m.high, "n": m.count}
            for m in evaluation.measures
        },
        "statuses": evaluation.statuses,
        "confusions": evaluation.confusions,
        "risk_coverage": evaluation.risk,
    }
