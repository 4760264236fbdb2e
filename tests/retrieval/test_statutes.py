"""Statutes in every form, one version of each law, found by name and by words, kept apart."""

from __future__ import annotations

import gzip
import json
import zipfile
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.asking import AskRequest, ask
from bot.thinking import Mind
from kb.statute_files import StatuteFileError, read_statutes
from retrieval.encoder import load_encoder
from retrieval.normalise import fold
from retrieval.ranking import load_ranking
from retrieval.search import Searcher
from retrieval.statutes import StatuteLibrary, StatutesError, open_statutes, write_statutes

SECOND = "用人单位约定试用期的，应当书面告知。"
TODAY = date(2026, 11, 24)
TEXT = """中华人民共和国测试法

（2020年1月1日通过　自2021年3月1日起施行）

目　录
第一章　总则

第一章　总则
第一条　为了测试，制定本法。
第二条　用人单位约定试用期的，应当书面告知。
　　违反前款规定的，由有关部门责令改正。
第二章　附则
第三条　本法自2021年3月1日起施行。
"""


def _docx(path: Path, lines: list[str]) -> None:
    w = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    body = "".join(f"<w:p><w:r><w:t>{line}</w:t></w:r></w:p>" for line in lines)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(
            "word/document.xml", f'<w:document xmlns:w="{w}"><w:body>{body}</w:body></w:document>'
        )


@pytest.fixture(params=["txt", "md", "docx", "jsonl", "jsonl.gz"])
def file(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / f"law.{request.param}"
    lines = TEXT.split("\n")
    match request.param:
        case "txt":
            path.write_text(TEXT, encoding="utf-8")
        case "md":
            heads = [f"## {x}" if x.startswith("第") and "章" in x else x for x in lines[1:]]
            marked = [f"# {lines[0]}", *heads]
            path.write_text("\n".join(marked).replace("第一条", "**第一条**"), encoding="utf-8")
        case "docx":
            _docx(path, lines)
        case _:
            rows = [
                {"law": "测试法", "article": f"第{n}条", "text": text, "effective": "2021-03-01",
                 "status": "有效", "chapter": "第一章 总则"}
                for n, text in (
                    ("一", "为了测试，制定本法。"),
                    ("二", f"{SECOND}\n违反前款规定的，由有关部门责令改正。"),
                    ("三", "本法自2021年3月1日起施行。"),
                )
            ]  # fmt: skip
            data = "\n".join(json.dumps(row, ensure_ascii=False) for row in rows).encode()
            path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def test_every_form_gives_the_same_articles(file: Path) -> None:
    articles = list(read_statutes(file))
    assert [a.article for a in articles] == ["第一条", "第二条", "第三条"]
    assert {a.law for a in articles} == {"测试法"}
    assert articles[1].text.split("\n")[1] == "违反前款规定的，由有关部门责令改正。"
    assert articles[0].chapter == "第一章 总则"
    assert {a.effective for a in articles} == {date(2021, 3, 1)}


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.txt", "测试法\n没有条文", "没有找到“第…条”"),
        ("a.txt", "第一条 没有名称", "第一行应当是法律的名称"),
        ("a.txt", "测试法\n第一条 甲\n第一条 乙", "出现了两次"),
        ("a.jsonl", '{"law": "测试法"}', ":1："),
        ("a.jsonl", "不是 JSON", ":1："),
        ("a.pdf", "x", "只认识"),
        ("a.docx", "x", "打不开"),
    ],
)
def test_bad_files_say_what_to_do(tmp_path: Path, name: str, content: str, says: str) -> None:
    (tmp_path / name).write_text(content, encoding="utf-8")
    with pytest.raises(StatuteFileError, match=says):
        list(read_statutes(tmp_path / name))


@pytest.fixture
def library(tmp_path: Path) -> StatuteLibrary:
    (tmp_path / "a.txt").write_text(TEXT, encoding="utf-8")
    articles = list(read_statutes(tmp_path / "a.txt"))
    old = [replace(a, effective=date(2010, 1, 1), text="旧" + a.text) for a in articles]
    future = [replace(a, effective=date(2027, 1, 1), text="新" + a.text) for a in articles]
    gone = [replace(articles[0], law="废止法", status="已废止")]
    counts = write_statutes(tmp_path / "statutes", [*old, *articles, *future, *gone], TODAY)
    assert counts == {"laws": 1, "articles": 3, "left_out": 3}
    found = open_statutes(tmp_path / "statutes")
    assert found is not None
    return found


def test_the_version_in_force_is_kept(library: StatuteLibrary) -> None:
    assert library["law/测试法/第一条"].text == "为了测试，制定本法。"
    assert len(library) == 3 and "law/废止法/第一条" not in library


def test_found_by_words_and_by_law(library: StatuteLibrary) -> None:
    assert library.search(fold("试用期要书面吗"), 2)[0] == "law/测试法/第二条"
    assert library.find_law(fold("测试法 试用期")) == ("测试法", "测试法")
    assert library.search("xyz", 3) == ()


def test_a_damaged_import_is_refused(library: StatuteLibrary, tmp_path: Path) -> None:
    (tmp_path / "statutes/articles.json").write_text("[")
    with pytest.raises(StatutesError, match="重新导入"):
        open_statutes(tmp_path / "statutes")
    assert open_statutes(tmp_path / "nothing") is None


def test_statutes_are_read_in_full_and_never_crowd_out_an_entry(
    mind: Mind, library: StatuteLibrary
) -> None:
    playbook = replace(mind.playbook, statutes=library, _cited={})
    searcher = mind.searcher
    assert isinstance(searcher, Searcher)
    with_statutes = Searcher(
        searcher.index, playbook.knowledge, load_encoder(), load_ranking(), statutes=library
    )
    full = Mind(playbook=playbook, searcher=with_statutes)
    now = datetime(2026, 11, 24, tzinfo=UTC)
    answer = ask(full, AskRequest(text="测试法第二条"), now)
    assert "书面告知" in answer["text"] and answer["status"] == "answered"
    assert "书面告知" in ask(full, AskRequest(text="测试法 试用期"), now)["text"]
    answer = ask(full, AskRequest(text="试用期不签合同怎么办"), now)
    assert answer["situation"] is not None
    assert answer["text"].index("怎么办") < answer["text"].index("相关法条")
    assert any(c["id"] == "law/测试法/第二条" for c in answer["citations"])
