"""Questions that name exactly what they want: an article, a provision, a hotline, an office.

These are answered as look-ups, whatever the scores say.
"""

from __future__ import annotations

import re

from kb.numerals import NUMERAL, parse_article, parse_numeral
from kb.types import Kind, Knowledge
from retrieval.normalise import fold
from retrieval.statutes import StatuteLibrary
from retrieval.types import Lookup, LookupKind

_ARTICLE = re.compile(rf"(?<!哪)第?\s*([{NUMERAL}]+|\d{{1,4}})\s*条(?:之[{NUMERAL}\d]+)?")
_PROVISION = re.compile(
    rf"(?:第\s*[（(]?|[（(])([{NUMERAL}]+|\d{{1,2}})[）)]?\s*(?:条|项|款|点)?|(?<!\d)(\d{{1,2}})\s*(?:条|项|点)"
)
_DOCUMENTS = {
    "plan": ("法治随州建设规划", "法治随州规划", "法治建设规划", "建设规划", "规划"),
    "gov": ("法治政府建设实施方案", "法治政府方案", "法治政府"),
    "soc": ("法治社会建设实施方案", "法治社会方案", "法治社会"),
}
_ID = re.compile(r"(?<![a-z0-9])[a-z][a-z0-9]{1,11}-\d{1,3}(?!\d)")
"""plan-12, as provisions are called in the desk and in editors' texts."""
_NUMBER = re.compile(r"(?<!\d)(\d{3}|\d{5})(?!\d)")
_ASKS_ABOUT_NUMBER = re.compile(
    r"是(?:什么|干|做|啥|么|不是)|干(?:什么|嘛|啥|么)|什么(?:电话|热线|号|用)|哪里的?(?:电话|号)|"
    r"(?:能|可以|要|收)(?:不能|不可以)?.{0,4}(?:打|拨|钱|费)|怎么打|打(?:了|通)?(?:管用|有用)|管(?:什么|哪些|不管)|热线|电话"
)
_ABOUT_SERVICE = re.compile(
    r"(?:是)?(?:什么|啥|么)(?:意思|东西)?$|怎么(?:办|弄|申请)$|^(?:我要|申请|咨询|了解)"
)
_ASKS_IN_GENERAL = re.compile(r"是什么|什么时候|怎么看|全文|多少条|在哪|解读|宣传|讲座")
MAX_ABOUT_LAW = 24
"""Characters; a longer message that names a law tells a story."""
MAX_ABOUT_NUMBER = 22
"""Characters; a longer message that holds a number is about something else."""


class Lookups:
    """Finds exact names; immutable, made once for each bundle."""

    def __init__(self, knowledge: Knowledge, statutes: StatuteLibrary | None = None) -> None:
        self._knowledge = knowledge
        self._statutes = statutes
        names = {fold(law.name): law.name for law in knowledge.laws.values()}
        names |= {fold(law.short): law.name for law in knowledge.laws.values() if law.short}
        self._laws = sorted(names.items(), key=lambda pair: -len(pair[0]))
        self._services = {
            fold(name): e.id
            for e in knowledge.entries.values()
            if e.kind is Kind.SERVICE
            for name in {e.title, e.title.split("与")[0], re.sub(r"^\d+\s*", "", e.title)}
            if len(name) >= 3
        }

    def find(self, folded: str) -> Lookup | None:
        """Return what ``folded`` asks for by name, or None."""
        return (
            self._provision(folded)
            or self._article(folded)
            or self._words_in_law(folded)
            or self._hotline(folded)
            or self._service(folded)
        )

    def _article(self, folded: str) -> Lookup | None:
        match = _ARTICLE.search(folded)
        if match is None:
            return None
        number = parse_article(match[0].replace(" ", ""))
        before = folded[: match.start()]
        law = next((full for name, full in self._laws if name in before), None)
        if self._statutes is not None and (found := self._statutes.find_law(before)):
            law = found[0]
        named = re.search(
            r"[\u4e00-\u9fff]{2,24}(?:法典|法|条例|办法|规定|解释(?:[（(].[）)])?)", before
        )
        if number is None or (law is None and named is None):
            return None
        asked = f"{law or (named[0] if named else '')}{number}"
        id_ = f"law/{law}/{number}"
        known = id_ in self._knowledge.articles or (
            self._statutes is not None and id_ in self._statutes
        )
        return Lookup(kind=LookupKind.ARTICLE, asked=asked, ids=(id_,) if law and known else ())

    def _words_in_law(self, folded: str) -> Lookup | None:
        """A law and a few words (劳动合同法 试用期): the articles of it that speak of them."""
        if self._statutes is None or len(folded) > MAX_ABOUT_LAW:
            return None
        found = self._statutes.find_law(folded)
        if found is None:
            return None
        law, name = found
        words = folded.replace(name, " ").strip(" 《》的里中关于对?!。,")
        if len(words) < 2 or _ASKS_IN_GENERAL.search(words):
            return None
        ids = self._statutes.search(words, 3, law)
        return Lookup(kind=LookupKind.ARTICLE, asked=folded, ids=ids) if ids else None

    def _provision(self, folded: str) -> Lookup | None:
        if (named := _ID.search(folded)) and named[0] in self._knowledge.provisions:
            return Lookup(kind=LookupKind.PROVISION, asked=named[0], ids=(named[0],))
        for document, names in _DOCUMENTS.items():
            name = next((n for n in names if n in folded), None)
            if name is None or (name == "规划" and not re.search(r"随州|法治|市里", folded)
                                and not folded.startswith("规划第")):  # fmt: skip
                continue
            match = _PROVISION.search(folded, folded.index(name) + len(name))
            if match is None:
                continue
            number = parse_numeral(match[1] or match[2])
            id_ = f"{document}-{number}"
            ids = (id_,) if id_ in self._knowledge.provisions else ()
            return Lookup(kind=LookupKind.PROVISION, asked=f"{name}{match[0].strip()}", ids=ids)
        return None

    def _hotline(self, folded: str) -> Lookup | None:
        numbers = [n for n in _NUMBER.findall(folded) if n in self._knowledge.hotlines]
        if not numbers or len(folded) > MAX_ABOUT_NUMBER:
            return None
        rest = _NUMBER.sub("", folded).strip(" ?!。,")
        if rest and not _ASKS_ABOUT_NUMBER.search(rest):
            return None
        return Lookup(kind=LookupKind.HOTLINE, asked=numbers[0], ids=tuple(dict.fromkeys(numbers)))

    def _service(self, folded: str) -> Lookup | None:
        words = _ABOUT_SERVICE.sub("", folded.strip(" ?!。,，"))
        id_ = self._services.get(words)
        if id_ is None:
            return None
        return Lookup(kind=LookupKind.SERVICE, asked=words, ids=(id_,))
