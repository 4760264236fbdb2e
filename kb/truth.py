"""Does the law really say that? Checks bases and numbers against an extract of the statutes.

For every statement with a basis: the article exists in the version in force, that
version is not repealed, and each number in the statement **with its unit** stands in one
of the cited articles. 7日 and 7个工作日 differ; an article that defines 日 as working
days has to be cited beside the one that sets the period.

The extract (`kb/laws/extract.yaml`) holds only article numbers, digests and quantities;
`kb.statutes` writes it from the official texts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from kb.numerals import Quantity, find_quantities
from kb.types import Entry, Facet, Knowledge, Statement
from kb.yamlfile import Problem

MAX_PRACTICE = 0.10
"""Share of numbers that may rest on practice and not on an article."""
_PERIODS = frozenset({"日", "工作日", "月", "年", "小时"})


@dataclass(frozen=True, slots=True)
class TruthReport:
    """What was checked, and what was found wrong."""

    statements: int
    bases: int
    numbers: int
    practice: int
    problems: list[Problem]


def render_quantity(quantity: Quantity) -> str:
    """Return ``quantity`` as the extract writes it: `60 日`, `1/2 年`."""
    return f"{quantity[0]} {quantity[1]}"


def check_truth(knowledge: Knowledge) -> TruthReport:
    """Check every statement of every entry, and every gist."""
    problems: list[Problem] = []
    statements = bases = numbers = practice = 0
    for entry in knowledge.entries.values():
        for facet, statement in _statements(entry):
            statements += 1
            bases += len(statement.basis)
            found = find_quantities(statement.text)
            numbers += len(found)
            if found and statement.practice:
                practice += len(_unsupported(statement, knowledge))
            problems.extend(_statement_problems(entry, facet, statement, knowledge))
    for article in knowledge.articles.values():
        missing = [
            q for q in map(render_quantity, find_quantities(article.gist))
            if q not in article.quantities
        ]  # fmt: skip
        if missing and article.digest:
            message = f"《{article.law}》{article.article}的要点里“{'、'.join(missing)}”不在条文里"
            problems.append(Problem("kb/laws/gists", 0, message))
        if not article.digest:
            message = (
                f"《{article.law}》{article.article}没有核对过条文。请运行 suifawen kb extract；"
                "如果条文不存在，请改正条号"
            )
            problems.append(Problem("kb/laws/gists", 0, message))
    if numbers and practice / numbers > MAX_PRACTICE:
        message = f"标为“惯例”的数字占 {practice / numbers:.0%}，最多 {MAX_PRACTICE:.0%}"
        problems.append(Problem("kb", 0, message))
    return TruthReport(statements, bases, numbers, practice, sorted(problems))


def _statements(entry: Entry) -> Iterator[tuple[Facet | None, Statement]]:
    yield None, entry.answer
    for facet, statements in entry.facets.items():
        for statement in statements:
            yield facet, statement


def _unsupported(statement: Statement, knowledge: Knowledge) -> list[str]:
    known = {
        q
        for basis in statement.basis
        if (article := knowledge.articles.get(basis.id))
        for q in article.quantities
    }
    return [q for q in map(render_quantity, find_quantities(statement.text)) if q not in known]


def _statement_problems(
    entry: Entry, facet: Facet | None, statement: Statement, knowledge: Knowledge
) -> Iterator[Problem]:
    file, _, line = entry.source.partition(":")

    def wrong(message: str) -> Problem:
        return Problem(file, int(line or 0), f"{entry.id}：“{statement.text[:24]}”{message}")

    for basis in statement.basis:
        law = knowledge.laws.get(basis.law)
        if law is None:
            yield wrong(f"引用的《{basis.law}》不在 kb/laws/register.yaml 里。请检查法律名称")
        elif law.repealed_on and law.repealed_on <= entry.verified_on:
            by = f"，由《{law.repealed_by}》代替" if law.repealed_by else ""
            yield wrong(f"引用的《{basis.law}》已在 {law.repealed_on} 废止{by}")
        elif law.effective and law.effective > entry.verified_on:
            yield wrong(f"引用的《{basis.law}》在 {law.effective} 才施行")
        elif basis.id not in knowledge.articles:
            yield wrong(f"引用的{basis.label}还没有写要点。请在 kb/laws/gists/ 里补上")
    missing = _unsupported(statement, knowledge)
    if not missing:
        return
    if statement.practice is None:
        need = "里没有" if statement.basis else "没有依据，请写上法条；数字是"
        yield wrong(f"的数字在所引条文{need}“{'、'.join(missing)}”（数字和单位都要一致）")
    elif facet is Facet.TIME and any(q.split()[1] in _PERIODS for q in missing):
        yield wrong(f"：期限“{'、'.join(missing)}”不能写成惯例，必须有法条")
