"""Danger is recognised, and only danger."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import yaml

from bot.core.danger import Danger, DangerRules, detect_danger
from bot.thinking import Mind
from retrieval.normalise import fold
from retrieval.types import CALM

EXAMPLES = yaml.safe_load(
    (Path(__file__).parent / "danger_examples.yaml").read_text(encoding="utf-8")
)
DANGEROUS = [(kind, text) for kind, texts in EXAMPLES["dangerous"].items() for text in texts]


@pytest.fixture(scope="module")
def rules(mind: Mind) -> DangerRules:
    return mind.playbook.danger


def _detect(text: str, rules: DangerRules) -> Danger | None:
    return detect_danger(fold(text), rules)


@pytest.mark.parametrize(("kind", "text"), DANGEROUS)
def test_danger_is_recognised_as_its_kind(kind: str, text: str, rules: DangerRules) -> None:
    danger = _detect(text, rules)
    assert danger is not None
    assert danger.kind == kind or kind == "any"


@pytest.mark.parametrize("text", EXAMPLES["calm"])
def test_calm_messages_stay_calm(text: str, rules: DangerRules) -> None:
    assert _detect(text, rules) is None


def test_every_kind_has_examples_numbers_and_a_default_topic(rules: DangerRules) -> None:
    assert set(rules.model.classes) == {CALM, *(kind.id for kind in rules.kinds)}
    for kind in rules.kinds:
        assert EXAMPLES["dangerous"][kind.id]
        assert kind.numbers
        assert kind.topics[-1][0] is None


def test_the_topic_follows_what_is_said(rules: DangerRules) -> None:
    hit = _detect("我老公正在打我", rules)
    bullied = _detect("同学正在学校厕所打我", rules)
    cheated = _detect("我被骗到传销窝点，有人看着，逃不出去", rules)
    assert (hit and hit.topic, bullied and bullied.topic) == ("domestic-violence", "minors")
    assert cheated and (cheated.kind, cheated.topic) == ("confinement", "fraud")


@pytest.mark.parametrize(
    ("told", "happening"),
    [
        ("去年他打我，头都打破了", "去年他打过我，现在又拿刀来了"),
        ("三年前家里着火了，东西都没了", "家里着火了，火越来越大，三年前也着过一次"),
        ("我妈上个月煤气中毒了", "我妈煤气中毒了"),
        ("小时候被继父摸过", "继父又来摸我了"),
    ],
)
def test_the_past_is_told_and_the_present_happens(
    told: str, happening: str, rules: DangerRules
) -> None:
    assert _detect(told, rules) is None
    assert _detect(happening, rules) is not None


def test_a_question_about_the_law_is_calm_unless_it_happens_now(rules: DangerRules) -> None:
    assert _detect("老公打我，离婚能多分财产吗", rules) is None
    assert _detect("老公正在打我，离婚能多分财产吗", rules) is not None


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0])
def test_danger_is_found_anywhere_in_a_long_story(at: float, rules: DangerRules) -> None:
    calm = ["我们村里修路占了我家的地", "补偿款到现在没给", "村长说等通知", "邻居家的都给了"] * 40
    assert _detect("，".join(calm), rules) is None
    calm.insert(int(at * len(calm)), "我老公现在拿着刀在门口要砍我，我和孩子锁在厕所里不敢出去")
    assert _detect("，".join(calm), rules) is not None


LONG = 20_000


@pytest.mark.parametrize(
    "piece",
    [
        "我家的房子漏水了，物业说不管，邻居也不同意，我想问一下怎么办。",
        "我家房子漏水了物业不管邻居也不同意",  # no punctuation at all
        "去年的事",
        "写 字 ",
        "12345 ",
        "1",  # one number of 20,000 digits
    ],
)
def test_a_long_message_is_read_to_its_end_in_time(piece: str, rules: DangerRules) -> None:
    calm = fold(piece * (LONG // len(piece)))
    begun = time.process_time()
    assert detect_danger(calm, rules) is None
    danger = detect_danger(f"{calm}。救命他拿刀砍我", rules)
    assert danger is not None
    assert time.process_time() - begun < 3  # a tenth of it is usual
