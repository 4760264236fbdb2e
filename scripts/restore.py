"""``suifawen restore``: put a backup back in place."""

from __future__ import annotations

import asyncio
import sys
import tarfile
import tempfile
import zlib
from datetime import datetime
from pathlib import Path

import click

from bot.lock import InUse, hold
from bot.settings import Settings, SettingsError, load_settings
from scripts.backup import DATABASE, KNOWLEDGE, SETTINGS


@click.command()
@click.argument("source", metavar="FILE", type=click.Path(path_type=Path, exists=True))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
def command(source: Path, data: Path | None) -> None:
    """Restore FILE, written by `suifawen backup`. The server has to be stopped.

    What was there before is moved to DATA/before-restore-…, not deleted. The key for contact
    data (keys/) has to be the one of the time of the backup.
    """
    from bot.storage.store import StorageError

    try:
        settings = load_settings(data=data)
        with hold(settings.data):
            aside = restore(settings, source)
    except (InUse, SettingsError, StorageError, OSError, tarfile.TarError) as error:
        click.echo(f"没有恢复：{error}", err=True)
        sys.exit(1)
    click.echo(f"已恢复。原来的文件移到了 {aside}，确认没有问题以后可以删除")


def restore(settings: Settings, source: Path) -> Path:
    """Unpack, check and swap in; return where the old files went. Changes nothing on failure."""
    with tempfile.TemporaryDirectory(dir=settings.data) as name:
        folder = Path(name)
        try:
            with tarfile.open(source, "r:gz") as archive:
                archive.extractall(folder, filter="data")  # refuses paths that lead outside
        except (EOFError, zlib.error, tarfile.ReadError) as error:
            raise OSError(f"{source} 不完整或者不是备份文件（{error}）。请换一份") from error
        if not (folder / DATABASE).is_file():
            raise OSError(f"{source} 不是随法问的备份（里面没有 {DATABASE}）")
        asyncio.run(_check(folder / DATABASE, settings.contact_key))
        aside = settings.data / f"before-restore-{datetime.now():%Y%m%d-%H%M%S}"
        aside.mkdir()
        for path in settings.data.glob(f"{DATABASE}*"):  # with -wal and -shm
            path.rename(aside / path.name)
        for part in (KNOWLEDGE, SETTINGS):
            if (folder / part).exists() and (settings.data / part).exists():
                (settings.data / part).rename(aside / part)
        for part in (DATABASE, KNOWLEDGE, SETTINGS):
            if (folder / part).exists():
                (folder / part).rename(settings.data / part)
    return aside


async def _check(database: Path, key: Path) -> None:
    """Open the copy as the server would: damaged, foreign or too new ones are refused."""
    from bot.storage.sqlite import open_store

    await open_store(database, key).close()
