"""`python -m tests.fake_bot_api`: a server to try the bot by hand, and a person to chat with."""

from __future__ import annotations

import asyncio
import sys
from contextlib import suppress

from tests.fake_bot_api.server import TOKEN, FakeBotApi
from tests.fake_bot_api.wire import buttons_of


async def chat() -> None:
    """Be a person in the terminal. `#2` presses the second button of the last message."""
    async with FakeBotApi() as server:
        print("Start the bot in another terminal with")
        print(f"  SUIFAWEN_TELEGRAM_TOKEN={TOKEN} SUIFAWEN_TELEGRAM_BASE_URL={server.url}")
        user = server.user(1)
        shown = 0
        reading = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))
        while True:
            await asyncio.wait({reading}, timeout=0.2)
            for message in user.received[shown:]:
                numbers = [f"#{n} {text}" for n, (_, text) in enumerate(buttons_of(message), 1)]
                print("\n" + message["text"], *numbers, sep="\n")
            shown = len(user.received)
            if reading.done():
                line = reading.result()
                if not line:
                    return
                if line.startswith("#") and shown:
                    data, _ = buttons_of(user.received[-1])[int(line[1:]) - 1]
                    user.press_data(data)
                else:
                    user.send(line.rstrip("\n"))
                reading = asyncio.create_task(asyncio.to_thread(sys.stdin.readline))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(chat())
