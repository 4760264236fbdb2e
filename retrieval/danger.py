"""What the classifier of danger learns from; how it is used stands in `bot/core/danger.py`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from kb.types import Knowledge
from retrieval.classifier import Classifier, train_classifiers
from retrieval.labelled import Labelled, phrasings, read_rows
from retrieval.normalise import fold
from retrieval.types import CALM

FILE = "danger.npz"
TRAINING = Path(__file__).parent / "training" / "danger"
"""Messages with a kind of kb/rules/danger.yaml, or `calm`."""
NEAR_DANGER = frozenset(
    {"crisis", "criminal-victim", "domestic-violence", "fraud", "minors", "personal-injury"}
)
"""Topics in which people ask from the middle of it: their phrasings are no examples of calm."""
EPOCHS = 15
SEEN = 3
"""n-grams in fewer texts are left out: they are half of them, and 15 MB while serving."""


def build_danger(
    knowledge: Knowledge, examples: Iterable[tuple[str, str]], messages: Iterable[Labelled]
) -> Classifier:
    """Return the classifier of danger.

    ``examples`` are (text, kind) pairs. ``messages`` and all phrasings are calm, save those of
    `NEAR_DANGER`; so is where somebody lives.
    """
    pairs = [*examples, *((text, CALM) for text in _calm(knowledge, messages))]
    labels = {"danger": [kind for _, kind in pairs]}
    texts = [fold(text) for text, _ in pairs]
    return train_classifiers(texts, labels, EPOCHS, seen=SEEN)["danger"]


def load_examples(folder: Path = TRAINING) -> list[tuple[str, str]]:
    """Return the (text, kind) pairs of every `.jsonl` file in ``folder``."""
    return [(row["text"], row["kind"]) for row in read_rows(folder)]


def _calm(knowledge: Knowledge, messages: Iterable[Labelled]) -> Iterator[str]:
    for each in (*messages, *phrasings(knowledge)):
        if each.topic not in NEAR_DANGER:
            yield each.text
    for place in knowledge.places.values():
        for name in (place.name, *place.aliases):
            yield from (name, f"我在{name}", f"{name}这边")
