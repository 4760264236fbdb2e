"""Personal numbers are found and taken out; what only looks like one stays."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.privacy import Personal, is_bank_card, is_identity_card, redact

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def _identity(random_: random.Random) -> str:
    born = date(1940, 1, 1) + timedelta(days=random_.randrange(25_000))
    digits = (
        f"{random_.choice(['421303', '421381', '421321'])}{born:%Y%m%d}{random_.randrange(1000):03}"
    )
    total = sum(int(d) * w for d, w in zip(digits, _WEIGHTS, strict=True))
    return digits + "10X98765432"[total % 11]


def _card(random_: random.Random) -> str:
    body = "622" + "".join(str(random_.randrange(10)) for _ in range(15))
    return next(body + str(d) for d in range(10) if is_bank_card(body + str(d)))


def _phone(random_: random.Random) -> str:
    return f"1{random_.choice('3456789')}{random_.randrange(10**9):09}"


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)


def test_a_thousand_planted_numbers_are_found() -> None:
    random_ = random.Random(3)
    missed = []
    for number in range(1000):
        kind, make = [
            (Personal.IDENTITY_CARD, _identity),
            (Personal.BANK_CARD, _card),
            (Personal.PHONE, _phone),
        ][number % 3]
        value = make(random_)
        written = random_.choice([value, _wide(value), f"{value[:3]} {value[3:7]} {value[7:]}"
                                  if kind is Personal.PHONE else value])  # fmt: skip
        text = random_.choice(["我的是{}谢谢", "{}", "电话：{}，号", "他叫张三 {} 急"]).format(
            written
        )
        redacted, found = redact(text)
        if kind not in found or value[-6:] in redacted:
            missed.append((text, redacted))
    assert len(missed) <= 10, missed[:5]


def test_what_only_looks_like_one_stays() -> None:
    random_ = random.Random(4)
    texts = [
        f"（{random_.randrange(2010, 2027)}）鄂1303民初{random_.randrange(1, 9999)}号"
        for _ in range(300)
    ]
    texts += [f"民法典第{random_.randrange(1, 1260)}条" for _ in range(300)]
    texts += [f"欠我{random_.randrange(1000, 99_999_999)}元" for _ in range(200)]
    texts += ["".join(str(random_.randrange(10)) for _ in range(18)) for _ in range(200)]
    wrong = [t for t in texts if redact(t)[1]]
    assert len(wrong) <= len(texts) * 0.005, wrong[:5]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("打我电话一三八一二三四五六七八", Personal.PHONE),
        ("打0722-3312345", Personal.PHONE),
        ("+86 138-1234-5678", Personal.PHONE),
        ("邮箱 a.b@example.com 找我", Personal.EMAIL),
        ("住在曾都区交通大道123号2单元301室", Personal.ADDRESS),
        ("随县厉山镇神农村3组12号", Personal.ADDRESS),
    ],
)
def test_other_kinds(text: str, kind: Personal) -> None:
    redacted, found = redact(text)
    assert kind in found
    assert "〔" in redacted


@given(st.text(alphabet="0123456789- 电话省市路号一二三X〔〕@.a", max_size=60))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once, _ = redact(text)
    assert redact(once)[0] == once


def test_dates_decide() -> None:
    assert not is_identity_card("421303199913401234")
    assert is_identity_card("11010519491231002X")  # the example of the standard GB 11643
