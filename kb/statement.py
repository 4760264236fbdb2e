"""How an editor writes a sentence with its basis on one line.

    单位应当自用工起一个月内签书面合同。【劳动合同法 第十条】
    一般当天就能登记。【惯例：各地窗口办理速度不同】

The law stands behind the sentence in 【】, several articles separated by ；. Short
names listed in `kb/laws/register.yaml` are allowed. One line survives a spreadsheet,
which nested YAML would not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from kb.numerals import parse_article
from kb.types import Basis, Statement

_TAIL = re.compile(r"^(?P<text>.*?)\s*【(?P<tail>[^【】]*)】\s*$", re.S)
_REF = re.compile(r"^《?(?P<law>.+?)》?\s*(?P<article>第?[零〇一二两三四五六七八九十百千\d]+条.*)$")
_PRACTICE = re.compile(r"^惯例[:：]\s*(?P<reason>.+)$")


class StatementError(ValueError):
    """A sentence that cannot be read; the message tells the editor what to write."""


def parse_basis(text: str, short_names: Mapping[str, str]) -> Basis:
    """Return the basis that ``text`` writes: `劳动合同法 第十条`, `《民法典》第1079条`."""
    match = _REF.match(text.strip())
    article = parse_article(match["article"]) if match else None
    if not match or not article:
        raise StatementError(
            f"看不懂依据“{text}”。请写成“法律名称 第几条”，例如：劳动合同法 第十条"
        )
    law = match["law"].strip().removeprefix("中华人民共和国")
    return Basis(law=short_names.get(law, law), article=article)


def parse_statement(line: str, short_names: Mapping[str, str]) -> Statement:
    """Return the statement that ``line`` writes. Raises `StatementError`."""
    if not line or not line.strip():
        raise StatementError("这一句是空的。请写一句话，或者删掉这一行")
    match = _TAIL.match(line.strip())
    if not match:
        if "【" in line or "】" in line:
            raise StatementError(f"“{line[:30]}…”里的【】应当成对，并且放在句子最后")
        return Statement(text=line.strip())
    basis: list[Basis] = []
    practice: str | None = None
    for part in re.split(r"[；;]", match["tail"]):
        if not part.strip():
            continue
        reason = _PRACTICE.match(part.strip())
        if reason:
            practice = reason["reason"]
        else:
            basis.append(parse_basis(part, short_names))
    if not match["text"].strip():
        raise StatementError(f"“{line[:30]}”只有依据，没有句子")
    return Statement(text=match["text"].strip(), basis=tuple(basis), practice=practice)


def render_statement(statement: Statement) -> str:
    """Return the line that `parse_statement` reads back as ``statement``."""
    tail = [f"{b.law} {b.article}" for b in statement.basis]
    if statement.practice:
        tail.append(f"惯例：{statement.practice}")
    return statement.text + (f"【{'；'.join(tail)}】" if tail else "")
