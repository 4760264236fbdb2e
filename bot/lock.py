"""One server for each data folder: two would run the turns of one conversation at once."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

NAME = "in-use.lock"


class InUse(Exception):
    """Another process serves this data folder; the message says what to do."""


@contextlib.contextmanager
def hold(data: Path) -> Iterator[None]:
    """Hold ``data`` for this process. Raises `InUse`; a killed process holds nothing."""
    data.mkdir(parents=True, exist_ok=True)
    with (data / NAME).open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            raise InUse(
                f"数据文件夹 {data} 正在被另一个随法问使用"
                f"（进程 {file.read().strip() or '不明'}）。请先停掉它，再做这一步"
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield
