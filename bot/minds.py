"""From a bundle on disk to a mind that can think."""

from __future__ import annotations

from pathlib import Path

from bot.core.playbook import DIALECT, build_playbook
from bot.settings import Settings
from bot.thinking import Mind
from retrieval.bundle import BundleError, current, open_bundle
from retrieval.encoders import open_encoder
from retrieval.normalise import parse_dialect
from retrieval.search import Searcher


def open_mind(settings: Settings) -> Mind:
    """Open the bundle in use. Raises `BundleError` or `EncoderError`."""
    folder = current(settings.bundles)
    if folder is None:
        raise BundleError(f"{settings.bundles} 里没有知识包。请先生成：suifawen build")
    return open_mind_in(folder, settings.encoder)


def open_mind_in(folder: Path, encoder_name: str = "") -> Mind:
    """Open the bundle in ``folder`` with the encoder of the settings."""
    encoder = open_encoder(encoder_name)
    bundle = open_bundle(folder, encoder)
    playbook = build_playbook(bundle.knowledge, bundle.files, bundle.id)
    searcher = Searcher(
        bundle.index,
        bundle.knowledge,
        encoder,
        bundle.ranking,
        parse_dialect(bundle.files.get(DIALECT)),
        bundle.id,
    )
    return Mind(playbook=playbook, searcher=searcher)
