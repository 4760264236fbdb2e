"""The main job, in a real browser on a real server: a citizen asks and a person answers."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.browser import Browser, Page, open_browser
from tests.serving import Server, serving

SHOTS = os.environ.get("SUIFAWEN_SHOTS")
"""A folder to keep screenshots in, to be looked at."""


async def _shot(page: Page, name: str) -> None:
    if SHOTS:
        await page.screenshot(Path(SHOTS) / f"{name}.png")


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), [(360, 740), (1280, 800)])
async def test_ask_cite_apply_claim_reply(data: Path, width: int, height: int) -> None:
    with serving(data) as server:
        async with open_browser() as browser:
            chat = await browser.open(server.base + "/", width=width, height=height)
            await _shot(chat, f"{width}-0-start")
            await _ask(chat, width)
            await _apply(chat, width)
            desk = await _sit_down(browser, server, width, height)
            await _answer(desk, width)
            await chat.wait_for_text("请你明天带上身份证和转账记录来一趟")  # without reloading
            assert "管理员" in await chat.text()
            await _shot(chat, f"{width}-6-answered")
            assert chat.errors == [] and desk.errors == []


async def _ask(chat: Page, width: int) -> None:
    await chat.type("textarea", "老板跑路了工钱没给怎么办")
    await chat.click("发送")
    await chat.wait_for_text("劳动监察")
    await _shot(chat, f"{width}-1-answer")
    await chat.click("［1］")
    await chat.wait_for_text("施行")
    await _shot(chat, f"{width}-2-citation")


async def _apply(chat: Page, width: int) -> None:
    for label, then in (
        ("申请法律援助", "就按这个"),
        ("就按这个", "曾都区"),
        ("随县", "跳过"),
        ("跳过", "我自己的事"),
        ("我自己的事", "不留电话"),
        ("不留电话", "同意并提交"),
    ):
        await chat.click(label)
        await chat.wait_for_text(then)
    await _shot(chat, f"{width}-3-consent")
    await chat.click("同意并提交")
    await chat.wait_for_text("编号")
    await _shot(chat, f"{width}-4-opened")


async def _sit_down(browser: Browser, server: Server, width: int, height: int) -> Page:
    desk = await browser.open(server.base + "/desk", width=width, height=height)
    await desk.type("#login", "admin")
    await desk.type("#password", server.first_password)
    await desk.press("Enter")
    await desk.wait_until("document.getElementById('old')")
    await desk.type("#old", server.first_password)
    await desk.type("#new", "一句别人不容易猜到的话")
    await desk.type("#again", "一句别人不容易猜到的话")
    await desk.press("Enter")
    await desk.wait_until("document.querySelector('a[href*=\"/desk/tickets/\"]')")
    await _shot(desk, f"{width}-5-queue")
    return desk


async def _answer(desk: Page, width: int) -> None:
    await desk.click_on("a[href*='/desk/tickets/']")
    await desk.wait_for_text("老板跑路了工钱没给怎么办")
    await desk.click("接办")
    await desk.wait_until("document.getElementById('reply')")
    await desk.type("#reply", "请你明天带上身份证和转账记录来一趟。")
    await _shot(desk, f"{width}-5-ticket")
    await desk.click_on("#send-reply")
    await desk.wait_until("location.search === '?done=reply'")
