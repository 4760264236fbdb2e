"""``suifawen ask``: questions in, answers out, without a server; stores nothing."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import click

from bot.asking import AskError, AskRequest, ask, parse_request
from bot.thinking import Mind
from scripts._mind import open_current_mind


@click.command()
@click.argument("text", nargs=-1)
@click.option("--jsonl", is_flag=True, help="Read one JSON object a line, write one a line.")
@click.option(
    "--in", "source", type=click.File("r", encoding="utf-8", errors="replace"), default="-"
)
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
def command(text: tuple[str, ...], jsonl: bool, source: IO[str], data: Path | None) -> None:
    """Ask TEXT (several are the turns of one conversation), or a file with --jsonl."""
    mind = open_current_mind(data)
    if not jsonl:
        if not text:
            raise click.UsageError("give a question, or --jsonl")
        request = AskRequest(id="", turns=list(text))
        answer = ask(mind, request, datetime.now(UTC))
        click.echo("\n\n----\n\n".join(answer["replies"]))
        return
    failed = False
    for line in _lines(source):
        answer = _answer(mind, line)
        failed = failed or answer["status"] == "error_request"
        sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    sys.exit(1 if failed else 0)


def _answer(mind: Mind, line: str) -> dict[str, Any]:
    """Return the answer to one line, or an error as the contract has it."""
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # also a number of more digits than Python reads
        return {"id": "", "status": "error_request", "text": "not a JSON object"}
    try:
        return ask(mind, parse_request(row), datetime.now(UTC))
    except AskError as error:
        id_ = str(row.get("id", "")) if isinstance(row, dict) else ""
        return {"id": id_, "status": "error_request", "text": str(error)}


def _lines(source: IO[str]) -> Iterator[str]:
    for line in source:
        if line.strip():
            yield line
