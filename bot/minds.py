"""From a bundle on disk to a mind that can think."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.core.playbook import DIALECT, build_playbook
from bot.settings import Settings
from bot.thinking import Mind
from kb.load import laid_over, load_files
from retrieval.bundle import BundleError, current, open_bundle
from retrieval.encoders import open_encoder
from retrieval.normalise import parse_dialect
from retrieval.search import Searcher
from retrieval.statutes import open_statutes


def open_mind(settings: Settings) -> Mind:
    """Open the bundle in use. Raises `BundleError` or `EncoderError`."""
    folder = current(settings.bundles)
    if folder is None:
        raise BundleError(f"{settings.bundles} 里没有知识包。请先生成：suifawen build")
    return open_mind_in(folder, settings)


def open_mind_in(folder: Path, settings: Settings) -> Mind:
    """Open the bundle in ``folder`` with the encoder and the statutes of the installation."""
    encoder = open_encoder(settings.encoder)
    bundle = open_bundle(folder, encoder)
    statutes = open_statutes(settings.statutes)
    files = with_shipped_wording(bundle.files)
    playbook = build_playbook(bundle.knowledge, files, bundle.danger, bundle.id, statutes)
    searcher = Searcher(
        bundle.index,
        bundle.knowledge,
        encoder,
        bundle.ranking,
        parse_dialect(bundle.files.get(DIALECT)),
        bundle.id,
        statutes,
    )
    return Mind(playbook=playbook, searcher=searcher)


def with_shipped_wording(files: dict[str, Any]) -> dict[str, Any]:
    """Fill in sentences and phrases that this program uses and an older bundle does not have yet.

    After an upgrade an older bundle serves on until the new one can be built.
    """
    filled = dict(files)
    for name, shipped in load_files().items():
        if name.startswith("wording/") and name not in files:
            filled[name] = shipped
        elif name in files:
            filled[name] = laid_over(shipped, files[name])
    return filled
