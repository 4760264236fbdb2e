"""The desk in a real browser: keys, news while somebody types, one click one reply."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import timedelta

import pytest

from bot.core.handoff import TicketAction, TicketState
from bot.desk.sessions import LOGIN_COOKIE
from bot.storage.store import Author, Turn
from tests.browser import Browser, Page, PageError, open_browser
from tests.desk.conftest import Team
from tests.desk.desk_app import Person, Running
from tests.desk.test_ticket_routes import PAYLOADS
from tests.storage.builders import NOW, begin, bot, citizen, form, open_ticket, say

pytestmark = pytest.mark.browser

CODE = "K7QM-2XPT-9RWA"
LOOK_AGAIN = "window.dispatchEvent(new Event('focus'))"


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


async def sit_down(browser: Browser, person: Person, path: str, width: int = 1280) -> Page:
    """Open a page of the desk as ``person``, who is logged in already."""
    page = await browser.open("about:blank", width=width)
    await page.call(
        "Network.setCookie", name=LOGIN_COOKIE, value=person.cookie(), url=person.app.url,
        httpOnly=True,
    )  # fmt: skip
    await page.go(person.app.url + path)
    return page


async def press(page: Page, key: str, *, ctrl: bool = False) -> None:
    text = {"Enter": "\r"}.get(key, key if len(key) == 1 else "")
    event = {"key": key, "code": key, "modifiers": 2 if ctrl else 0}
    event |= {"windowsVirtualKeyCode": 13} if key == "Enter" else {}
    typed = {} if ctrl or not text else {"text": text}
    await page.call("Input.dispatchKeyEvent", type="keyDown", **event, **typed)
    await page.call("Input.dispatchKeyEvent", type="keyUp", **event)


async def arrive(page: Page, expression: str) -> None:
    """Wait until ``expression`` is true, on the next page: between two there is none to ask.

    The page has to be complete: before its script has run, a key that is pressed is lost.
    """
    ready = "document.readyState === 'complete' && document.body"
    for _ in range(400):
        with suppress(PageError):
            if await page.evaluate(f"Boolean({ready} && ({expression}))"):
                return
        await asyncio.sleep(0.05)
    raise PageError(f"{expression}: {await page.text()}")


async def see(page: Page, text: str) -> None:
    await arrive(page, f"document.body.innerText.includes({json.dumps(text)})")


async def conversation_of(app: Running) -> int:
    found = await app.store.ticket_conversation(CODE)
    assert found is not None
    return found


async def test_the_keyboard_does_everything(app: Running, team: Team, browser: Browser) -> None:
    await open_ticket(app.store, "FRST-FRST-FRST", sender="a", due_at=NOW)
    await open_ticket(app.store, CODE, sender="b", due_at=NOW + timedelta(hours=1))
    page = await sit_down(browser, team.wang, "/desk")
    await press(page, "j")
    await press(page, "j")
    await press(page, "k")
    await press(page, "ArrowDown")
    await press(page, "Enter")
    await arrive(page, "document.getElementById('act')")
    assert CODE in await page.text()
    await page.click("接办")
    await arrive(page, "document.getElementById('reply')")
    await press(page, "?")
    await see(page, "显示或者收起这张表")
    await press(page, "r")
    await page.call("Input.insertText", text="请带身份证来。")
    await press(page, "Enter", ctrl=True)
    await arrive(page, "location.search === '?done=reply'")
    said = await app.store.messages(await conversation_of(app))
    assert [m.text for m in said if m.author is Author.STAFF] == ["请带身份证来。"]
    assert page.errors == []


async def test_news_do_not_disturb_what_is_being_typed(
    app: Running, team: Team, browser: Browser
) -> None:
    await open_ticket(app.store, CODE)
    await app.turns.act(CODE, TicketAction.CLAIM, staff=team.wang.staff)
    page = await sit_down(browser, team.wang, f"/desk/tickets/{CODE}")
    await page.type("#reply", "写到一半")
    await say(app.store, await conversation_of(app), citizen("老板刚才来了"))
    await page.evaluate(LOOK_AGAIN)
    await see(page, "有新内容")
    assert await page.evaluate("document.activeElement.value") == "写到一半"
    await page.click("有新内容")
    await see(page, "老板刚才来了")
    assert await page.evaluate("document.getElementById('reply').value") == "写到一半"
    assert page.errors == []


async def test_a_new_ticket_is_told_in_the_queue(
    app: Running, team: Team, browser: Browser
) -> None:
    page = await sit_down(browser, team.wang, "/desk")
    conversation = await begin(app.store)
    app.clock.move(minutes=7)
    await app.store.commit(Turn(conversation=conversation, at=app.clock.now, opened=(form(CODE),)))
    await page.evaluate(LOOK_AGAIN)
    await see(page, "有新工单")
    assert await page.evaluate("document.querySelector('[data-count=new]').textContent") == "1"
    await arrive(page, "document.getElementById('clock').textContent === '16:07'")
    await page.click("有新工单")
    await see(page, CODE)
    app.clock.move(hours=2)
    await page.evaluate(LOOK_AGAIN)
    await see(page, "登录已经过期")


async def test_two_clicks_are_one_reply(app: Running, team: Team, browser: Browser) -> None:
    await open_ticket(app.store, CODE)
    await app.turns.act(CODE, TicketAction.CLAIM, staff=team.wang.staff)
    page = await sit_down(browser, team.wang, f"/desk/tickets/{CODE}")
    await page.type("#reply", "请来一趟。")
    await page.evaluate("for (let i = 0; i < 3; i++) document.getElementById('send-reply').click()")
    await arrive(page, "location.search.startsWith('?done=')")
    said = await app.store.messages(await conversation_of(app))
    assert len([m for m in said if m.author is Author.STAFF]) == 1


async def test_hostile_words_run_nothing(app: Running, team: Team, browser: Browser) -> None:
    words = "\n".join(PAYLOADS)
    await open_ticket(app.store, CODE, story=words, place_words=words, phone=words)
    await say(app.store, await conversation_of(app), *map(citizen, PAYLOADS), bot(words))
    watch = "window.ran = 0; window.alert = () => { window.ran += 1; };"
    page = await sit_down(browser, team.admin, "/desk")
    await page.before_load(watch)
    for path in (f"/desk/tickets/{CODE}", "/desk"):
        await page.go(app.url + path)
        await page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert await page.evaluate("window.ran") == 0
    assert page.errors == []


@pytest.mark.parametrize("width", [360, 1280])
async def test_nothing_sticks_out_and_everything_has_contrast(
    app: Running, team: Team, browser: Browser, width: int
) -> None:
    await open_ticket(app.store, CODE, due_at=NOW, urgent=True, story="长" * 300 + "x" * 300)
    await open_ticket(app.store, "SOON-SOON-SOON", sender="b", due_at=NOW + timedelta(hours=1))
    conversation = await conversation_of(app)
    await say(app.store, conversation, citizen("w" * 500), bot("先投诉。\n" + "x" * 500))
    await app.turns.act(CODE, TicketAction.CLAIM, staff=team.admin.staff)
    await app.turns.act(CODE, TicketAction.NOTE, staff=team.admin.staff, text="备注")
    page = await sit_down(browser, team.admin, "/desk", width)
    for path in ("/desk", "/desk?tab=mine", f"/desk/tickets/{CODE}?done=claim", "/desk/staff",
                 "/desk/password", "/desk/nothing"):  # fmt: skip
        await page.go(app.url + path)
        await page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert await page.evaluate(_WEAK) == [], path
    detail = await app.store.ticket(CODE)
    assert detail is not None and detail.ticket.state is TicketState.CLAIMED


# Lists texts whose contrast with what lies behind them is below 4.5 : 1 (WCAG 2, 1.4.3).
_WEAK = """
(() => {
  const parse = c => (c.match(/[0-9.]+/g) || []).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const behind = e => {
    for (; e; e = e.parentElement) {
      const c = parse(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] === 1) return c;
    }
    return [255, 255, 255];
  };
  const weak = [];
  for (const e of document.body.querySelectorAll('*')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own || !e.getClientRects().length) continue;
    const [a, b] = [light(parse(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
    if (ratio < 4.5) weak.push(`${e.tagName}.${e.className} ${ratio.toFixed(1)} ${e.innerText}`);
  }
  return weak;
})()
"""
