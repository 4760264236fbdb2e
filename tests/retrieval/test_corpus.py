"""Cross-validation over a corpus: the gold of a fold's own questions is not in the index."""

from __future__ import annotations

import json
from pathlib import Path

from click.testing import CliRunner

from scripts._evaluate.corpus import cross_validate, load_asked, load_corpus, measures
from scripts.evaluate import command


def _write(folder: Path, name: str, rows: list[dict[str, object]]) -> Path:
    path = folder / name
    path.write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    return path


def test_ranks_become_measures() -> None:
    recall, more, reciprocal = measures([[1, 20], [200], [4]])
    assert (recall.value, more.value) == (0.5, 2 / 3)
    assert reciprocal.value == (1 + 0 + 0.25) / 3


def test_questions_of_other_folds_help_and_own_ones_are_unseen(tmp_path: Path) -> None:
    texts: list[dict[str, object]] = [
        {"id": f"{i}", "text": f"第{i}条 {'甲乙丙丁戊己庚辛壬癸'[i] * 4}"} for i in range(10)
    ]
    asked: list[dict[str, object]] = [
        {"query": f"问{'子丑寅卯辰巳午未申酉'[i % 10]}", "gold": [f"{i % 10}"]} for i in range(20)
    ]
    corpus = load_corpus(_write(tmp_path, "corpus.jsonl", texts))
    questions = load_asked(_write(tmp_path, "asked.jsonl", asked), corpus)
    apart = cross_validate(corpus, questions, 20, None)  # the twin of each is in the index
    assert apart[2].value is not None and apart[2].value > 0.9
    alone = cross_validate(corpus, questions[:10], 10, None)  # no word of it is known
    assert alone[2].value is not None and alone[2].value <= apart[2].value


def test_a_wrong_file_is_told(tmp_path: Path) -> None:
    good = _write(tmp_path, "corpus.jsonl", [{"id": "1", "text": "x"}])
    bad = _write(tmp_path, "asked.jsonl", [{"question": "x"}])
    result = CliRunner().invoke(command, [str(bad), "--corpus", str(good)])
    assert result.exit_code == 1
    assert "query and gold" in result.output
