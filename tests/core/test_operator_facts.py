"""What only the operator knows: offices, validity, promises. Nothing is shown that is not set."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from bot.asking import AskRequest, ask
from bot.thinking import Mind
from kb.check import check_knowledge
from kb.load import SHIPPED, load_files, load_knowledge
from kb.types import Office

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
DAY = date(2026, 11, 24)


def _office(place: str, name: str) -> Office:
    return Office(
        service="legal-aid", place=place, name=name, phone="0722-7654321", verified_on=DAY
    )


def _with(mind: Mind, **changes: object) -> Mind:
    knowledge = replace(mind.playbook.knowledge, **changes)  # type: ignore[arg-type]  # field names
    return replace(mind, playbook=replace(mind.playbook, knowledge=knowledge, _cited={}))


def _say(mind: Mind, *turns: str, now: datetime = NOW) -> str:
    return str(ask(mind, AskRequest(turns=list(turns)), now)["text"])


def test_the_office_of_the_place_is_named(mind: Mind) -> None:
    own = (_office("zengdu", "曾都的"), _office("suixian", "随县的"), _office("suizhou", "市里的"))
    local = _with(mind, offices=own)
    said = _say(local, "我在厉山", "老板跑路了工钱没给怎么办", "去哪里")
    assert "随县的" in said and "0722-7654321" in said and "2026年11月24日核对" in said
    assert "曾都的" not in said
    assert "市里的" in _say(local, "老板跑路了工钱没给怎么办", "去哪里")  # no place is known
    assert "市里的" in _say(local, "我在广水马坪", "老板跑路了工钱没给怎么办", "去哪里")
    assert "0722" not in _say(mind, "我在厉山", "老板跑路了工钱没给怎么办", "去哪里")


def test_an_office_has_to_be_right(mind: Mind) -> None:
    wrong = (
        replace(_office("nowhere", "甲"), service="no-such"),
        replace(_office("zengdu", "乙"), phone="打这个"),
        replace(_office("zengdu", "丙"), phone=""),
    )
    said = "\n".join(map(str, check_knowledge(replace(mind.playbook.knowledge, offices=wrong))))
    for part in ("no-such", "nowhere", "打这个", "至少写一样"):
        assert part in said


def test_an_entry_is_not_answered_outside_its_validity(mind: Mind) -> None:
    entries = dict(mind.playbook.knowledge.entries)
    entry = entries["wage-arrears-boss-gone"]
    for change in ({"valid_to": DAY - timedelta(days=1)}, {"valid_from": DAY + timedelta(days=1)}):
        entries[entry.id] = replace(entry, **change)  # type: ignore[arg-type]  # field names
        assert entry.answer.text not in _say(
            _with(mind, entries=entries), "老板跑路了工钱没给怎么办"
        )
    entries[entry.id] = replace(entry, valid_from=DAY, valid_to=DAY)
    assert entry.answer.text in _say(_with(mind, entries=entries), "老板跑路了工钱没给怎么办")


def test_an_overdue_entry_is_answered_with_a_note(mind: Mind) -> None:
    late = datetime.combine(date(2028, 1, 1), NOW.timetz())
    said = _say(mind, "老板跑路了工钱没给怎么办", now=late)
    assert "复核" in said
    assert "复核" not in _say(mind, "老板跑路了工钱没给怎么办")


def test_a_repealed_law_is_not_cited(mind: Mind) -> None:
    laws = dict(mind.playbook.knowledge.laws)
    name = "劳动保障监察条例"
    laws[name] = replace(laws[name], repealed_on=DAY, repealed_by="新条例")
    answer = ask(_with(mind, laws=laws), AskRequest(text="老板跑路了工钱没给怎么办"), NOW)
    cited = [c["id"] for c in answer["citations"]]
    assert cited and not any(name in c for c in cited)
    detail = _with(mind, laws=laws).playbook.cite(f"law/{name}/第十三条", DAY)
    assert detail is not None and "废止" in detail.note


def test_every_quotation_of_the_documents_says_that_they_have_ended(mind: Mind) -> None:
    for id_ in mind.playbook.knowledge.provisions:
        detail = mind.playbook.cite(id_, DAY)
        assert detail is not None and "执行到2025年" in detail.note
        earlier = mind.playbook.cite(id_, date(2024, 1, 1))
        assert earlier is not None and "已过" not in earlier.note


def test_a_promise_is_made_only_when_it_is_set(mind: Mind) -> None:
    turns = ("转人工", "房东不退我押金两千块", "曾都区", "跳过", "我自己的事", "不留电话", "同意")
    assert "小时内有人回复" not in _say(mind, *turns)
    operator = replace(mind.playbook.operator, promise_reply_hours=24.0)
    promising = replace(mind, playbook=replace(mind.playbook, operator=operator))
    assert "24小时内有人回复" in _say(promising, *turns)


def test_the_example_for_operators_can_be_copied_as_it_is(tmp_path: Path) -> None:
    example = Path(__file__).parent.parent.parent / "docs/operator-kb"
    own = Path(shutil.copytree(example, tmp_path / "kb"))
    assert not check_knowledge(load_knowledge((SHIPPED, own)))
    assert load_files((SHIPPED, own)).keys() >= {"wording/answers"}
    for path in own.rglob("*.yaml"):  # and with the comments taken away
        lines = path.read_text(encoding="utf-8").split("\n")
        keep = [line[2:] for line in lines if line.startswith("# ") and ":" in line]
        assert keep, path


@pytest.mark.parametrize("name", ["operator.yaml", "places/offices.yaml"])
def test_the_example_says_what_it_is_for(name: str) -> None:
    text = (Path(__file__).parent.parent.parent / "docs/operator-kb" / name).read_text()
    assert "抄到 data/kb/" in text
