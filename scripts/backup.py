"""``suifawen backup``: one file with everything that cannot be built again."""

from __future__ import annotations

import sys
import tarfile
import tempfile
from pathlib import Path

import click

from bot.settings import Settings, SettingsError, load_settings

DATABASE = "suifawen.db"
KNOWLEDGE = "kb"
SETTINGS = "settings.yaml"


@click.command()
@click.argument("target", metavar="FILE", type=click.Path(path_type=Path))
@click.option("--data", type=click.Path(path_type=Path), help="Data folder (default ./data).")
def command(target: Path, data: Path | None) -> None:
    """Write the database, the operator's knowledge and settings to FILE (.tar.gz), while running.

    The key for contact data is not in it: keep data/keys/ apart, or the backup would hold
    the lock and the key together.
    """
    from bot.storage.store import StorageError

    try:
        size = backup(load_settings(data=data), target)
    except (SettingsError, StorageError, OSError) as error:
        click.echo(f"备份没有完成：{error}", err=True)
        sys.exit(1)
    click.echo(
        f"已备份到 {target}（{size / 1e6:.1f} MB）。联系信息的密钥 keys/ 不在里面，请另外保存"
    )


def backup(settings: Settings, target: Path) -> int:
    """Write the backup and return its size in bytes. The target appears only when complete."""
    from bot.storage.backup import copy_database

    if not settings.database.exists():
        raise OSError(f"{settings.database} 不存在，没有什么可备份")
    if not target.parent.is_dir():  # a disk that is not mounted would go unnoticed
        raise OSError(f"没有文件夹 {target.parent}。请先建好，或者检查备份盘是不是没有挂上")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        copy = Path(folder) / DATABASE
        copy_database(settings.database, copy)
        packed = Path(folder) / "backup.tar.gz"
        with tarfile.open(packed, "w:gz", compresslevel=6) as archive:
            archive.add(copy, DATABASE)
            if settings.knowledge.is_dir():
                archive.add(settings.knowledge, KNOWLEDGE)
            if (settings.data / SETTINGS).exists():
                archive.add(settings.data / SETTINGS, SETTINGS)
        packed.chmod(0o600)
        packed.replace(target)
    return target.stat().st_size
