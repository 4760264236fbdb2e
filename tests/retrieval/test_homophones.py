"""What was meant is found by its sound; what is right stays as it is."""

from __future__ import annotations

import pytest

from bot.thinking import Mind
from retrieval.homophones import LONGEST, Homophones, sound
from retrieval.normalise import fold
from retrieval.search import Searcher


@pytest.fixture(scope="module")
def searcher(mind: Mind) -> Searcher:
    assert isinstance(mind.searcher, Searcher)
    return mind.searcher


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("老板拖欠功资", "老板拖欠工资"),
        ("离昏怎么办", "离婚怎么办"),
        ("抚样费不给", "抚养费不给"),
        ("劳动仲才要钱吗", "劳动仲裁要钱吗"),
        ("法律元助怎么申请", "法律援助怎么申请"),
    ],
)
def test_wrong_characters_are_mended(written: str, meant: str, searcher: Searcher) -> None:
    assert searcher.normalise(fold(written)) == searcher.normalise(fold(meant))


def test_no_title_is_changed(searcher: Searcher, mind: Mind) -> None:
    entries = mind.playbook.knowledge.entries.values()
    assert len(entries) > 400
    for entry in entries:
        asked = fold(entry.title)
        assert searcher.normalise(asked) == searcher.dialect.apply(asked)


def test_long_messages_and_other_scripts_are_left_alone() -> None:
    homophones = Homophones([("工资", 99.0)], ["工资"])
    assert homophones.mend("功资") == "工资"
    assert homophones.mend("gongzi 12") == "gongzi 12"
    assert homophones.mend("功资" * LONGEST) == "功资" * LONGEST


def test_sounds_are_classes_of_local_speech() -> None:
    assert sound("lan") == sound("nan") and sound("zhang") == sound("zan")
    assert sound("fei") == sound("hei") and sound("bu") != sound("pu")
