"""Find personal numbers and addresses in what people write, and take them out.

Only redacted text may go to logs, statistics and the list of unanswered questions. An
18-digit number counts as an identity card only with a valid date and checksum (9 % of
random numbers pass the checksum alone); a long number counts as a bank card only with the
prefix of a Chinese card and a valid check digit. Article numbers, case numbers and sums of
money stay.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from datetime import date
from enum import StrEnum
from typing import NewType

RedactedText = NewType("RedactedText", str)


class Personal(StrEnum):
    """Kinds of personal data that are recognised."""

    IDENTITY_CARD = "identity_card"
    BANK_CARD = "bank_card"
    PHONE = "phone"
    EMAIL = "email"
    ADDRESS = "address"


_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
_CHINESE_DIGITS = str.maketrans("零〇一二三四五六七八九幺", "001234567891")


def is_identity_card(digits: str) -> bool:
    """Return whether ``digits`` (17 digits and a digit or X) is a valid identity number."""
    try:
        date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    total = sum(int(d) * w for d, w in zip(digits[:17], _WEIGHTS, strict=True))
    return 1900 <= int(digits[6:10]) <= 2100 and _CHECK[total % 11] == digits[17].upper()


def is_bank_card(digits: str) -> bool:
    """Return whether ``digits`` has a Chinese card's prefix and passes the Luhn check."""
    if not digits.startswith(("62", "60", "43", "45", "52", "53")):
        return False
    total = 0
    for i, d in enumerate(reversed(digits)):
        n = int(d) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


_ID = re.compile(r"(?<![\dA-Za-z])(\d{6}[ -]?\d{8}[ -]?\d{3}[\dXx])(?![\dA-Za-z])")
_CARD = re.compile(r"(?<!\d)(\d{4}(?:[ -]?\d{4}){3}(?:[ -]?\d{1,3})?)(?!\d)")
_MOBILE = re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d[ -]?\d{4}[ -]?\d{4}(?!\d)")
_LANDLINE = re.compile(r"(?<!\d)0\d{2,3}-\d{7,8}(?!\d)")
_SPOKEN = re.compile(r"[零〇一二三四五六七八九幺]{11}")
_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_ADDRESS = re.compile(
    r"[\u4e00-\u9fff]{1,8}(?:路|街|大道|巷|弄|小区|花园|村)[\u4e00-\u9fff]{0,4}"
    r"\d{1,4}(?:号|组|栋|幢)(?:\d{1,3}(?:单元|栋|幢))?(?:\d{1,4}(?:室|号|户))?"
)


def _digits(text: str) -> str:
    return re.sub(r"[ -]", "", text)


def _is_spoken_mobile(text: str) -> bool:
    return bool(_MOBILE.fullmatch(text.translate(_CHINESE_DIGITS)))


# Longer and stricter first: an identity number contains what looks like a phone number.
_FINDERS: tuple[tuple[Personal, re.Pattern[str], Callable[[str], bool] | None, str], ...] = (
    (Personal.IDENTITY_CARD, _ID, lambda m: is_identity_card(_digits(m)), "〔身份证号〕"),
    (Personal.BANK_CARD, _CARD, lambda m: is_bank_card(_digits(m)), "〔银行卡号〕"),
    (Personal.EMAIL, _EMAIL, None, "〔邮箱〕"),
    (Personal.PHONE, _MOBILE, None, "〔电话〕"),
    (Personal.PHONE, _LANDLINE, None, "〔电话〕"),
    (Personal.PHONE, _SPOKEN, _is_spoken_mobile, "〔电话〕"),
    (Personal.ADDRESS, _ADDRESS, None, "〔地址〕"),
)


def redact(text: str) -> tuple[RedactedText, tuple[Personal, ...]]:
    """Return ``text`` (digits made half-width) without personal data, and what was found.

    Redacting twice changes nothing more.
    """
    text = unicodedata.normalize("NFKC", text)
    found: list[Personal] = []
    for kind, pattern, accept, label in _FINDERS:

        def replace(
            match: re.Match[str],
            kind: Personal = kind,
            accept: Callable[[str], bool] | None = accept,
            label: str = label,
        ) -> str:
            if accept is not None and not accept(match[0]):
                return match[0]
            found.append(kind)
            return label

        text = pattern.sub(replace, text)
    return RedactedText(text), tuple(dict.fromkeys(found))
