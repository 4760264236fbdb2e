"""``suifawen overlap``: are messages that we learn from near-copies of labelled questions?"""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path

import click
import numpy as np

from kb.check import bigrams
from retrieval import danger, labelled
from retrieval.evaluation import load_questions
from retrieval.normalise import fold

SHORT = 6
"""Questions with fewer pairs of characters are in many texts by chance; they are left out."""


@click.command()
@click.argument("questions", metavar="FILE", type=click.Path(path_type=Path, exists=True))
def command(questions: Path) -> None:
    """For each question of FILE: the largest share of its pairs of characters in one message."""
    folders = (danger.TRAINING, labelled.TRAINING)
    texts = [row["text"] for folder in folders for row in labelled.read_rows(folder)]
    asked = [q.text for q in load_questions(questions)]
    shares = np.array(overlaps(asked, texts))
    click.echo(f"{len(shares)} questions of {SHORT} pairs or more, {len(texts)} messages")
    click.echo(f"mean {shares.mean():.2f}, p95 {np.quantile(shares, 0.95):.2f}, "
               f"largest {shares.max():.2f}, .8 or more: {(shares >= 0.8).sum()}")  # fmt: skip


def overlaps(asked: Sequence[str], texts: Sequence[str]) -> list[float]:
    """Return, for each of ``asked`` that is long enough, its largest share found in one text."""
    holders: dict[str, list[int]] = defaultdict(list)
    for number, text in enumerate(texts):
        for pair in bigrams(fold(text)):
            holders[pair].append(number)
    shares = []
    with click.progressbar(asked, file=sys.stderr, label="comparing") as bar:
        for text in bar:
            pairs = bigrams(fold(text))
            if len(pairs) < SHORT:
                continue
            held = Counter(number for pair in pairs for number in holders.get(pair, ()))
            shares.append(max(held.values(), default=0) / len(pairs))
    return shares
