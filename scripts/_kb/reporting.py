"""``kb report``: what an editor should look at next."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import click

from bot.settings import load_settings
from bot.storage.store import AskedQuestion
from kb.types import Entry, Kind, Knowledge
from scripts._kb.layers import DATA, load_layers

NOT_FOUND = ("unanswerable_not_covered", "clarify_topic")


@click.command("report")
@click.option("--days", default=90, show_default=True, help="How far back questions are read.")
@click.option("--most", default=30, show_default=True, help="Lines of each list.")
@DATA
def report(days: int, most: int, data: Path | None) -> None:
    """List what is overdue, unlinked, without phrasings, never asked, asked but not found."""
    settings = load_settings(data=data)
    own = settings.knowledge
    knowledge = load_layers((own,) if own.is_dir() else ())
    asked: list[AskedQuestion] = []
    if settings.database.exists():
        asked = asyncio.run(_asked(settings.database, settings.contact_key, days))
    total = 0
    for heading, lines in sections(knowledge, asked, date.today()):
        found = list(lines)
        total += len(found)
        click.secho(f"{heading}：{len(found)}", bold=True)
        for line in found[:most]:
            click.echo(f"  {line}")
        if len(found) > most:
            click.echo(f"  ……另有 {len(found) - most} 项")
    click.echo(f"共 {total} 项要看；问题来自最近 {days} 天的 {len(asked)} 次提问（已去掉个人信息）")


def sections(
    knowledge: Knowledge, asked: list[AskedQuestion], today: date
) -> Iterator[tuple[str, Iterator[str]]]:
    """Yield each list of the report with its heading."""
    entries = list(knowledge.entries.values())
    yield "过了复核日期", (f"{e.id}（{e.review_by}）" for e in entries if e.review_by < today)
    expired = (e for e in entries if e.valid_to is not None and e.valid_to < today)
    yield "已经过期", (f"{e.id}（到 {e.valid_to}）" for e in expired)
    yield "没有被引用", _unlinked(knowledge)
    silent = [e.id for e in entries if not e.phrasings]
    provisions = knowledge.provisions.values()
    silent += [f"{p.id}（没有标题和说明）" for p in provisions if not p.phrasings]
    yield "没有说法", iter(silent)
    yield "没有审定", (e.id for e in entries if not e.approved_by)
    if asked:
        given = {q.judgement.situation for q in asked}
        given |= {s for q in asked for s in q.judgement.services}
        yield "从来没有被问到", (f"{e.id}（{e.title}）" for e in entries if e.id not in given)
        missing = Counter(q.redacted for q in asked if q.judgement.status in NOT_FOUND)
        yield (
            "问了但没有找到",
            (f"{times} 次  {text[:60]}" for text, times in missing.most_common()),
        )


def _unlinked(knowledge: Knowledge) -> Iterator[str]:
    """Yield services and provisions that nothing leads to, and situations that lead nowhere."""
    entries = knowledge.entries.values()
    led = {id_ for e in entries for id_ in e.services}
    led |= {id_ for t in knowledge.topics.values() for id_ in t.default}
    named = {id_ for e in entries for id_ in e.provisions}
    yield from (e.id for e in entries if e.kind is Kind.SERVICE and e.id not in led)
    for provision in knowledge.provisions.values():
        if provision.id not in named and not provision.services and not provision.phrasings:
            yield f"{provision.id}（{provision.heading}）"
    yield from (e.id for e in entries if _leads_nowhere(e))


def _leads_nowhere(entry: Entry) -> bool:
    return not entry.services and not entry.hotlines and entry.kind is Kind.SITUATION


async def _asked(database: Path, key: Path, days: int) -> list[AskedQuestion]:
    from bot.storage.sqlite import open_store

    store = open_store(database, key)
    try:
        return await store.asked(datetime.now(UTC) - timedelta(days=days))
    finally:
        await store.close()
