"""The web chat over HTTP, on the real store and the real knowledge."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
import resource
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot.channels.web.routes import IDLE_PAUSE, POLLS_EACH, SENDS_ADDRESS, SENDS_EACH
from bot.core.handoff import TicketAction
from bot.storage.store import Role
from bot.thinking import Mind
from tests.channels.web_app import OURS, Running, Visitor, running, visiting


@pytest.fixture
async def chat(mind: Mind, tmp_path: Path) -> AsyncIterator[Running]:
    async with running(mind, tmp_path) as app:
        yield app


@pytest.fixture
async def visitor(chat: Running) -> AsyncIterator[Visitor]:
    async with visiting(chat.url) as somebody:
        yield somebody


# -- the page ----------------------------------------------------------------------------


async def test_the_page_gives_a_cookie_that_scripts_and_other_sites_cannot_use(
    chat: Running,
) -> None:
    async with aiohttp.ClientSession() as session, session.get(chat.url + "/") as response:
        cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("sfw=")
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        policy = response.headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'self'; frame-ancestors 'none'")
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["Referrer-Policy"] == "same-origin"


async def test_over_https_the_cookie_belongs_to_this_host_only(mind: Mind, tmp_path: Path) -> None:
    async with (
        running(mind, tmp_path, public_url="https://fa.example") as app,
        aiohttp.ClientSession() as session,
        session.get(app.url + "/") as response,
    ):
        cookie = response.headers["Set-Cookie"]
        assert cookie.startswith("__Host-sfw=")
        assert "Secure" in cookie
        assert "Domain" not in cookie


async def test_a_second_visit_keeps_the_conversation(chat: Running, visitor: Visitor) -> None:
    await visitor.ask("老板不给工钱")
    async with visitor.session.get(chat.url + "/") as response:
        await response.read()
    assert (await visitor.updates(after=0))["messages"][0]["text"] == "老板不给工钱"


def contents(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


async def test_the_token_is_stored_nowhere(chat: Running, visitor: Visitor, tmp_path: Path) -> None:
    await visitor.ask("老板不给工钱")
    token = next(c.value for c in visitor.session.cookie_jar if c.key == "sfw")
    assert token.encode() not in contents(tmp_path)
    sender = hashlib.sha256(token.encode()).hexdigest()
    assert await chat.store.find_conversation("web", "", sender) is not None


async def test_files_are_compressed_and_kept_for_ever_by_version(chat: Running) -> None:
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.get(chat.url + "/", headers={"Accept-Encoding": "gzip"}) as response:
            html = gzip.decompress(await response.read()).decode()
        url = html.partition('src="')[2].partition('"')[0]
        assert url.startswith("/page/")
        async with session.get(chat.url + url, headers={"Accept-Encoding": "gzip"}) as response:
            assert response.headers["Content-Encoding"] == "gzip"
            assert "immutable" in response.headers["Cache-Control"]
            tag = response.headers["ETag"]
            assert gzip.decompress(await response.read())
        async with session.get(chat.url + url, headers={"If-None-Match": tag}) as response:
            assert response.status == 304
        plain = url.partition("?")[0]
        async with session.get(chat.url + plain, headers={"Accept-Encoding": "br"}) as response:
            assert "Content-Encoding" not in response.headers
            assert response.headers["Cache-Control"] == "no-cache"
        async with session.get(chat.url + "/page/page.html") as response:
            assert response.status == 404


# -- sending and receiving -----------------------------------------------------------------


async def test_a_question_is_answered_with_sources_that_open(
    chat: Running, visitor: Visitor
) -> None:
    answer = (await visitor.ask("老板跑路了工钱没给怎么办"))["reply"]
    assert answer["status"] == "answered"
    assert answer["blocks"][0]["kind"] == "lead"
    citation = answer["citations"][0]
    async with visitor.session.get(
        f"{chat.url}/chat/cite", params={"id": citation["id"]}
    ) as response:
        opened = await response.json()
    assert opened["id"] == citation["id"]
    assert opened["paragraphs"]
    assert opened["note"]


async def test_a_button_goes_on_with_its_matter(visitor: Visitor) -> None:
    answer = (await visitor.ask("老板跑路了工钱没给怎么办"))["reply"]
    button = next(b for b in answer["buttons"] if b["label"] == "要带什么")
    status, _ = await visitor.send(button["label"], choice=button["choice"])
    assert status == 202
    citizen, bot = (await visitor.updates())["messages"]
    assert citizen["text"] == "要带什么"
    assert any("身份证" in line["text"] for b in bot["reply"]["blocks"] for line in b["lines"])


async def test_the_same_key_again_changes_nothing(visitor: Visitor) -> None:
    for _ in range(3):
        assert (await visitor.send("在吗", key="the-same-key"))[0] == 202
    messages = (await visitor.updates())["messages"]
    await asyncio.sleep(0.1)
    messages += (await visitor.updates(wait=0))["messages"]
    assert [m["author"] for m in messages] == ["citizen", "bot"]
    assert messages[0]["key"] == "the-same-key"


async def test_the_same_key_from_somebody_else_is_another_message(
    chat: Running, visitor: Visitor
) -> None:
    await visitor.send("在吗", key="the-same-key")
    async with visiting(chat.url) as other:
        await other.send("在吗", key="the-same-key")
        assert len((await other.updates())["messages"]) == 2


async def test_a_poll_waits_until_something_comes(visitor: Visitor) -> None:
    await visitor.ask("在吗")
    waiting = asyncio.create_task(visitor.updates(wait=25))
    await asyncio.sleep(0.05)
    assert not waiting.done()
    await visitor.send("谢谢")
    assert (await waiting)["messages"]


async def test_a_poll_that_found_nothing_says_so(visitor: Visitor) -> None:
    await visitor.ask("在吗")
    last = visitor.last
    updates = await visitor.updates(wait=0)
    assert (updates["messages"], updates["last"], updates["pause"]) == ([], last, 0)


async def test_without_a_conversation_there_is_nothing_to_wait_for(visitor: Visitor) -> None:
    updates = await visitor.updates(wait=25)
    assert (updates["messages"], updates["thread"], updates["pause"]) == ([], "", IDLE_PAUSE)


async def test_the_reply_of_staff_arrives_with_their_name(chat: Running, visitor: Visitor) -> None:
    await visitor.ask("老板跑路了工钱没给怎么办")
    code = await _open_ticket(visitor)
    clerk = await chat.store.add_staff("wang", "王敏", Role.CLERK, "x")
    await chat.turns.act(code, TicketAction.CLAIM, staff=clerk)
    await visitor.updates()
    waiting = asyncio.create_task(visitor.updates())
    await chat.turns.act(code, TicketAction.REPLY, staff=clerk, text="请带上欠条来一趟。")
    [message] = (await waiting)["messages"]
    assert (message["author"], message["staff_name"]) == ("staff", "王敏")
    assert message["reply"]["blocks"][0]["kind"] == "staff"


async def _open_ticket(visitor: Visitor) -> str:
    """Go through the intake by pressing whatever leads on; return the ticket's code."""
    reply = (await visitor.ask("申请法律援助"))["reply"]
    for _ in range(12):
        wanted = ("就按这个", "曾都", "跳过", "我自己的事", "不留电话", "同意并提交")
        button = next(
            (b for w in wanted for b in reply["buttons"] if w in b["label"] and b["choice"]), None
        )
        if button is None:
            text = str(reply)
            assert "编号" in text, text
            return text.partition("编号 ")[2][:14]
        await visitor.send(button["label"], choice=button["choice"])
        messages: list[dict[str, Any]] = []
        while not any(m["author"] == "bot" for m in messages):
            messages = (await visitor.updates())["messages"]
        reply = messages[-1]["reply"]
    raise AssertionError("the intake does not end")


# -- what was deleted, and what began anew ---------------------------------------------------


async def test_what_was_deleted_is_told_to_the_page(visitor: Visitor) -> None:
    await visitor.ask("老板不给工钱")
    reply = (await visitor.ask("删除我的信息"))["reply"]
    button = next(b for b in reply["buttons"] if b["style"] == "primary")
    await visitor.send(button["label"], choice=button["choice"])
    updates = await visitor.updates()
    [farewell] = updates["messages"]
    assert updates["first"] == farewell["seq"] > 1


async def test_a_page_that_knows_another_conversation_gets_this_one_from_its_beginning(
    visitor: Visitor,
) -> None:
    await visitor.ask("在吗")
    updates = await visitor.updates(after=57, thread="0123456789abcdef")
    assert [m["seq"] for m in updates["messages"]] == [1, 2]


async def test_nobody_reads_what_is_not_theirs(chat: Running, visitor: Visitor) -> None:
    await visitor.ask("老板不给工钱")
    async with visiting(chat.url) as other:
        assert (await other.updates(thread=visitor.thread))["messages"] == []


# -- refusals: each with a text for people, nothing stored ------------------------------------


async def _post(visitor: Visitor, body: bytes | str, **headers: str) -> tuple[int, dict[str, Any]]:
    async with visitor.session.post(
        f"{visitor.url}/chat/send", data=body, headers={**OURS, **headers}
    ) as response:
        return response.status, await response.json()


GOOD = '{"key": "k-123456", "text": "在吗"}'


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Suifawen": ""},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://[broken"},
        {"Referer": "https://evil.example/page"},
    ],
)
async def test_a_forged_message_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    status, answer = await _post(visitor, GOOD, **headers)
    assert status == 403
    assert "没有存下" in answer["text"]
    assert (await visitor.updates(wait=0))["thread"] == ""


async def test_our_own_page_is_not_taken_for_another(visitor: Visitor) -> None:
    assert (await _post(visitor, GOOD, Origin=visitor.url))[0] == 202


async def test_behind_a_proxy_the_public_address_is_our_own(mind: Mind, tmp_path: Path) -> None:
    public = "http://fa.example"
    async with running(mind, tmp_path, public_url=public) as app, visiting(app.url) as visitor:
        assert (await _post(visitor, GOOD, Origin=public))[0] == 202


async def test_without_a_cookie_nothing_is_taken(chat: Running) -> None:
    async with aiohttp.ClientSession() as session:
        stranger = Visitor(chat.url, session)
        status, answer = await stranger.send("在吗")
        assert status == 403
        assert "Cookie" in answer["text"]
        async with session.get(f"{chat.url}/chat/updates") as response:
            assert response.status == 403


async def test_a_body_of_a_megabyte_is_refused_unread(visitor: Visitor) -> None:
    status, answer = await _post(visitor, b"x" * 1_000_000)
    assert status == 413
    assert "太长" in answer["text"]


async def test_a_long_body_without_its_length_is_refused_too(visitor: Visitor) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(20):
            yield b"x" * 1024

    async with visitor.session.post(
        f"{visitor.url}/chat/send", data=pieces(), headers=OURS
    ) as response:
        assert response.status == 413


async def test_five_thousand_characters_are_taken(visitor: Visitor) -> None:
    assert (await visitor.send("钱" * 5000))[0] == 202


async def test_bad_json_is_refused(visitor: Visitor) -> None:
    status, answer = await _post(visitor, '{"key": ')
    assert status == 400
    assert "没有存下" in answer["text"]


@pytest.mark.parametrize(
    "query", [{"after": "x"}, {"wait": "nan"}, {"after": "9" * 5000}], ids=["word", "nan", "huge"]
)
async def test_a_bad_poll_is_refused(visitor: Visitor, query: dict[str, str]) -> None:
    async with visitor.session.get(f"{visitor.url}/chat/updates", params=query) as response:
        assert response.status == 400


async def test_a_poll_with_a_number_that_no_line_has_is_harmless(visitor: Visitor) -> None:
    await visitor.ask("在吗")
    assert (await visitor.updates(after=10**30, wait=-5))["messages"] == []


async def test_too_many_messages_are_refused_kindly(visitor: Visitor) -> None:
    statuses = [(await visitor.send("在吗"))[0] for _ in range(SENDS_EACH)]
    assert set(statuses) == {202}
    status, answer = await visitor.send("在吗")
    assert status == 429
    assert "12348" in answer["text"]


async def test_many_visitors_from_one_address_are_limited_too(mind: Mind, tmp_path: Path) -> None:
    async with running(mind, tmp_path, proxies=1) as app:
        statuses = []
        for _ in range(SENDS_ADDRESS // 10 + 1):
            async with visiting(app.url) as visitor:
                visitor.session.headers["X-Forwarded-For"] = "10.9.9.9, 192.0.2.7"
                statuses += [(await visitor.send("在吗"))[0] for _ in range(10)]
        assert statuses.count(202) == SENDS_ADDRESS
        async with visiting(app.url) as visitor:
            visitor.session.headers["X-Forwarded-For"] = "192.0.2.7, 192.0.2.8"
            assert (await visitor.send("在吗"))[0] == 202


async def test_an_unknown_source_is_answered_in_words(chat: Running, visitor: Visitor) -> None:
    for id_ in ("no-such-thing", "law/民法典/第一万条", ""):
        async with visitor.session.get(f"{chat.url}/chat/cite", params={"id": id_}) as response:
            assert response.status == 404
            assert "出处" in (await response.json())["text"]


@contextmanager
def full_disk(folder: Path) -> Iterator[None]:
    """What a full disk does to this process: the write-ahead log cannot grow any more."""
    [log] = folder.rglob("*-wal")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


async def test_a_full_disk_is_admitted_and_the_same_message_can_be_sent_again(
    visitor: Visitor, tmp_path: Path
) -> None:
    await visitor.ask("在吗")
    with full_disk(tmp_path):
        status, answer = await visitor.send("老板不给工钱", key="the-same-key")
    assert status == 503
    assert "没有存下" in answer["text"]
    assert "12348" in answer["text"]
    assert (await visitor.send("老板不给工钱", key="the-same-key"))[0] == 202
    assert (await visitor.updates())["messages"][0]["text"] == "老板不给工钱"


# -- polls --------------------------------------------------------------------------------------


async def test_the_oldest_of_too_many_polls_is_let_go(visitor: Visitor) -> None:
    await visitor.ask("在吗")
    polls = []
    for _ in range(POLLS_EACH + 1):
        polls.append(asyncio.create_task(visitor.updates(wait=25)))
        await asyncio.sleep(0.02)
    first = await polls[0]
    assert first["messages"] == []
    assert first["pause"] > 0
    await visitor.send("谢谢")
    for poll in polls[1:]:
        assert (await poll)["messages"]


async def test_the_server_does_not_wait_for_polls_when_it_stops(mind: Mind, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        server = running(mind, tmp_path)
        app = await server.__aenter__()
        visitor = await stack.enter_async_context(visiting(app.url))
        await visitor.ask("在吗")
        waiting = asyncio.create_task(visitor.updates(wait=25))
        await asyncio.sleep(0.05)
        async with asyncio.timeout(3):
            await server.__aexit__(None, None, None)
            assert (await waiting)["messages"] == []
