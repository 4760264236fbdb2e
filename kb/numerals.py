"""Chinese numerals, article numbers and quantities with units.

Everything here is pure text work. The truth checker and the retrieval
analyser share it, so that 第二十二条, 第22条 and 22条 are one article, and
一年, 1年 and 12个月 are never mistaken for each other.
"""

from __future__ import annotations

import re
from fractions import Fraction

_DIGITS = {c: i for i, c in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_UNITS = {"十": 10, "百": 100, "千": 1000}
_BIG = {"万": 10_000, "亿": 100_000_000}

NUMERAL = "零〇一二两三四五六七八九十百千万亿"


def parse_numeral(text: str) -> int | None:
    """Return the integer that ``text`` writes in Chinese or Arabic digits, or None.

    >>> parse_numeral("一千二百六十"), parse_numeral("二〇二五"), parse_numeral("30")
    (1260, 2025, 30)
    """
    if not text:
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    if all(c in _DIGITS for c in text):  # positional, as in 二〇二五
        return int("".join(str(_DIGITS[c]) for c in text))
    total = section = digit = 0
    for c in text:
        if c in _DIGITS:
            digit = _DIGITS[c]
        elif c in _UNITS:
            section += (digit or 1) * _UNITS[c]
            digit = 0
        elif c in _BIG:
            total = (total + section + digit) * _BIG[c]
            section = digit = 0
        else:
            return None
    return total + section + digit


def render_numeral(number: int) -> str:
    """Return ``number`` (0 to 99,999) as statutes write it.

    >>> render_numeral(20), render_numeral(1079), render_numeral(205)
    ('二十', '一千零七十九', '二百零五')
    """
    if not 0 <= number < 100_000:
        raise ValueError(f"number out of range for an article: {number}")
    if number == 0:
        return "零"
    out, zero = "", False
    for unit, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit, number = divmod(number, unit)
        if digit:
            if zero:
                out += "零"
            out += "零一二三四五六七八九"[digit] + name
            zero = False
        elif out and number:
            zero = True
    return out[1:] if out.startswith("一十") else out


_ARTICLE = re.compile(rf"第?([{NUMERAL}]+|\d+)条(?:之([{NUMERAL}]+|\d+))?")


def parse_article(text: str) -> str | None:
    """Return the article at the start of ``text`` as statutes write it, or None.

    >>> parse_article("第1079条"), parse_article("133条之一"), parse_article("第二十七条第一款")
    ('第一千零七十九条', '第一百三十三条之一', '第二十七条')
    """
    match = _ARTICLE.match(text)
    if not match:
        return None
    number = parse_numeral(match[1])
    if not number or number >= 100_000:
        return None
    extra = parse_numeral(match[2]) if match[2] else None
    return f"第{render_numeral(number)}条" + (f"之{render_numeral(extra)}" if extra else "")


# -- quantities ---------------------------------------------------------------

_NUMBER = rf"(?:\d+(?:\.\d+)?[万亿]?|[{NUMERAL}]+|半)"
# Longest unit first: 个工作日 must win over 日. 周岁 is an age, not a period.
_UNIT = r"个?工作日|个?小时|分钟|个半月|个月|周岁|周年|年度|日历日|日|天|年|月|元|倍|[%％]"
_QUANTITY = re.compile(
    rf"百分之(?P<pct>{_NUMBER})|(?P<den>[{NUMERAL}]+)分之(?P<num>[{NUMERAL}]+)"
    rf"|(?P<n>{_NUMBER})(?:余|多)?(?P<unit>{_UNIT})"
)
_CANONICAL = {
    "个工作日": "工作日", "工作日": "工作日", "小时": "小时", "个小时": "小时", "分钟": "分钟",
    "个月": "月", "周岁": "岁", "周年": "年", "日": "日", "天": "日", "日历日": "日",
    "年": "年", "元": "元", "倍": "倍", "%": "%", "％": "%",
}  # fmt: skip
# A calendar date or the name of a year is no quantity: 2025年, 3月15日, 年度, 月份.
_DATE = re.compile(
    rf"(?:19|20)\d\d年(?:\d{{1,2}}月(?:\d{{1,2}}日)?)?|\d{{1,2}}月\d{{1,2}}日|二〇[{NUMERAL}]+年"
)

Quantity = tuple[Fraction, str]


def find_quantities(text: str) -> list[Quantity]:
    """Return the numbers of ``text`` with their canonical units, in order.

    Units: 日 (also 天), 工作日, 小时, 分钟, 月, 年, 岁, 元, 倍, % and 分之 (a share).
    Calendar dates are left out.

    >>> [(str(n), u) for n, u in find_quantities("应在15个工作日内，罚款五百元以上")]
    [('15', '工作日'), ('500', '元')]
    """
    found: list[Quantity] = []
    for match in _QUANTITY.finditer(_DATE.sub("；", text)):
        if match["pct"]:
            number, unit = _fraction(match["pct"]), "%"
        elif match["den"]:
            den, num = parse_numeral(match["den"]), parse_numeral(match["num"])
            number, unit = (Fraction(num or 0, den), "分之") if den else (None, "")
        else:
            raw = match["unit"]
            if raw == "个半月":
                whole = _fraction(match["n"])
                number, unit = (whole + Fraction(1, 2) if whole is not None else None), "月"
            else:
                number, unit = _fraction(match["n"]), _CANONICAL.get(raw, "")
        if number is not None and unit:
            found.append((number, unit))
    return found


def _fraction(text: str) -> Fraction | None:
    if text == "半":
        return Fraction(1, 2)
    scale = 1
    if text[0].isdigit() and text[-1] in _BIG:
        scale, text = _BIG[text[-1]], text[:-1]
    if text[0].isdigit():
        return Fraction(text) * scale
    number = parse_numeral(text)
    return None if number is None else Fraction(number)
