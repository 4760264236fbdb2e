"""The report as one HTML file: no script, no other file, everything that goes into it escaped."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from scripts._evaluate import charts
from scripts._evaluate.report import (
    Report,
    milliseconds,
    one_line,
    p_value,
    slowest,
    threshold_sentence,
)

TEMPLATE = "report.html"
_SHOWN = 160
"""Characters of a question."""


def render(report: Report, at: datetime) -> str:
    """Return the page; ``at`` is when the questions were asked."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    evaluation, other = report.evaluation, report.other
    shown = other.comparison.differences if other else ()
    widest = max((abs(edge) for d in shown for edge in (d.low, d.high)), default=0.0)
    median, late = milliseconds(report.outcomes)
    return environment.get_template(TEMPLATE).render(
        report=report,
        evaluation=evaluation,
        other=other,
        at=f"{at.astimezone():%Y-%m-%d %H:%M}",
        median=median,
        late=late,
        slowest=slowest(report),
        bought=threshold_sentence(evaluation.threshold) if evaluation.threshold else "",
        risk=charts.risk_coverage_chart(
            evaluation.risk, evaluation.threshold, other.evaluation.risk if other else ()
        ),
        reliability=charts.reliability_chart(evaluation.reliability),
        strip=charts.interval_strip,
        bar=charts.bar,
        # All differences on one scale, so that their lengths can be compared by eye.
        widest=max(widest, 0.01),
        brief=lambda text: one_line(text, _SHOWN),
        p_value=p_value,
    )
