"""Posts updates to a webhook as Telegram's server does.

Any 2xx takes an update. The first failure is tried again at once, then after 2, 4, 8 s up to
60-120 s; `Retry-After` is honoured up to an hour. One chat holds up only itself. Updates are
dropped after a day, pressed buttons after 150 s, and 23 hours of 410 remove the webhook.
"""

from __future__ import annotations

import asyncio
import random
from collections import deque

from aiohttp import ClientError, ClientSession, ClientTimeout

from tests.fake_bot_api.wire import Json

DAY = 86_400.0
CALLBACK_LIFE = 150.0


class WebhookPoster:
    """``updates`` is shared with the server: what is taken is removed from it.

    ``speed`` is how many seconds of this clock pass in a real one.
    """

    def __init__(self, updates: dict[int, Json], speed: float, seed: int) -> None:
        self.url = ""
        self.secret = ""
        self.last_error = ""
        self._updates = updates
        self._speed = speed
        self._random = random.Random(seed)
        self._waiting: dict[int, deque[int]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def open(self) -> None:
        self._client = ClientSession(timeout=ClientTimeout(total=60))

    async def close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.close()

    def post_later(self, update_id: int, queue: int) -> None:
        """Post an update after those that wait in the same ``queue``."""
        if queue in self._waiting:
            self._waiting[queue].append(update_id)
            return
        self._waiting[queue] = deque([update_id])
        task = asyncio.create_task(self._post_queue(queue))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _post_queue(self, queue: int) -> None:
        waiting = self._waiting[queue]
        while waiting:
            update = self._updates.get(waiting[0])
            if update is not None and self.url:
                await self._post_until_taken(update)
                self._updates.pop(waiting[0], None)
            waiting.popleft()
        del self._waiting[queue]

    async def _post_until_taken(self, update: Json) -> None:
        life = CALLBACK_LIFE if "callback_query" in update else DAY
        age, failures, gone_for = 0.0, 0, 0.0
        while age < life and self.url:
            status, retry_after = await self._post(update)
            if 200 <= status < 300:
                return
            self.last_error = f"Wrong response from the webhook: {status}"
            failures += 1
            wait = 0.0
            if failures > 1:
                wait = min(2.0 ** (failures - 1), self._random.uniform(60, 120))
            wait = max(wait, min(retry_after, 3600.0))
            gone_for = gone_for + wait if status == 410 else 0.0
            if gone_for > 23 * 3600:
                self.url = ""
            await asyncio.sleep(wait / self._speed)
            age += wait

    async def _post(self, update: Json) -> tuple[int, float]:
        """Return the status, 0 without an answer, and how long we are asked to wait."""
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        try:
            async with self._client.post(self.url, json=update, headers=headers) as response:
                wait = response.headers.get("Retry-After", "0")
                return response.status, float(wait) if wait.isdigit() else 0.0
        except (ClientError, OSError, TimeoutError):
            return 0, 0.0
