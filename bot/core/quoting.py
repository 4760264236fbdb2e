"""Which sentences of a provision answer a question; quoted exactly, in their order."""

from __future__ import annotations

import re

from kb.check import bigrams
from kb.numerals import find_quantities
from retrieval.normalise import fold

_SENTENCE = re.compile(r"[^。；\n]+[。；]?")


def best_sentences(text: str, question: str, most: int) -> list[str]:
    """Return up to ``most`` sentences of ``text`` that share most with ``question``.

    A sentence with a number is preferred when the question asks for one. If nothing is
    shared, the first sentences are returned.
    """
    sentences = [s.strip() for s in _SENTENCE.findall(text) if s.strip()]
    asked = bigrams(fold(question))
    wants_number = bool(re.search(r"多少|几|比例|百分|哪一?年|什么时候|何时|目标|指标", question))

    def score(sentence: str) -> float:
        shared = len(asked & bigrams(fold(sentence))) / float(len(sentence) ** 0.3)
        number = bool(find_quantities(sentence) or re.search(r"20\d\d年", sentence))
        return shared + (0.6 if wants_number and number and shared else 0.0)

    ranked = sorted(range(len(sentences)), key=lambda i: (-score(sentences[i]), i))
    best = [i for i in ranked[:most] if score(sentences[i]) > 0] or list(range(len(sentences)))[
        :most
    ]
    return [sentences[i] for i in sorted(best)]
