"""The second check of the law facts: against the statutes' full text.

It lies beside the project where it is developed and checked (../shared/laws/) and nowhere else,
so that this is no test that may be left out: without the folder there is nothing to check against.
"""

from __future__ import annotations

from datetime import date
from pathlib import Path

from kb.statutes import extract_article, load_statutes
from kb.types import Knowledge

LAWS = Path(__file__).parents[3] / "shared" / "laws"

if LAWS.is_dir():

    def test_every_cited_article_is_as_the_statute_has_it(knowledge: Knowledge) -> None:
        statutes = load_statutes(LAWS, date(2026, 11, 24))
        checked = 0
        for article in knowledge.articles.values():
            statute = statutes[article.law]
            assert statute.effective == knowledge.laws[article.law].effective, article.law
            quantities, digest = extract_article(statute.articles[article.article])
            assert digest == article.digest, (article.law, article.article)
            assert tuple(quantities) == article.quantities, (article.law, article.article)
            checked += 1
        assert checked > 2000
