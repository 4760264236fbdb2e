"""Open the bundle of an installation for a verb, building it first if need be."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.settings import Settings, SettingsError, load_settings
from kb.yamlfile import KnowledgeError
from retrieval.bundle import BundleError, current, open_bundle, read_manifest
from retrieval.encoder import EncoderError
from retrieval.encoders import open_encoder
from retrieval.publishing import is_pinned
from scripts.build import build, inputs_digest, roots

if TYPE_CHECKING:
    from bot.thinking import Mind


def ensure_bundle(settings: Settings) -> None:
    """Build the bundle if there is none or its inputs have changed.

    When the new one cannot be built and an old one can be used, the old one serves on and
    the operator is told what to mend.
    """
    encoder = open_encoder(settings.encoder)
    folder = current(settings.bundles)
    if folder is not None and is_pinned(settings.bundles):
        return  # an older one was chosen by hand, until the next publish
    if folder is not None:
        try:
            if read_manifest(folder).inputs == inputs_digest(roots(settings), encoder.id):
                return
        except BundleError as error:
            click.echo(str(error), err=True)
    try:
        build(settings, report=lambda line: click.echo(line, err=True))
    except KnowledgeError as error:
        if folder is None:
            raise
        open_bundle(folder, encoder)  # raises when the old one is of no use either
        click.echo(f"{error}\n新的知识包没有生成，先用旧的。请改好后再启动。", err=True)


def open_current_mind(data: Path | None) -> Mind:
    """Return the mind of the installation in ``data``; exits with a message when it cannot."""
    from bot.minds import open_mind

    try:
        settings = load_settings(data=data)
        ensure_bundle(settings)
        return open_mind(settings)
    except (SettingsError, KnowledgeError, BundleError, EncoderError) as error:
        click.echo(str(error), err=True)
        sys.exit(1)
