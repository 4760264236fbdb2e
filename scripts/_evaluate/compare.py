"""The other side of a comparison: another bundle, or the same knowledge with another encoder."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from bot.settings import Settings
from retrieval.bundle import MANIFEST, BundleError, read_manifest
from retrieval.encoders import open_encoder
from scripts.build import build, inputs_digest, roots

if TYPE_CHECKING:
    from bot.thinking import Mind


@contextmanager
def open_other(
    settings: Settings, digest: str | None, encoder: str | None
) -> Iterator[tuple[str, Mind] | None]:
    """Yield what to call the other side, and its mind; None if neither is named.

    ``digest`` names a bundle of the same data folder, ``encoder`` a folder or a hub name.
    Raises what cannot be opened: `BundleError`, `EncoderError`, `KnowledgeError`.
    """
    from bot.minds import open_mind_in

    if digest is not None:
        folder = find_bundle(settings.bundles, digest)
        _refuse_other_encoder(folder, settings)
        yield f"bundle {folder.name[:12]}", open_mind_in(folder, settings)
    elif encoder is not None:
        with tempfile.TemporaryDirectory(prefix="suifawen-evaluate-") as temporary:
            theirs = _with_encoder(settings, encoder, Path(temporary))
            folder = build(theirs, checked=False, report=lambda line: click.echo(line, err=True))
            yield f"encoder {encoder or '(shipped)'}", open_mind_in(folder, theirs)
    else:
        yield None


def find_bundle(bundles: Path, digest: str) -> Path:
    """Return the folder in ``bundles`` whose name begins with ``digest``. Raises `BundleError`.

    `sha256:` in front, as answers give it, is allowed.
    """
    folders = (path.parent for path in bundles.glob(f"*/{MANIFEST}"))
    kept = sorted(f for f in folders if f.name.isalnum())  # not one that is being built
    wanted = digest.strip().removeprefix("sha256:").lower()
    found = [folder for folder in kept if wanted and folder.name.startswith(wanted)]
    if len(found) != 1:
        names = ", ".join(folder.name[:12] for folder in kept) or "none"
        problem = "more than one bundle begins" if found else "no bundle begins"
        raise BundleError(f"{bundles}: {problem} with {wanted!r}; there are: {names}")
    return found[0]


def knowledge_differs(settings: Settings, bundle: str) -> bool:
    """Whether ``bundle`` was built from other inputs than would be built from now.

    Then a comparison with a bundle built for it would not show the encoder alone.
    """
    folder = find_bundle(settings.bundles, bundle)
    now = inputs_digest(roots(settings), open_encoder(settings.encoder).id)
    return read_manifest(folder).inputs != now


def _refuse_other_encoder(folder: Path, settings: Settings) -> None:
    """Say what can be done: the message of `open_bundle` would be to build it again."""
    made, ours = read_manifest(folder).encoder, open_encoder(settings.encoder).id
    if made != ours:
        raise BundleError(
            f"{folder.name[:12]} was built with the encoder {made}, the settings name {ours}; "
            "compare with --against-encoder and the folder or name of that encoder"
        )


def _with_encoder(settings: Settings, encoder: str, data: Path) -> Settings:
    """Return settings with the operator's knowledge but with bundles and encoder of its own."""
    theirs = settings.model_copy(update={"data": data, "encoder": encoder})
    for ours, place in (
        (settings.knowledge, theirs.knowledge),
        (settings.statutes, theirs.statutes),
    ):
        if ours.is_dir():
            place.symlink_to(ours.resolve(), target_is_directory=True)
    return theirs
