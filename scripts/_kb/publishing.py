"""``kb publish``, ``rollback`` and ``published``: which bundle is in use."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from bot.settings import SettingsError, load_settings
from kb.yamlfile import KnowledgeError
from retrieval.bundle import BundleError, current
from retrieval.encoder import EncoderError
from retrieval.publishing import Publication, publications, record, rollback
from scripts._kb.layers import DATA, name_of
from scripts.build import build

BY = click.option("--by", required=True, callback=name_of, help="Who does it; stands in the log.")


@click.command("publish")
@BY
@DATA
def publish(by: str, data: Path | None) -> None:
    """Check, build and put into use; a running server swaps it in within seconds."""
    try:
        place = build(load_settings(data=data), by=by, report=click.echo)
    except (KnowledgeError, SettingsError, EncoderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"已发布 {place.name[:12]}")


@click.command("rollback")
@click.option("--to", "wanted", help="First characters of a digest (default: the one before).")
@BY
@DATA
def rollback_(wanted: str | None, by: str, data: Path | None) -> None:
    """Go back to an older bundle; it stays in use until the next publish."""
    try:
        bundles = load_settings(data=data).bundles
        digest = rollback(bundles, wanted)
        now = datetime.now(UTC)
        record(bundles, Publication(at=now, by=by, action="rollback", digest=digest))
    except (BundleError, SettingsError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    click.echo(f"已退回 {digest[:12]}，下次发布以前一直用它")


@click.command("published")
@DATA
def published(data: Path | None) -> None:
    """List who published what and when; * marks the bundle in use."""
    bundles = load_settings(data=data).bundles
    using = current(bundles)
    for p in publications(bundles):
        mark = "*" if using is not None and p.digest == using.name else " "
        click.echo(
            f"{mark} {p.at.astimezone():%Y-%m-%d %H:%M}  {p.action:9}{p.digest[:12]}  {p.by}"
        )
