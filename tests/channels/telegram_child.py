"""A whole bot that polls the Bot API until it is killed: FOLDER, SERVER, DATA of the bundle."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace
from pathlib import Path

from bot.minds import open_mind
from bot.settings import load_settings
from tests.channels.telegram_app import QUICK, running


async def work(folder: Path, server: str, data: Path) -> None:
    mind = open_mind(load_settings(data=data))
    # A short lease: what was in flight at a kill is sent again soon.
    async with running(mind, folder, server, timing=replace(QUICK, lease=5.0, call=4.0)):
        await asyncio.to_thread(sys.stdin.read)  # ends when the test that started it does


if __name__ == "__main__":
    asyncio.run(work(Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])))
