"""Drives headless Chromium over its own protocol (CDP): no driver, no package but aiohttp.

    async with open_browser() as browser:
        page = await browser.open("http://127.0.0.1:8080/", width=360, height=740)
        await page.type("#words", "老板不给工钱")
        await page.click("发送")
        await page.wait_for_text("劳动监察")

What a person sees is what is found: `click` takes the visible text (or label) of something
that can be clicked, and really presses the mouse in its middle.
"""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
PATIENCE = 20.0
"""Seconds until something that should happen on the page counts as not happening."""

# Finds what can be clicked by its text or label: that which says it exactly before that which
# contains it, and of several the last one, which is the newest in a chat.
_FIND = """
text => {
  const all = document.querySelectorAll('a,button,summary,input,select,label,[role=button]');
  const shown = Array.from(all).filter(e => e.getClientRects().length && !e.disabled);
  const says = e => [e.innerText, e.value, e.getAttribute('aria-label')]
    .filter(Boolean).map(t => t.trim());
  const found = match => shown.filter(e => says(e).some(match)).pop();
  return found(t => t === text) || found(t => t.includes(text)) || null;
}
"""


class PageError(AssertionError):
    """The page did not do what was expected; the message says what it showed instead."""


def find_chromium() -> str | None:
    """Return the path of a Chromium, or None if there is none on this machine."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Page:
    """One tab. ``errors`` collects what went wrong in it: exceptions, refused requests."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()
        self._reader = asyncio.create_task(self._read())
        self.errors: list[str] = []

    async def _read(self) -> None:
        async for message in self._socket:
            data = json.loads(message.data)
            if "id" in data:
                future = self._answers.pop(data["id"])
                if not future.done():
                    future.set_result(data)
            else:
                self._on_event(data["method"], data["params"])

    def _on_event(self, method: str, params: dict[str, Any]) -> None:
        if method == "Page.loadEventFired":
            self._loaded.set()
        elif method == "Runtime.exceptionThrown":
            details = params["exceptionDetails"]
            self.errors.append(details.get("exception", {}).get("description", details["text"]))
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        """Call a method of the protocol. Raises `PageError` with what the browser says."""
        number = max(self._answers, default=0) + 1
        future = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": params})
        answer = await asyncio.wait_for(future, PATIENCE)
        if "error" in answer:
            raise PageError(f"{method}: {answer['error']['message']}")
        result: dict[str, Any] = answer["result"]
        return result

    # -- going places ----------------------------------------------------------------------

    async def viewport(self, width: int, height: int, *, phone: bool = False) -> None:
        """Give the page a size in CSS pixels; ``phone`` adds touch and a phone's layout."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=phone,
        )  # fmt: skip
        await self.call("Emulation.setTouchEmulationEnabled", enabled=phone)

    async def go(self, url: str) -> None:
        """Open ``url`` and wait until it has loaded."""
        self._loaded.clear()
        await self.call("Page.navigate", url=url)
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def reload(self) -> None:
        self._loaded.clear()
        await self.call("Page.reload")
        await asyncio.wait_for(self._loaded.wait(), PATIENCE)

    async def before_load(self, script: str) -> None:
        """Run ``script`` in every page before its own scripts, from the next one on."""
        await self.call("Page.addScriptToEvaluateOnNewDocument", source=script)

    async def offline(self, offline: bool) -> None:
        """Pull or plug the network cable."""
        await self.call(
            "Network.emulateNetworkConditions",
            offline=offline, latency=0, downloadThroughput=-1, uploadThroughput=-1,
        )  # fmt: skip

    # -- looking ---------------------------------------------------------------------------

    async def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression (promises are awaited)."""
        answer = await self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in answer:
            raise PageError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    async def text(self) -> str:
        """Return everything that can be read on the page."""
        return str(await self.evaluate("document.body.innerText"))

    async def wait_until(self, expression: str, what: str = "", within: float = PATIENCE) -> None:
        """Wait until a JavaScript expression is true."""
        for _ in range(round(within / 0.05)):
            # Between two pages there is no body yet.
            if await self.evaluate(f"Boolean(document.body && ({expression}))"):
                return
            await asyncio.sleep(0.05)
        shown = (await self.text())[-1500:]
        raise PageError(f"{what or expression} 没有出现；页面上是：\n{shown}\n{self.errors}")

    async def wait_for_text(self, text: str, within: float = PATIENCE) -> None:
        """Wait until ``text`` can be read on the page."""
        condition = f"document.body.innerText.includes({json.dumps(text)})"
        await self.wait_until(condition, f"“{text}”", within)

    async def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Save what is seen as PNG; ``whole``: the page in its full length."""
        shot = await self.call("Page.captureScreenshot", captureBeyondViewport=whole)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(shot["data"]))

    # -- doing -----------------------------------------------------------------------------

    async def click(self, text: str) -> None:
        """Press the newest thing on the page that says ``text`` and can be pressed."""
        found = f"({_FIND})({json.dumps(text)})"
        await self.wait_until(found, f"可以点的“{text}”")
        await self._press_mouse(found)

    async def click_on(self, selector: str) -> None:
        """Press the first element that ``selector`` finds."""
        found = f"document.querySelector({json.dumps(selector)})"
        await self.wait_until(found, selector)
        await self._press_mouse(found)

    async def _press_mouse(self, found: str) -> None:
        place = await self.evaluate(
            f"(e => {{ e.scrollIntoView({{block: 'center'}});"
            " const r = e.getClientRects()[0];"
            f" return {{x: r.x + r.width / 2, y: r.y + r.height / 2}}; }})({found})"
        )
        mouse: dict[str, Any] = {**place, "button": "left", "clickCount": 1}
        await self.call("Input.dispatchMouseEvent", type="mousePressed", **mouse)
        await self.call("Input.dispatchMouseEvent", type="mouseReleased", **mouse)

    async def type(self, selector: str, text: str) -> None:
        """Put the cursor into a field and type ``text`` as an input method does."""
        await self.wait_until(f"document.querySelector({json.dumps(selector)})", selector)
        await self.evaluate(f"document.querySelector({json.dumps(selector)}).focus()")
        await self.call("Input.insertText", text=text)

    async def press(self, key: str, *, shift: bool = False) -> None:
        """Press a key: `Enter`, `Escape`, `Tab`."""
        code = {"Enter": 13, "Escape": 27, "Tab": 9}[key]
        event: dict[str, Any] = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        event["modifiers"] = 8 if shift else 0
        typed = {"text": "\r"} if key == "Enter" else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **event, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    async def close(self) -> None:
        await self._socket.close()
        await self._reader


class Browser:
    """A running Chromium with a profile of its own."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._address = address
        self._pages: list[Page] = []

    async def open(
        self, url: str, *, width: int = 1280, height: int = 800, before_load: str = ""
    ) -> Page:
        """Open ``url`` in a new tab; a width below 800 makes it a phone."""
        async with self._session.put(f"http://{self._address}/json/new?about:blank") as response:
            target = json.loads(await response.text())
        socket = await self._session.ws_connect(
            target["webSocketDebuggerUrl"], max_msg_size=64 * 1024 * 1024
        )
        page = Page(socket)
        self._pages.append(page)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await page.call(f"{domain}.enable")
        await page.viewport(width, height, phone=width < 800)
        if before_load:
            await page.before_load(before_load)
        await page.go(url)
        return page

    async def close(self) -> None:
        for page in self._pages:
            await page.close()


@asynccontextmanager
async def open_browser() -> AsyncIterator[Browser]:
    """Start Chromium; it is ended and its profile removed afterwards."""
    chromium = find_chromium()
    if chromium is None:
        raise PageError("没有找到 Chromium。请运行：sudo apt-get install -y chromium")
    with tempfile.TemporaryDirectory(prefix="chromium-", ignore_cleanup_errors=True) as profile:
        process = await asyncio.create_subprocess_exec(
            chromium, *FLAGS, f"--user-data-dir={profile}", "about:blank",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        try:
            address = await _address(Path(profile) / "DevToolsActivePort", process)
            async with aiohttp.ClientSession() as session:
                browser = Browser(session, address)
                yield browser
                await browser.close()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _address(file: Path, process: asyncio.subprocess.Process) -> str:
    """Return where Chromium listens, as it writes it into its profile."""
    for _ in range(round(PATIENCE / 0.05)):
        if process.returncode is not None:
            raise PageError(f"Chromium 自己退出了（{process.returncode}）")
        lines = await asyncio.to_thread(_lines, file)
        if lines:
            return f"127.0.0.1:{lines[0]}"
        await asyncio.sleep(0.05)
    raise PageError("Chromium 没有启动")


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines() if file.exists() else []
