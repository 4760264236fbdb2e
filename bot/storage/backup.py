"""A consistent copy of the database while it is written to."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.storage.connection import make_private, named_errors, open_connection
from bot.storage.store import StorageError


def copy_database(source: Path, target: Path) -> None:
    """Copy the database at ``source`` to ``target`` while it is written to.

    The copy is one file, checked, on disk before it gets its name, and readable by its owner
    only. An older file of that name is replaced. To restore: stop the program, move the
    database and its -wal and -shm files away, put the copy in their place; the key file must
    be the one of that time. Raises `StorageError`.
    """
    if target.exists() and target.samefile(source):
        raise StorageError("备份不能写到正在使用的数据库上，请换一个文件名。")
    draft = target.with_name(target.name + ".partial")
    try:
        draft.unlink(missing_ok=True)  # of a copy that was killed
        make_private(draft)
        with named_errors(), closing(open_connection(source)) as db:
            _copy(db, draft)
        _sync(draft)
        draft.replace(target)
        _sync(target.parent)
    except OSError as error:
        raise StorageError(
            f"备份没有写成（{error.strerror}）。请检查 {target} 所在的磁盘。"
        ) from error
    finally:
        with suppress(OSError):
            draft.unlink()


def _copy(db: sqlite3.Connection, draft: Path) -> None:
    with closing(sqlite3.connect(draft, isolation_level=None)) as copy:
        db.backup(copy)  # in one step: one snapshot, however much is written meanwhile
        copy.execute("PRAGMA journal_mode = DELETE")  # so that one file is all of it
        [found] = copy.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise StorageError(f"备份检查没有通过（{found}），没有留下备份文件。")


def _sync(path: Path) -> None:
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
