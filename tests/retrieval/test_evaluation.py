"""The figures of `suifawen evaluate` against values worked out by hand, its files, its report."""

from __future__ import annotations

import json
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from math import comb
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

from bot.settings import Settings
from kb.types import Kind, Knowledge
from retrieval.bundle import BundleError, current
from retrieval.confidence import at_threshold, calibration_error, reliability, risk_coverage, surest
from retrieval.evaluation import (
    Better,
    Known,
    Outcome,
    Question,
    QuestionsError,
    compare,
    evaluate,
    load_questions,
    mean_measure,
)
from retrieval.significance import interval, mcnemar, paired_interval
from scripts._evaluate.charts import reliability_chart, risk_coverage_chart
from scripts._evaluate.compare import find_bundle
from scripts._evaluate.report import one_line
from scripts.evaluate import command

ANSWERED = Outcome(
    status="answered",
    topics=("wage-arrears", "labor-contract"),
    services=("labor-inspection", "legal-aid"),
    situations=("wage-arrears-boss-gone",),
    provisions=(),
    urgency="normal",
    confidence=0.9,
)
ASKED = Question(id="1", text="老板跑了", topic="wage-arrears", services=("labor-inspection",))

# -- chance ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("won", "lost", "p"),
    [
        (0, 0, 1.0),
        (1, 0, 1.0),
        (3, 3, 1.0),
        (5, 15, 0.04138947),  # R: binom.test(5, 20)
        (10, 20, 0.09873715),  # R: binom.test(10, 30)
        (8, 1, 0.0390625),  # 2 * (1 + 9) / 512
        (6, 0, 0.03125),  # 2 / 64
    ],
)
def test_mcnemar_gives_the_known_values(won: int, lost: int, p: float) -> None:
    assert mcnemar(won, lost) == pytest.approx(p, abs=1e-7)
    assert mcnemar(lost, won) == mcnemar(won, lost)


def test_mcnemar_is_exact_where_floats_would_overflow() -> None:
    slow = Fraction(2 * sum(comb(3000, k) for k in range(1401)), 2**3000)
    assert mcnemar(1400, 1600) == pytest.approx(float(slow), rel=1e-12)
    assert mcnemar(0, 5000) == 0.0  # below the smallest float


def _mean(rows: np.ndarray) -> float:
    return float(rows.mean())


def test_an_interval_is_about_as_wide_as_theory_says() -> None:
    rows = np.array([1.0] * 300 + [0.0] * 100)
    low, high = interval(rows, _mean)
    error = 1.96 * (0.75 * 0.25 / 400) ** 0.5
    assert low == pytest.approx(0.75 - error, abs=0.01)
    assert high == pytest.approx(0.75 + error, abs=0.01)
    assert interval(rows, _mean) == (low, high)  # the seed is fixed
    assert interval(np.ones(5), _mean) == (1.0, 1.0)


def test_pairs_know_more_than_two_intervals() -> None:
    random = np.random.default_rng(1)
    theirs = random.integers(0, 2, 400).astype(float)
    ours = theirs.copy()
    ours[np.flatnonzero(theirs == 0)[:20]] = 1.0  # 20 questions better, none worse
    low, high = paired_interval(ours, theirs, _mean)
    assert 0.02 < low < 0.05 < high < 0.08
    assert paired_interval(ours, ours, _mean) == (0.0, 0.0)
    with pytest.raises(ValueError, match="not the same questions"):
        paired_interval(ours, theirs[1:], _mean)


# -- confidence --------------------------------------------------------------------------


def test_bins_take_their_lower_edge_and_the_last_one_both() -> None:
    sure = np.array([[0.0, 0], [0.7, 1], [0.79, 0], [0.95, 1], [1.0, 1]])
    bins = reliability(sure)
    assert [b.count for b in bins] == [1, 0, 0, 0, 0, 0, 0, 2, 0, 2]
    assert (bins[7].low, bins[7].high) == (0.7, 0.8)
    assert bins[7].confidence == pytest.approx(0.745) and bins[7].accuracy == 0.5
    assert bins[1].confidence is None and bins[1].accuracy is None
    # |0 - 0| * 1/5 + |.745 - .5| * 2/5 + |.975 - 1| * 2/5
    assert calibration_error(sure) == pytest.approx(0.108)


def test_the_curve_starts_with_the_surest() -> None:
    sure = np.array([[0.2, 0], [0.9, 1], [0.6, 1], [0.4, 0]])
    curve = risk_coverage(sure)
    assert curve == ((0.25, 1.0), (0.5, 1.0), (0.75, pytest.approx(2 / 3)), (1.0, 0.5))
    assert surest(sure) == pytest.approx(2 / 3)  # the surest 3 of 4
    found = at_threshold(sure, 0.6)
    assert found is not None
    assert (found.coverage, found.above, found.below, found.overall) == (0.5, 1.0, 0.0, 0.5)
    nobody = at_threshold(sure, 0.95)
    assert nobody is not None and nobody.above is None and nobody.below == 0.5
    empty = sure[:0]
    assert risk_coverage(empty) == () and at_threshold(empty, 0.5) is None


# -- measures ----------------------------------------------------------------------------


def test_scope_is_measured_apart() -> None:
    statuses = {
        "not_legal": ["unanswerable_not_legal", "clarify_empty", "social_other", "answered"],
        "empty": ["clarify_empty", "answered"],
        "legal": ["answered", "unanswerable_not_legal", "unanswerable_not_covered"],
    }
    questions = [Question(id=s, text=s, scope=s) for s, of in statuses.items() for _ in of]
    outcomes = [replace(ANSWERED, status=s) for of in statuses.values() for s in of]
    found = {m.name: m for m in evaluate(questions, outcomes).measures}
    assert found["not-legal refused or asked back"].value == 0.5
    assert found["not legal or empty: turned away"].value == pytest.approx(4 / 6)
    assert found["near-legal lost"].value == pytest.approx(1 / 3)
    assert found["near-legal lost"].better is Better.LOWER
    assert "topic top-1" not in found  # no question has a topic


def test_confusions_are_counted_with_examples() -> None:
    wrong = replace(ANSWERED, topics=("labor-contract",), services=("legal-aid",))
    questions = [replace(ASKED, text=f"问{i}") for i in range(5)]
    found = evaluate(questions, [*[wrong] * 4, ANSWERED])
    assert len(found.confusions) == len(found.service_confusions) == 1
    confusion = found.confusions[0]
    assert (confusion.labelled, confusion.given) == ("wage-arrears", "labor-contract")
    assert confusion.count == 4 and confusion.examples == ("问0", "问1", "问2")
    services = found.service_confusions[0]
    assert (services.labelled, services.given, services.count) == (
        "labor-inspection",
        "legal-aid",
        4,
    )


def test_a_comparison_counts_who_won() -> None:
    wrong = replace(ANSWERED, topics=("labor-contract",))
    alarmed = replace(wrong, urgency="danger")
    questions = [replace(ASKED, id=str(i), urgency="normal") for i in range(30)]
    this, against = [*[ANSWERED] * 28, wrong, wrong], [*[alarmed] * 25, *[ANSWERED] * 5]
    found = compare(questions, this, against)
    by_name = {d.name: d for d in found.differences}
    topic = by_name["topic top-1"]
    assert (topic.won, topic.lost) == (25, 2)
    assert topic.difference == pytest.approx(23 / 30) and topic.low > 0.5
    assert topic.p == mcnemar(25, 2)
    alarms = by_name["false alarms of danger"]  # fewer are better: that is 25 won, not lost
    assert (alarms.won, alarms.lost) == (25, 0) and alarms.difference < 0
    assert by_name["service recall@3"].p is None  # a question can be half right
    assert by_name["calibration error (10 bins)"].p is None
    assert (len(found.won), found.won_total, found.lost_total) == (20, 25, 2)
    assert [c.id for c in found.lost] == ["28", "29"]
    assert (found.lost[0].this, found.lost[0].against) == ("labor-contract", "wage-arrears")


def test_a_mean_can_be_measured_alone() -> None:
    assert mean_measure("x", [1.0, 0.0]).value == 0.5
    assert mean_measure("x", []).count == 0


# -- files -------------------------------------------------------------------------------

KNOWN = Known(frozenset({"wage-arrears-boss-gone"}), frozenset({"gov-1"}))


def _file(tmp_path: Path, text: str, name: str = "q.yaml") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_lines_of_json(tmp_path: Path) -> None:
    text = '\ufeff{"text": "甲\u2028乙", "topic": "fraud", "services": ["police"], "note": 1}\n\n'
    text += '{"id": "b", "text": "", "scope": "not-legal", "urgency": "danger"}\n'
    first, second = load_questions(_file(tmp_path, text, "q.jsonl"), KNOWN)
    assert first == Question(id="1", text="甲\u2028乙", topic="fraud", services=("police",))
    assert second == Question(id="b", text="", scope="not_legal", urgency="danger")


def test_a_list_of_ids_and_texts(tmp_path: Path) -> None:
    path = _file(
        tmp_path,
        "- {id: wage-arrears-boss-gone, text: 老板跑了}\n- {id: gov-1, text: 哪些事}\n"
        "- {id: x, text: 有话题, topic: fraud}\n",
    )
    first, second, third = load_questions(path, KNOWN)
    assert first.situation == "wage-arrears-boss-gone" and not first.provisions
    assert second.provisions == ("gov-1",) and second.situation is None
    assert third.topic == "fraud" and third.situation is None
    assert load_questions(path)[0].situation is None  # without the ids, only a name


def test_parts_of_danger_and_scope(tmp_path: Path) -> None:
    text = "dangerous:\n  - {text: 救命, kind: violence}\nordinary:\n  - {text: 昨天打了我}\n"
    text += "not_legal: [今天天气]\nempty: [那个]\nnear_legal: [法国队赢了吗]\n"
    found = load_questions(_file(tmp_path, text), KNOWN)
    assert [(q.urgency, q.scope) for q in found] == [
        ("danger", None),
        ("normal", None),
        (None, "not_legal"),
        (None, "empty"),
        (None, "legal"),
    ]
    assert found[0].id == "dangerous-1" and found[0].text == "救命"


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("q.jsonl", '{"text": "好"}\n{"text": 1}\n', r"q\.jsonl:2: text: .*valid string"),
        ("q.jsonl", '{"text": "好", "services": "police"}', r"q\.jsonl:1: services: .*valid list"),
        ("q.jsonl", '{"text": "\\ud800"}', r"q\.jsonl:1: half of a character"),
        ("q.jsonl", "[1]", r"q\.jsonl:1: .*a row is"),
        ("q.jsonl", "{", r"q\.jsonl:1: .*a row is"),
        ("q.jsonl", "\n", r"q\.jsonl: no questions"),
        ("q.yaml", "- {text: 好}\n- {txt: 好}\n", r"q\.yaml:2: row 2: text: Field required"),
        ("q.yaml", "- {id: gov-9, text: 好}\n", r"q\.yaml:1: row 1: gov-9 is the id of no"),
        ("q.yaml", "- {text: 好, urgency: high}\n", r"row 1: urgency: .*'danger'"),
        ("q.yaml", "dangerous:\n- {text: 好}\n- 3\n", r"q\.yaml:3: row 2 of dangerous: "),
        ("q.yaml", "danger:\n- 好\n", r"q\.yaml:1: danger: not a part; there are dangerous, "),
        ("q.yaml", "empty: 好\n", r"q\.yaml:1: empty: not a list"),
        ("q.yaml", "好\n", r"q\.yaml: neither a list"),
        ("q.yaml", "- {text: 好\n", r"q\.yaml:\d"),
        ("q.yaml", "", r"q\.yaml: neither a list"),
    ],
)
def test_errors_name_file_and_row(tmp_path: Path, name: str, text: str, says: str) -> None:
    with pytest.raises(QuestionsError, match=says):
        load_questions(_file(tmp_path, text, name), KNOWN)


def test_a_file_of_another_encoding_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "q.jsonl"
    path.write_bytes('{"text": "工资"}'.encode("gb18030"))
    with pytest.raises(QuestionsError, match="not UTF-8"):
        load_questions(path)


def test_the_golden_files_can_be_asked(knowledge: Knowledge) -> None:
    entries = knowledge.entries.values()
    situations = frozenset(e.id for e in entries if e.kind is Kind.SITUATION)
    known = Known(situations, frozenset(knowledge.provisions))
    golden = Path(__file__).parent.parent / "golden"
    files = sorted(golden.glob("*.yaml"))
    assert len(files) >= 4
    for file in files:
        rows = load_questions(file, known)
        assert all(q.situation or q.provisions or q.urgency or q.scope for q in rows)


# -- the command and its page ------------------------------------------------------------

HOSTILE = '</td><script>alert("1")</script>&amp;\u202e{{ 7 * 7 }}'


class _Page(HTMLParser):
    """Collects what is on a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [f"{k}={v}" for k, v in attrs if k in ("src", "href", "srcset", "style")]

    def handle_data(self, data: str) -> None:
        self.text += data


def _evaluate(settings: Settings, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--data", str(settings.data)])


def _questions(tmp_path: Path) -> Path:
    rows = [
        {"text": f"老板拖欠我{i}个月工资不给怎么办", "topic": "wage-arrears", "scope": "legal"}
        for i in range(10)
    ]
    rows += [{"text": f"离婚孩子归谁 {i}", "topic": "fraud", "urgency": "normal"} for i in range(9)]
    rows.append({"text": f"欠钱不还 {HOSTILE}", "id": HOSTILE, "topic": HOSTILE})
    for row in rows[:10]:
        row["services"] = ["labor-inspection"]  # type: ignore[assignment]  # rows are JSON
    lines = [json.dumps(row, ensure_ascii=False) for row in rows]
    return _file(tmp_path, "\n".join(lines), "twenty.jsonl")


def test_the_command_writes_a_page_and_compares(settings: Settings, tmp_path: Path) -> None:
    using = current(settings.bundles)
    assert using is not None
    page = tmp_path / "report.html"
    result = _evaluate(
        settings,
        *(str(_questions(tmp_path)), "--html", str(page), "--json"),
        *("--against", using.name[:12]),
    )
    assert result.exit_code == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["questions"] == 20 and found["bundle"] == f"sha256:{using.name}"
    assert sum(b["count"] for b in found["reliability"]) == 20
    assert found["measures"]["near-legal lost"]["n"] == 10
    assert len(found["slowest"]) == 10 and found["threshold"]["coverage"] > 0
    differences = found["comparison"]["measures"]
    assert set(differences) == set(found["measures"])
    for each in differences.values():  # the same bundle answers the same
        assert each["this"] == each["against"]
        assert each["difference"] == each["low"] == each["high"] == 0
        assert (each["won"], each["lost"], each["p"]) in ((0, 0, 1.0), (None, None, None))
    assert found["comparison"]["won"] == found["comparison"]["lost"] == {"total": 0, "first": []}

    text = page.read_text(encoding="utf-8")
    seen = _Page(text)
    assert "script" not in seen.tags and "link" not in seen.tags and not seen.links
    assert seen.tags.count("svg") > 10 and "://" not in text
    assert '</td><script>alert("1")</script>&amp;' in seen.text and "{{ 7 * 7 }}" in seen.text
    assert "\u202e" not in text
    for wanted in ("Reliability", "answers from", "Slowest", "Compared with bundle", "Statuses"):
        assert wanted in seen.text


def test_the_text_says_the_same(settings: Settings, tmp_path: Path) -> None:
    using = current(settings.bundles)
    assert using is not None
    result = _evaluate(settings, str(_questions(tmp_path)), "--against", using.name)
    assert result.exit_code == 0, result.stderr
    assert "topic top-1" in result.stdout and "won 0, lost 0, p 1.0000" in result.stdout
    assert "fraud -> custody" in result.stdout and "From a confidence of" in result.stdout
    assert "\u202e" not in result.stdout


def test_what_cannot_be_done_is_said(settings: Settings, tmp_path: Path) -> None:
    file = str(_questions(tmp_path))
    for arguments, code, says in (
        (["--against", "00nobundle"], 1, "no bundle begins"),
        (["--against", "a", "--against-encoder", "b"], 2, "either"),
        (["--html", str(tmp_path / "no" / "r.html")], 2, "no folder"),
    ):
        result = _evaluate(settings, file, *arguments)
        assert result.exit_code == code and says in result.stderr, result.stderr


def test_a_bundle_is_found_by_the_beginning_of_its_name(tmp_path: Path) -> None:
    for name in ("aa11", "ab22", "building-x"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "manifest.json").touch()
    assert find_bundle(tmp_path, "aa").name == "aa11"
    assert find_bundle(tmp_path, "sha256:AB22").name == "ab22"
    for wanted, says in (("a", "more than one"), ("b", "no bundle"), ("", "no bundle")):
        with pytest.raises(BundleError, match=says):
            find_bundle(tmp_path, wanted)


def test_charts_can_be_drawn_of_nothing() -> None:
    assert risk_coverage_chart((), None).startswith("<svg")
    assert reliability_chart(reliability(np.zeros((0, 2)))).count("<rect") == 10


def test_a_text_on_one_line_moves_no_cursor() -> None:
    assert one_line("a\n\x1b[2J\u202eb", 40) == "a [2J b"
    assert one_line("一二三四", 3) == "一二…"
