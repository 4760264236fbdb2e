"""Bad files get a message that names the file, the line and what to do; nothing is guessed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.catalogue import CatalogueError, build_catalogue, open_catalogue
from kb.check import bigrams, check_knowledge, overlap
from kb.load import SHIPPED, load_files, load_knowledge
from kb.statement import StatementError, parse_statement, render_statement
from kb.types import Basis, Knowledge, Statement
from kb.yamlfile import KnowledgeError

ENTRY = """topic: wage-arrears
verified_on: 2026-11-24
review_by: 2027-05-24
situations:
  - id: test-entry
    title: 测试
    answer: 先投诉。【劳动合同法 第三十条】
"""


@pytest.fixture
def layer(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(name: str, text: str) -> Path:
        path = tmp_path / "kb" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return tmp_path / "kb"

    return write


def _message(root: Path) -> str:
    with pytest.raises(KnowledgeError) as caught:
        load_knowledge((SHIPPED, root))
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "line", "says"),
    [
        (ENTRY.replace("title: 测试", "titel: 测试"), 6, "不认识“titel”"),
        (ENTRY.replace("2027-05-24", "2027-13-44"), 3, "“2027-13-44”不是日期"),
        (ENTRY.replace("    title: 测试\n", ""), 5, "缺少“title”"),
        (ENTRY.replace("【劳动合同法 第三十条】", "【劳动合同法】"), 7, "看不懂依据"),
        (ENTRY.replace("【劳动合同法 第三十条】", "【劳动合同法 第三十条"), 7, "成对"),
        (ENTRY + "    steps: 一句话\n", 8, "应当是一个列表"),
        (ENTRY + "    title: 又一次\n", 8, "写了两次"),
        (ENTRY.replace("2027-05-24", "明年"), 3, "应当是日期"),
        (ENTRY.replace("  - id", "  -id"), 6, "读不懂"),
    ],
)
def test_a_broken_entry_is_named_with_its_line(
    layer: Callable[[str, str], Path], text: str, line: int, says: str
) -> None:
    message = _message(layer("situations/own.yaml", text))
    assert f"kb/situations/own.yaml:{line}：" in message
    assert says in message


def test_a_duplicate_id_is_named_with_both_places(layer: Callable[[str, str], Path]) -> None:
    twice = ENTRY + ENTRY[ENTRY.index("  - id") :]
    message = _message(layer("situations/own.yaml", twice))
    assert "own.yaml:8" in message and "own.yaml:5" in message and "已经用过" in message


def test_not_utf8(layer: Callable[[str, str], Path]) -> None:
    root = layer("situations/own.yaml", ENTRY)
    (root / "situations/own.yaml").write_bytes(ENTRY.encode("gbk"))
    assert "UTF-8" in _message(root)


def test_all_mistakes_are_reported_at_once(layer: Callable[[str, str], Path]) -> None:
    layer("situations/a.yaml", ENTRY.replace("title", "titel"))
    message = _message(layer("situations/b.yaml", ENTRY.replace("answer", "anser")))
    assert "titel" in message and "anser" in message


def test_the_operators_entry_wins_and_withdrawn_ones_go(layer: Callable[[str, str], Path]) -> None:
    own = ENTRY.replace("test-entry", "wage-arrears-boss-gone")
    layer("situations/own.yaml", own)
    root = layer("withdrawn.yaml", "withdrawn: [labor-inspection]\n")
    knowledge = load_knowledge((SHIPPED, root))
    assert knowledge.entries["wage-arrears-boss-gone"].title == "测试"
    assert "labor-inspection" not in knowledge.entries
    assert any("labor-inspection" in p.message for p in check_knowledge(knowledge))


def test_one_sentence_of_the_wording_can_be_changed(layer: Callable[[str, str], Path]) -> None:
    root = layer("wording/own.yaml", "wording: {social.thanks: 不客气。}\n")
    shutil.move(root / "wording/own.yaml", root / "wording/answers.yaml")
    files = load_files((SHIPPED, root))
    assert files["wording/answers"]["wording"]["social.thanks"] == "不客气。"
    assert "随法问" in files["wording/answers"]["wording"]["social.greeting"]


def test_missing_basis_and_unknown_ids_are_found(layer: Callable[[str, str], Path]) -> None:
    text = ENTRY.replace("【劳动合同法 第三十条】", "") + "    services: [no-such-office]\n"
    root = layer("situations/own.yaml", text)
    said = "\n".join(str(p) for p in check_knowledge(load_knowledge((SHIPPED, root))))
    for expected in ("没有任何依据", "服务“no-such-office”不存在", "缺少“steps”", "至少要 15 条"):
        assert expected in said


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("situations/extra.yml", "改名为 extra.yaml"),
        ("situation/extra.yaml", "放错了文件夹"),
        ("extra.yaml", "放错了文件夹"),
    ],
)
def test_a_file_that_nothing_reads_is_told(
    name: str, says: str, layer: Callable[[str, str], Path]
) -> None:
    message = _message(layer(name, ENTRY))
    assert name in message
    assert says in message


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("title: 测试", "title: '  '", "没有写标题"),
        ("title: 测试", f"title: {'很长的标题' * 5}", "标题超过"),
        ("先投诉。", "待填写。", "没有写完"),
        ("【劳动合同法 第三十条】", "[劳动合同法 第三十条]", "全角的【】"),
    ],
)
def test_an_unfinished_entry_is_told(
    old: str, new: str, says: str, layer: Callable[[str, str], Path]
) -> None:
    root = layer("situations/extra.yaml", ENTRY.replace(old, new))
    problems = check_knowledge(load_knowledge((SHIPPED, root)))
    assert any("test-entry" in str(p) and says in str(p) for p in problems)


def test_the_catalogue_gives_back_what_the_files_hold(tmp_path: Path) -> None:
    knowledge, files = load_knowledge(), load_files()
    build_catalogue(tmp_path / "c.db", knowledge, files)
    read, read_files = open_catalogue(tmp_path / "c.db")
    assert read == knowledge
    assert read_files == files


def test_a_damaged_catalogue_is_refused(tmp_path: Path) -> None:
    (tmp_path / "c.db").write_bytes(b"not a database" * 100)
    with pytest.raises(CatalogueError, match="suifawen build"):
        open_catalogue(tmp_path / "c.db")


_words = st.text(alphabet="一二三劳动合同法，。7日", min_size=1, max_size=20).filter(str.strip)


@given(
    _words,
    st.lists(st.tuples(st.sampled_from(["民法典", "劳动法"]), st.integers(1, 300)), max_size=3),
)
def test_a_statement_is_read_back(text: str, basis: list[tuple[str, int]]) -> None:
    statement = Statement(
        text=text.strip(),
        basis=tuple(parse_statement(f"句。【{law} 第{n}条】", {}).basis[0] for law, n in basis),
    )
    assert parse_statement(render_statement(statement), {}) == statement


@pytest.mark.parametrize(
    "line", ["", "  ", "【民法典 第一条】", "话【民法典 第一条】话", "话【民法典】"]
)
def test_bad_statements(line: str) -> None:
    with pytest.raises(StatementError):
        parse_statement(line, {})


def test_short_names_and_ways_of_writing_an_article() -> None:
    short = {"民诉法": "民事诉讼法"}
    for line in (
        "话。【民诉法 第22条】",
        "话。【《民诉法》第二十二条】",
        "话。【中华人民共和国民诉法 22条】",
    ):
        assert parse_statement(line, short).basis == (
            Basis(law="民事诉讼法", article="第二十二条"),
        )


def test_overlap_is_a_share_of_the_shorter() -> None:
    assert overlap(bigrams("老板不给钱"), bigrams("老板不给钱怎么办啊")) == 1.0
    assert overlap(bigrams("老板不给钱"), bigrams("邻居漏水")) == 0.0


def test_the_shipped_knowledge_is_whole(knowledge: Knowledge) -> None:
    assert len(knowledge.provisions) == 91
    assert all(p.title and p.summary and p.facts for p in knowledge.provisions.values())
    assert not check_knowledge(knowledge)
