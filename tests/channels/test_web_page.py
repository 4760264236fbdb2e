"""The page's files: what old browsers can read, how heavy they are, whether every word is there.

No browser is needed here; `test_web_browser.py` drives one.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.channels.web.page import ASSETS, Page
from bot.core.playbook import Operator
from bot.thinking import Mind

SCRIPTS = sorted(ASSETS.glob("*.js"))
MAX_BYTES = 100 * 1024
MAX_BYTES_SENT = 30 * 1024
"""After compression: ten seconds on a line of 3 KB/s."""

# All that the language got after ECMAScript 2017, as it looks once strings and comments are
# gone. Where node is installed, its own parser confirms that the list misses nothing.
NEW_SYNTAX = {
    "optional chaining": r"\?\.(?!\d)",
    "nullish coalescing": r"\?\?",
    "logical assignment": r"(\|\||&&)=",
    "object spread or rest": r"[{,]\s*\.\.\.\w+[^)\]]*\}",
    "catch without a binding": r"catch\s*\{",
    "async iteration": r"for\s+await|async\s*(function\s*)?\*",
    "class fields, private names": r"#\w+|^\s*(static\s+)?\w+\s*=[^=].*;\s*//\s*field",
    "big integers": r"\b\d+n\b",
    "numeric separators": r"\b\d+_\d",
    "dynamic import": r"\bimport\s*[(.]",
    "static blocks": r"\bstatic\s*\{",
    "top-level await": r"^await\b",
}
NEW_IN_PATTERNS = r"\(\?<|\\p\{"
"""Looking behind, named groups and properties of characters, in regular expressions."""
# Not in every WebView that is still in use (Chrome 53 and later), or none of our ways.
NEW_GLOBALS = {
    "fetch", "EventSource", "WebSocket", "ReadableStream", "AbortController", "URLSearchParams",
    "IntersectionObserver", "ResizeObserver", "BroadcastChannel", "structuredClone",
    "queueMicrotask", "requestIdleCallback", "globalThis", "BigInt", "Intl",
}  # fmt: skip
NEW_METHODS = {
    "randomUUID", "replaceAll", "matchAll", "replaceChildren", "toggleAttribute", "fromEntries",
    "allSettled", "finally", "flat", "flatMap", "findLast", "findLastIndex", "toSorted",
    "toReversed", "toSpliced", "at", "hasOwn", "trimStart", "trimEnd", "append", "prepend",
    "before", "after", "replaceWith", "padStart", "padEnd", "entries",
}  # fmt: skip
# Ways to turn words into markup or code.
INJECTIONS = {"innerHTML", "outerHTML", "insertAdjacentHTML", "write", "eval", "Function"}


def bare_code(source: str) -> str:
    """Return a script without comments, and with empty strings, templates and patterns."""
    pattern = r"""
        (?P<comment> /\*.*?\*/ | //[^\n]* )
      | (?P<text> '(?:\\.|[^'\\\n])*' | "(?:\\.|[^"\\\n])*" | `(?:\\.|[^`\\])*` )
      | (?P<pattern> (?<=[(,=:]) \s* /(?:\\.|\[(?:\\.|[^\]\\])*\]|[^/\\\n])+/[a-z]* )
    """
    return re.sub(
        pattern, lambda m: "" if m["comment"] else "''", source, flags=re.DOTALL | re.VERBOSE
    )


def test_there_are_scripts_to_look_at() -> None:
    assert len(SCRIPTS) >= 1


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_hold_no_syntax_newer_than_2017(script: Path) -> None:
    code = bare_code(script.read_text(encoding="utf-8"))
    found = [n for n, pattern in NEW_SYNTAX.items() if re.search(pattern, code, re.MULTILINE)]
    assert not found


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_use_no_new_api_and_build_no_markup(script: Path) -> None:
    source = script.read_text(encoding="utf-8")
    code = bare_code(source)
    assert not re.search(NEW_IN_PATTERNS, source)
    assert not set(re.findall(r"(?<!\.)\b[A-Za-z]\w*", code)) & NEW_GLOBALS
    assert not set(re.findall(r"\.(\w+)\(", code)) & NEW_METHODS
    assert not set(re.findall(r"\w+", code)) & INJECTIONS


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("optional chaining", "a = b?.c;"),
        ("nullish coalescing", "a = b ?? c;"),
        ("logical assignment", "a ||= b;"),
        ("object spread or rest", "a = { ...b };"),
        ("object spread or rest", "const { a, ...b } = c;"),
        ("catch without a binding", "try { a(); } catch { b(); }"),
        ("async iteration", "for await (const a of b) c(a);"),
        ("class fields, private names", "class A { #b = 1; }"),
        ("big integers", "a = 10n;"),
        ("numeric separators", "a = 1_000;"),
        ("dynamic import", "import('./a.js');"),
        ("static blocks", "class A { static { b(); } }"),
        ("top-level await", "await a;"),
    ],
)
def test_the_list_of_new_syntax_finds_what_it_should(name: str, line: str) -> None:
    assert re.search(NEW_SYNTAX[name], bare_code(line), re.MULTILINE)


def test_the_list_leaves_old_syntax_alone() -> None:
    old = """
      /* a?.b ?? c */ const a = b ? .5 : '??'; f(...args); [...a, b]; const [c, ...d] = a;
      try { f(); } catch (e) { g(`${a}?.`); } const h = (...rest) => rest; x = a.split(/(\\d+)/);
      async function i() { await j(); } k = a ** b; l = { m, ['n']: 1, o() {} };
    """
    code = bare_code(old)
    assert not [n for n, pattern in NEW_SYNTAX.items() if re.search(pattern, code, re.MULTILINE)]


# node carries a parser that can be told the year of the language.
PARSE = """
  const acorn = require('internal/deps/acorn/acorn/dist/acorn');
  const source = require('fs').readFileSync(0, 'utf8');
  acorn.parse(source, { ecmaVersion: 2017, sourceType: 'script' });
"""


def parses(source: str) -> bool:
    command = ["node", "--expose-internals", "-e", PARSE]
    return not subprocess.run(command, input=source, text=True, capture_output=True).returncode


@pytest.mark.node
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_scripts_parse_at_ecma_version_2017(script: Path) -> None:
    assert parses(script.read_text(encoding="utf-8"))


@pytest.mark.node
def test_the_parser_is_told_the_year() -> None:
    assert parses("const a = 2 ** 3;")
    assert not parses("const a = { ...b };")
    assert not parses("try { a(); } catch { b(); }")


# -- words -------------------------------------------------------------------------------------


@pytest.fixture
def html(mind: Mind) -> str:
    return Page().html(mind.playbook).body.decode()


def test_every_word_that_the_scripts_show_is_there_and_every_one_is_used(mind: Mind) -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in SCRIPTS)
    used = set(re.findall(r"\bwords\.(\w+)", code)) | set(re.findall(r"\bsay\('(\w+)'", code))
    used |= set(re.findall(r"\bsay\(\w+ \? '(\w+)' : '\w+'", code))
    used |= set(re.findall(r"\bsay\(\w+ \? '\w+' : '(\w+)'", code))
    there = {
        k.removeprefix("web.live.") for k in mind.playbook.wording if k.startswith("web.live.")
    }
    assert there
    assert used - {"larger", "dial"} == there


def test_nothing_that_people_read_stands_in_scripts_or_styles() -> None:
    chinese = re.compile(r"[\u4e00-\u9fff]")
    for path in (*SCRIPTS, *ASSETS.glob("*.html"), *ASSETS.glob("*.css")):
        assert not chinese.search(path.read_text(encoding="utf-8")), path.name


def test_until_it_is_approved_the_greeting_and_the_foot_say_so(mind: Mind) -> None:
    page = Page()
    note = "内容尚未经司法行政机关审定"
    unapproved = replace(mind.playbook, approved=False)
    assert page.html(unapproved).body.decode().count(note) == 2
    approved = replace(mind.playbook, approved=True)
    assert note not in page.html(approved).body.decode()


def test_no_bureau_is_named_until_the_operator_names_it(mind: Mind) -> None:
    page = Page()
    unnamed = replace(mind.playbook, operator=Operator())
    assert "由" not in page.html(unnamed).body.decode().partition("<footer")[2]
    named = replace(mind.playbook, operator=Operator(name="随州市某局<b>"))
    assert "随州市某局&lt;b&gt;" in page.html(named).body.decode()


def test_the_page_is_made_once_for_each_playbook(mind: Mind) -> None:
    page = Page()
    assert page.html(mind.playbook) is page.html(mind.playbook)
    assert page.html(replace(mind.playbook, approved=True)) is not page.html(mind.playbook)


# -- markup ------------------------------------------------------------------------------------


class Tags(HTMLParser):
    """Collects the tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def test_everything_comes_from_our_own_host(html: str) -> None:
    links = [
        a.get("src") or a.get("href") for _, a in Tags(html).found if "src" in a or "href" in a
    ]
    assert len(links) > 5
    assert all(link and link.startswith(("/page/", "tel:")) for link in links)
    styles = (ASSETS / "chat.css").read_text(encoding="utf-8")
    assert "url(" not in styles
    assert "@import" not in styles


def test_no_script_or_style_stands_in_the_page(html: str) -> None:
    tags = Tags(html).found
    assert all("src" in attributes for tag, attributes in tags if tag == "script")
    assert not [tag for tag, _ in tags if tag == "style"]
    assert not [a for _, attrs in tags for a in attrs if a.startswith("on") or a == "style"]


def test_the_page_can_be_enlarged_and_read_aloud(html: str) -> None:
    tags = Tags(html).found
    viewport = next(a["content"] for _, a in tags if a.get("name") == "viewport")
    assert "user-scalable" not in viewport
    assert "maximum-scale" not in viewport
    assert ("html", {"lang": "zh-CN"}) in tags
    log = next(a for _, a in tags if a.get("role") == "log")
    assert log["aria-live"] == "polite"
    labelled = {a["for"] for tag, a in tags if tag == "label"}
    assert {a["id"] for tag, a in tags if tag == "textarea"} <= labelled
    assert "12348" in html.partition("<noscript>")[2].partition("</noscript>")[0]


def test_the_page_is_light(mind: Mind) -> None:
    page = Page()
    assets = [page.html(mind.playbook), *page.files.values()]
    assert sum(len(a.body) for a in assets) < MAX_BYTES
    assert sum(len(a.gzipped) for a in assets) < MAX_BYTES_SENT
