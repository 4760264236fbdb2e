"""A bundle is whole or refused; the message says what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bot.settings import Settings
from retrieval.bundle import (
    FILES,
    MANIFEST,
    BundleError,
    current,
    open_bundle,
    point,
    publish,
    seal,
)
from retrieval.encoder import StaticEncoder, load_encoder


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> Path:
    built = current(settings.bundles)
    assert built is not None
    return Path(shutil.copytree(built, tmp_path / built.name))


def test_it_opens_and_names_itself(folder: Path) -> None:
    bundle = open_bundle(folder, load_encoder())
    assert bundle.id == f"sha256:{folder.name}"
    assert bundle.manifest.counts["provisions"] == 91


@pytest.mark.parametrize("name", FILES)
def test_a_flipped_byte_is_refused(folder: Path, name: str) -> None:
    path = folder / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x40
    path.write_bytes(data)
    with pytest.raises(BundleError, match="suifawen build") as caught:
        open_bundle(folder, load_encoder())
    assert name in str(caught.value)


@pytest.mark.parametrize("name", FILES)
def test_a_truncated_or_missing_file_is_refused(folder: Path, name: str) -> None:
    path = folder / name
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(BundleError, match="suifawen build"):
        open_bundle(folder, load_encoder())
    path.unlink()
    with pytest.raises(BundleError, match="suifawen build"):
        open_bundle(folder, load_encoder())


@pytest.mark.parametrize(
    "damage",
    [lambda t: t[:50], lambda t: t.replace('"format":', '"fromat":'), lambda t: "[]", lambda t: ""],
)
def test_a_damaged_manifest_is_refused(folder: Path, damage: object) -> None:
    path = folder / MANIFEST
    assert callable(damage)
    path.write_text(damage(path.read_text()))
    with pytest.raises(BundleError, match="suifawen build"):
        open_bundle(folder, load_encoder())


def test_another_version_or_encoder_is_refused(folder: Path) -> None:
    other = StaticEncoder({"x": 0}, 0, load_encoder().encode(["x"]), "other")
    with pytest.raises(BundleError, match="other"):
        open_bundle(folder, other)
    path = folder / MANIFEST
    path.write_text(path.read_text().replace('"analyser": "', '"analyser": "old-'))
    with pytest.raises(BundleError, match="别的版本"):
        open_bundle(folder, load_encoder())


def test_a_manifest_cannot_point_outside(folder: Path) -> None:
    path = folder / MANIFEST
    path.write_text(path.read_text().replace('"catalogue.db"', '"../catalogue.db"'))
    with pytest.raises(BundleError):
        open_bundle(folder, load_encoder())


def test_the_pointer_is_only_followed_to_a_bundle(tmp_path: Path) -> None:
    assert current(tmp_path) is None
    (tmp_path / "current").write_text("../../etc\n")
    assert current(tmp_path) is None
    (tmp_path / "abc").mkdir()
    point(tmp_path, "abc")
    assert current(tmp_path) == tmp_path / "abc"


def test_old_bundles_are_removed_but_not_the_one_in_use(folder: Path, tmp_path: Path) -> None:
    bundles = tmp_path / "bundles"
    bundles.mkdir()
    encoder = load_encoder()
    for number in range(8):
        copy = Path(shutil.copytree(folder, tmp_path / f"built-{number}"))
        publish(bundles, copy, seal(copy, f"inputs {number}", encoder, {}))
    assert len([p for p in bundles.iterdir() if p.is_dir()]) == 5
    kept = current(bundles)
    assert kept is not None and open_bundle(kept, encoder).manifest.inputs == "inputs 7"
