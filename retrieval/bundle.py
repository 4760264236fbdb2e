"""A bundle: the built, immutable, digest-named knowledge base with its index.

    DATA/bundles/<digest>/   catalogue.db lexical.npz dense.faiss classifiers.npz
                             danger.npz candidates.json ranking.json manifest.json
    DATA/bundles/current     the digest of the one in use

A bundle is written into a temporary folder, sealed with the digests of its files, and moved
into place whole. It is opened only when every digest fits, so that a flipped byte, a missing
file or an index of another program version is refused with a message that says what to do.
"""

from __future__ import annotations

import hashlib
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from kb.catalogue import CatalogueError, open_catalogue
from kb.types import Knowledge
from kb.value import value
from retrieval import analyse, danger
from retrieval.classifier import Classifier, load_classifiers
from retrieval.encoder import Encoder
from retrieval.index import FILES as INDEX_FILES
from retrieval.index import Index, load_index
from retrieval.ranking import Ranking, load_ranking

FORMAT = 6
"""Counted up when the files change their meaning."""
CATALOGUE = "catalogue.db"
RANKING = "ranking.json"
MANIFEST = "manifest.json"
FILES = (CATALOGUE, RANKING, danger.FILE, *INDEX_FILES)
MAX_BYTES = 2_000_000_000
KEPT = 5
"""Bundles kept for going back; older ones are removed when a new one is published."""


class BundleError(Exception):
    """The bundle cannot be used; the message says why and what to do."""


@value
class Manifest:
    """What a bundle was made of. ``files`` maps file names to SHA-256 digests."""

    format: int
    inputs: str
    """Digest of everything it was built from; another one means it is out of date."""
    encoder: str
    dimension: int
    analyser: str
    counts: dict[str, int]
    files: dict[str, str]


@dataclass(frozen=True, slots=True)
class Bundle:
    """An opened bundle."""

    id: str
    """`sha256:` and the digest of the manifest."""
    manifest: Manifest
    knowledge: Knowledge
    files: dict[str, Any]
    """Wording, rules and the operator's file, as `kb.load.load_files` gives them."""
    index: Index
    ranking: Ranking
    danger: Classifier


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def seal(folder: Path, inputs: str, encoder: Encoder, counts: dict[str, int]) -> str:
    """Write the manifest of the files in ``folder`` and return the bundle's digest (hex)."""
    manifest = Manifest(
        format=FORMAT,
        inputs=inputs,
        encoder=encoder.id,
        dimension=encoder.dimension,
        analyser=analyse.VERSION,
        counts=counts,
        files={name: _digest(folder / name) for name in FILES},
    )
    text = TypeAdapter(Manifest).dump_json(manifest, indent=1).decode()
    (folder / MANIFEST).write_text(text, encoding="utf-8")
    return _digest(folder / MANIFEST)


def publish(bundles: Path, built: Path, digest: str) -> Path:
    """Move the sealed folder ``built`` to its place and point to it. Returns the place."""
    place = bundles / digest
    if place.exists():  # built before; what lies there may have been damaged since
        old = built.with_name(f"{built.name}-old")
        place.rename(old)
        built.rename(place)
        shutil.rmtree(old)
    else:
        built.rename(place)
    point(bundles, digest)
    _remove_old(bundles, digest)
    return place


def point(bundles: Path, digest: str) -> None:
    """Make ``digest`` the bundle in use; atomic."""
    fresh = bundles / "current.new"
    fresh.write_text(digest + "\n", encoding="utf-8")
    fresh.replace(bundles / "current")


def current(bundles: Path) -> Path | None:
    """Return the folder of the bundle in use, or None if there is none."""
    try:
        digest = (bundles / "current").read_text(encoding="utf-8").strip()
    except OSError:
        return None
    folder = bundles / digest
    return folder if digest.isalnum() and folder.is_dir() else None


def _remove_old(bundles: Path, keep: str) -> None:
    others = [p.parent for p in bundles.glob(f"*/{MANIFEST}") if p.parent.name != keep]
    others.sort(key=lambda p: p.stat().st_mtime, reverse=True)
    for folder in others[KEPT - 1 :]:
        shutil.rmtree(folder, ignore_errors=True)


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of ``folder``. Raises `BundleError`."""
    try:
        return TypeAdapter(Manifest).validate_json((folder / MANIFEST).read_bytes())
    except (OSError, ValidationError) as error:
        raise BundleError(
            f"知识包 {folder} 的 {MANIFEST} 读不出来（{type(error).__name__}）。"
            "请重新生成：suifawen build"
        ) from error


def open_bundle(folder: Path, encoder: Encoder) -> Bundle:
    """Return the bundle in ``folder`` after checking every file. Raises `BundleError`."""
    manifest = read_manifest(folder)
    if manifest.format != FORMAT or manifest.analyser != analyse.VERSION:
        raise BundleError(f"知识包 {folder} 是别的版本生成的。请重新生成：suifawen build")
    if manifest.encoder != encoder.id or manifest.dimension != encoder.dimension:
        raise BundleError(
            f"知识包 {folder} 用的编码模型是 {manifest.encoder}，现在设置的是 {encoder.id}。"
            "请重新生成：suifawen build"
        )
    if set(manifest.files) != set(FILES):
        raise BundleError(f"知识包 {folder} 的文件清单不对。请重新生成：suifawen build")
    for name, digest in manifest.files.items():
        path = folder / name
        if not path.is_file() or path.stat().st_size > MAX_BYTES or _digest(path) != digest:
            raise BundleError(
                f"知识包的文件 {path} 缺失或者损坏（校验值不符），不能使用。"
                "请重新生成：suifawen build"
            )
    try:
        knowledge, files = open_catalogue(folder / CATALOGUE)
        index = load_index(folder)
        ranking = load_ranking(folder / RANKING)
        dangers = load_classifiers(folder / danger.FILE)["danger"]
    except (CatalogueError, OSError, ValueError, KeyError, RuntimeError) as error:
        raise BundleError(f"知识包 {folder} 打不开：{error}。请重新生成：suifawen build") from error
    return Bundle(
        id=f"sha256:{_digest(folder / MANIFEST)}",
        manifest=manifest,
        knowledge=knowledge,
        files=files,
        index=index,
        ranking=ranking,
        danger=dangers,
    )
