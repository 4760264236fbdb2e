"""The page in a real browser: what people see, with everything newer than 2017 taken away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot.core.handoff import TicketAction
from bot.core.reply import Block, BlockKind, Line, Reply, Status
from bot.storage.store import Author, NewMessage, Role, Turn
from bot.thinking import Mind
from tests.browser import Browser, Page, open_browser
from tests.channels.web_app import Running, running

pytestmark = pytest.mark.browser

OLD_BROWSER = """
for (const name of ['fetch', 'EventSource', 'WebSocket', 'AbortController', 'ResizeObserver',
                    'IntersectionObserver', 'queueMicrotask', 'structuredClone', 'visualViewport'])
  delete window[name];
for (const [type, names] of [
  [Array, ['at', 'flat', 'flatMap', 'findLast']],
  [String, ['at', 'replaceAll', 'matchAll', 'padStart', 'trimStart']],
  [Element, ['append', 'prepend', 'before', 'after', 'replaceWith', 'replaceChildren']],
]) for (const name of names) delete type.prototype[name];
delete Object.fromEntries;
delete Crypto.prototype.randomUUID;
"""
HELLO = NewMessage(
    author=Author.BOT,
    reply=Reply(
        status=Status.SOCIAL_GREETING,
        blocks=(Block(kind=BlockKind.TEXT, lines=(Line(text="你好。"),)),),
    ),
)
WAGES = "老板跑路了工钱没给怎么办"


@pytest.fixture
async def chat(mind: Mind, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(mind, tmp_path) as app:
        yield app


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with open_browser() as opened:
        yield opened


@pytest.fixture
async def page(chat: Running, browser: Browser) -> Page:
    return await browser.open(chat.url + "/", width=360, height=740)


async def ask(page: Page, text: str) -> None:
    """Ask, and wait until the newest thing on the page is the answer."""
    letters = await page.evaluate("document.querySelectorAll('#log .letter').length")
    await page.type("#words", text)
    await page.press("Enter")
    await page.wait_until(f"document.querySelectorAll('#log .letter').length > {letters}", text)


async def own_words(page: Page) -> list[str]:
    found = "Array.from(document.querySelectorAll('.own-words')).map(e => e.textContent)"
    return list(await page.evaluate(found))


# -- the whole way -------------------------------------------------------------------------


@pytest.mark.parametrize("width", [360, 1280])
async def test_from_a_question_to_the_reply_of_a_person(
    chat: Running, browser: Browser, width: int
) -> None:
    page = await browser.open(chat.url + "/", width=width, height=740, before_load=OLD_BROWSER)
    await ask(page, WAGES)
    await page.wait_for_text("劳动监察")
    await page.click("看出处 1")
    await page.wait_for_text("保障农民工工资支付条例")
    await page.click("关上")
    await page.click("申请法律援助")
    await page.wait_for_text("先问几个问题")
    for label in ("就按这个", "曾都区", "跳过", "我自己的事", "不留电话", "同意并提交"):
        await page.click(label)
    await page.wait_for_text("已经交上去了")
    code = (await page.text()).partition("编号 ")[2][:14]
    clerk = await chat.store.add_staff("wang", "王敏", Role.CLERK, "x")
    await chat.turns.act(code, TicketAction.CLAIM, staff=clerk)
    await page.wait_for_text("王敏接了你的")
    await chat.turns.act(code, TicketAction.REPLY, staff=clerk, text="请带上欠条到中心来一趟。")
    await page.wait_for_text("请带上欠条到中心来一趟。")
    assert page.errors == []


# -- nothing is lost or doubled ------------------------------------------------------------


async def test_after_a_reload_the_conversation_is_there_once(page: Page) -> None:
    await ask(page, WAGES)
    before = await page.text()
    await page.reload()
    await page.wait_for_text("劳动监察")
    assert await own_words(page) == [WAGES]
    assert await page.text() == before


async def test_a_long_history_comes_whole_and_ends_at_the_last_question(
    chat: Running, page: Page
) -> None:
    await ask(page, "在吗")
    now = (await chat.store.messages(1))[-1].at
    for number in range(150):
        said = NewMessage(author=Author.CITIZEN, text=f"第{number}句"), HELLO
        await chat.store.commit(Turn(conversation=1, at=now, messages=said))
    await page.reload()
    await page.wait_for_text("第149句")
    await page.wait_until("!document.querySelector('#log').hasAttribute('aria-busy')")
    assert len(await own_words(page)) == 151
    last = "Array.from(document.querySelectorAll('.own')).pop().getBoundingClientRect().top"
    assert 0 < await page.evaluate(last) < 740
    assert await page.evaluate("document.querySelector('#below').hidden")


async def test_without_a_network_words_wait_and_are_sent_once(page: Page) -> None:
    await ask(page, "在吗")
    await page.offline(True)
    await page.type("#words", WAGES)
    await page.click("发送")
    await page.wait_for_text("没送出，点这里再送")
    await page.wait_for_text("网断了")
    await page.offline(False)
    await page.wait_for_text("劳动监察")
    assert "没送出" not in await page.text()
    assert await own_words(page) == ["在吗", WAGES]
    await page.reload()
    await page.wait_for_text("劳动监察")
    assert await own_words(page) == ["在吗", WAGES]


async def test_unsent_words_outlive_a_reload(page: Page) -> None:
    await page.call("Network.setBlockedURLs", urls=["*/chat/send"])
    await page.type("#words", WAGES)
    await page.press("Enter")
    await page.wait_for_text("没送出")
    await page.type("#words", "还没写完")
    await page.reload()
    await page.wait_for_text("没送出")
    assert await page.evaluate("document.querySelector('#words').value") == "还没写完"
    await page.call("Network.setBlockedURLs", urls=[])
    await page.click("没送出，点这里再送")
    await page.wait_for_text("劳动监察")
    assert await own_words(page) == [WAGES]


async def test_unsent_words_can_be_taken_back(page: Page) -> None:
    await page.call("Network.setBlockedURLs", urls=["*/chat/send"])
    await page.type("#words", "写错了")
    await page.press("Enter")
    await page.click("拿回来改")
    assert await page.evaluate("document.querySelector('#words').value") == "写错了"
    assert await own_words(page) == []
    await page.reload()
    assert "没送出" not in await page.text()


async def test_a_restart_of_the_server_is_survived(
    mind: Mind, tmp_path: Path, browser: Browser
) -> None:
    async with running(mind, tmp_path) as app:
        page = await browser.open(app.url + "/", width=360, height=740)
        await ask(page, "在吗")
    await page.wait_for_text("连不上")
    await page.type("#words", WAGES)
    await page.press("Enter")
    await page.wait_for_text("没送出")
    async with running(mind, tmp_path, port=int(app.url.rpartition(":")[2])):
        await page.wait_for_text("劳动监察", within=30)
        await page.wait_until("!document.querySelector('#status').textContent")
        assert await own_words(page) == ["在吗", WAGES]


async def test_what_is_refused_says_why(page: Page) -> None:
    await page.type("#words", "钱" * 6000)
    await page.click("发送")
    await page.wait_for_text("写得太长，没有存下")
    await page.click("拿回来改")
    assert await page.evaluate("document.querySelector('#words').value.length") == 6000


async def test_a_page_without_its_cookie_asks_to_be_opened_again(page: Page) -> None:
    await ask(page, "在吗")
    await page.call("Network.clearBrowserCookies")
    await page.type("#words", WAGES)
    await page.press("Enter")
    await page.wait_for_text("请打开 Cookie，再刷新页面")
    await page.reload()
    await page.wait_for_text("劳动监察")  # in a new conversation, and nothing was lost
    assert await own_words(page) == [WAGES]


async def test_two_taps_are_one(page: Page) -> None:
    await page.evaluate("document.querySelector('.example').click()")
    await page.evaluate("document.querySelector('.example').click()")
    await page.wait_for_text("劳动监察")
    assert len(await own_words(page)) == 1


async def test_what_was_deleted_leaves_the_screen(page: Page) -> None:
    await ask(page, WAGES)
    await ask(page, "删除我的信息")
    await page.click("确定删除")
    await page.wait_for_text("已经删除")
    assert WAGES not in await page.text()
    assert await own_words(page) == []
    await ask(page, "在吗")
    assert await own_words(page) == ["在吗"]


# -- reading -------------------------------------------------------------------------------


async def test_words_are_never_markup(page: Page) -> None:
    evil = "<img src=x onerror=\"document.title='bad'\"><b>在吗</b>"
    await ask(page, evil)
    assert evil in await own_words(page)
    assert await page.evaluate("document.querySelectorAll('#log img, #log b').length") == 0
    assert await page.evaluate("document.title") == "随法问"


async def test_a_source_opens_in_place_and_closes_with_escape(page: Page) -> None:
    await ask(page, WAGES)
    await page.click("看出处 2")
    await page.wait_until("document.querySelector('.source-body p')")
    assert await page.evaluate("document.activeElement.classList.contains('source')")
    await page.wait_for_text("条文原文可以在")
    place = "document.querySelector('.source').getBoundingClientRect().top"
    assert 0 <= await page.evaluate(f"{place} - document.querySelector('.top').offsetHeight") < 40
    await page.press("Escape")
    assert not await page.evaluate("Boolean(document.querySelector('.source'))")
    assert await page.evaluate("document.activeElement.classList.contains('mark')")


async def test_a_source_that_did_not_open_can_be_tried_again(page: Page) -> None:
    await ask(page, WAGES)
    await page.call("Network.setBlockedURLs", urls=["*/chat/cite*"])
    await page.click("看出处 1")
    await page.wait_for_text("全文没有打开")
    await page.call("Network.setBlockedURLs", urls=[])
    await page.click("全文没有打开")
    await page.wait_for_text("条文原文可以在")


async def test_danger_shows_the_numbers_first_and_they_can_be_called(page: Page) -> None:
    await ask(page, "我老公正在打我")
    await page.wait_for_text("马上打 110")
    calls = await page.evaluate(
        "Array.from(document.querySelectorAll('.alarm .call')).map(e => {"
        " const r = e.getBoundingClientRect();"
        " return {href: e.getAttribute('href'), seen: r.top > 0 && r.bottom < innerHeight - 60}; })"
    )
    assert {"href": "tel:110", "seen": True} in calls


async def test_the_newest_answer_begins_at_the_top_with_its_question(page: Page) -> None:
    await ask(page, WAGES)
    await ask(page, "离婚孩子归谁")
    place = await page.evaluate(
        "Array.from(document.querySelectorAll('.own')).pop().getBoundingClientRect().top"
        " - document.querySelector('.top').getBoundingClientRect().bottom"
    )
    assert 0 <= place < 40


async def test_somebody_who_reads_above_is_not_pulled_away(chat: Running, page: Page) -> None:
    await ask(page, WAGES)
    await page.evaluate("window.scrollTo(0, 0)")
    await page.evaluate(  # another tab of the same person
        "(() => { const x = new XMLHttpRequest(); x.open('POST', '/chat/send');"
        " x.setRequestHeader('X-Suifawen', '1');"
        " x.send(JSON.stringify({key: 'other-tab-1', text: '谢谢'})); })()"
    )
    await page.wait_for_text("有新回复，点这里看")
    assert await page.evaluate("window.pageYOffset") == 0
    await page.click("有新回复")
    await page.wait_until("document.querySelector('#below').hidden")
    assert await page.evaluate("window.pageYOffset") > 0


async def test_only_the_newest_answer_has_its_buttons_open(page: Page) -> None:
    await ask(page, WAGES)
    await ask(page, "离婚孩子归谁")
    opened = "Array.from(document.querySelectorAll('.actions')).map(e => e.open)"
    assert await page.evaluate(opened) == [False, True]
    await page.click("还可以点这些")
    assert await page.evaluate(opened) == [True, True]


# -- writing -------------------------------------------------------------------------------


async def test_shift_enter_makes_a_line_and_enter_sends(page: Page) -> None:
    await page.type("#words", "第一行")
    await page.press("Enter", shift=True)
    await page.type("#words", "第二行")
    await page.press("Enter")
    await page.wait_until("document.querySelectorAll('.own-words').length")
    assert await own_words(page) == ["第一行\n第二行"]


async def test_enter_belongs_to_the_input_method_while_it_composes(page: Page) -> None:
    await page.evaluate("document.querySelector('#words').focus()")
    await page.call("Input.imeSetComposition", text="laoban", selectionStart=6, selectionEnd=6)
    await page.evaluate(
        "document.querySelector('#words').dispatchEvent(new KeyboardEvent('keydown',"
        " {key: 'Enter', keyCode: 229, isComposing: true, bubbles: true, cancelable: true}))"
    )
    assert await own_words(page) == []
    await page.call("Input.insertText", text="老板不给工钱")
    await page.press("Enter")
    await page.wait_until("document.querySelectorAll('.own-words').length")
    assert await own_words(page) == ["老板不给工钱"]


async def test_the_keyboard_reaches_everything_and_shows_where_it_is(
    chat: Running, browser: Browser
) -> None:
    page = await browser.open(chat.url + "/", width=1280, height=800)
    await page.wait_until("!document.querySelector('#log').hasAttribute('aria-busy')")
    seen = []
    for _ in range(20):
        await page.press("Tab")
        seen.append(
            await page.evaluate(
                "[document.activeElement.id || document.activeElement.className"
                " || document.activeElement.tagName,"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
        )
    names = [name for name, _ in seen]
    assert names[:3] == ["quiet", "size", "example"]
    assert {"words", "send"} <= set(names)
    assert all(style == "solid" for name, style in seen if name != "BODY")


# -- eyes and fingers ----------------------------------------------------------------------

MEASURE = """
(() => {
  const shown = e => e.getClientRects().length && getComputedStyle(e).visibility === 'visible'
    && !e.closest('.unseen');
  const name = e => (e.className || e.tagName) + ' ' + e.textContent.trim().slice(0, 12);
  const light = c => [0, 1, 2].map(i => c[i] / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : Math.pow((v + 0.055) / 1.055, 2.4))
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = rgb(getComputedStyle(e).backgroundColor);
      if (c.length === 3 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  const contrast = e => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(ground(e))].sort((x, y) => y - x);
    return (a + 0.05) / (b + 0.05);
  };
  const texts = Array.from(document.body.querySelectorAll('*')).filter(e => shown(e)
    && Array.from(e.childNodes).some(n => n.nodeType === 3 && n.textContent.trim()));
  const targets = Array.from(document.querySelectorAll('a, button, summary, textarea'))
    .filter(e => shown(e) && !e.matches('.mark, .number'));
  const marks = Array.from(document.querySelectorAll('.mark')).filter(shown);
  return {
    overflow: document.documentElement.scrollWidth - innerWidth,
    faint: texts.filter(e => contrast(e) < 4.5).map(e => name(e) + contrast(e)),
    smallest: Math.min(...texts.filter(e => !e.closest('.mark'))
      .map(e => parseFloat(getComputedStyle(e).fontSize))),
    low: targets.map(e => [name(e), e.getBoundingClientRect().height]),
    marks: marks.map(e => {  // the area of a mark is that of what lies over it
      const over = getComputedStyle(e, '::after');
      return Math.min(parseFloat(over.height), parseFloat(over.width));
    })
  };
})()
"""


@pytest.mark.parametrize("width", [320, 360, 1280])
@pytest.mark.parametrize("large", [False, True], ids=["normal", "large"])
async def test_everything_can_be_read_and_tapped(
    chat: Running, browser: Browser, width: int, large: bool
) -> None:
    page = await browser.open(chat.url + "/", width=width, height=740)
    if large:
        await page.click("字大一点")
    await ask(page, WAGES)
    await page.click("看出处 1")
    await page.wait_for_text("条文原文可以在")
    await ask(page, "我老公正在打我")
    await ask(page, "a" * 300)
    await page.evaluate("document.querySelectorAll('details').forEach(e => { e.open = true; })")
    measured: dict[str, Any] = await page.evaluate(MEASURE)
    target = 60 if large else 48
    assert measured["overflow"] <= 0
    assert measured["faint"] == []
    assert measured["smallest"] >= (24 if large else 18)
    assert [t for t in measured["low"] if t[1] < target - 0.5] == []
    assert measured["marks"]
    assert min(measured["marks"]) >= 48


async def test_the_size_of_the_text_is_remembered(page: Page) -> None:
    await page.click("字大一点")
    await page.reload()
    assert await page.evaluate("document.documentElement.classList.contains('large')")
    await page.click("字小一点")
    assert not await page.evaluate("document.documentElement.classList.contains('large')")


async def test_without_scripts_the_page_gives_the_number_to_call(
    chat: Running, browser: Browser
) -> None:
    page = await browser.open("about:blank", width=360, height=740)
    await page.call("Emulation.setScriptExecutionDisabled", value=True)
    await page.go(chat.url + "/")
    document = await page.call("DOM.getDocument", depth=-1)
    assert "打 12348 就能免费问法律上的事" in json.dumps(document, ensure_ascii=False)


async def test_a_slow_answer_says_that_it_is_coming(chat: Running, page: Page) -> None:
    await page.wait_until("!document.querySelector('#log').hasAttribute('aria-busy')")
    await page.call("Network.setBlockedURLs", urls=["*/chat/updates*"])
    await page.type("#words", WAGES)
    await page.press("Enter")
    await page.wait_for_text("正在查…")
    await page.call("Network.setBlockedURLs", urls=[])
    await page.wait_for_text("劳动监察")
    assert "正在查" not in await page.text()


async def test_a_page_open_in_two_tabs_shows_the_same(
    chat: Running, browser: Browser, page: Page
) -> None:
    await ask(page, "在吗")
    other = await browser.open(chat.url + "/", width=360, height=740)
    await other.wait_for_text("在吗")
    await ask(page, WAGES)
    await other.wait_for_text("劳动监察")
    assert await own_words(other) == ["在吗", WAGES]
    await asyncio.sleep(0.3)
    assert await own_words(page) == ["在吗", WAGES]
