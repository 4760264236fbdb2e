"""Small charts as inline SVG, drawn from numbers; colours are classes of report.html.

Every chart is 360 units wide, about the width of a phone, so that its words can still be read
there. Whatever is not a number is escaped here.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from retrieval.confidence import Bin, Threshold

WIDTH = 360
HEIGHT = 264
LEFT, RIGHT, TOP, BOTTOM = 40, 350, 24, 224
"""Edges of the plot."""
COUNTS = 46
"""Height of the strip of counts under the reliability diagram."""

Point = tuple[float, float]


def risk_coverage_chart(
    curve: Sequence[Point], threshold: Threshold | None, against: Sequence[Point] = ()
) -> str:
    """Draw topic accuracy over coverage, both 0..1, with the answer threshold marked."""
    floor = _floor([accuracy for _, accuracy in (*curve, *against)])

    def place(point: Point) -> Point:
        return _x(point[0]), _y((point[1] - floor) / (1 - floor))

    steps = round((1 - floor) * 10)
    drawn = [
        _axes([(floor + i / 10, i / steps) for i in range(steps + 1)], "coverage", "right topics")
    ]
    if against:
        drawn.append(_line([place(p) for p in against], "other"))
    drawn.append(_line([place(p) for p in curve], "curve"))
    if threshold is not None and threshold.above is not None:
        x, y = place((threshold.coverage, threshold.above))
        drawn.append(f'<line class="mark" x1="{x:.1f}" y1="{TOP}" x2="{x:.1f}" y2="{BOTTOM}"/>')
        drawn.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="4.5"/>')
        # On the side with more room.
        side, anchor = (-6, "end") if threshold.coverage > 0.5 else (6, "start")
        label = f"answers from {threshold.value:.2f}"
        drawn.append(_text(x + side, BOTTOM - 8, label, anchor, "strong"))
    return _svg("Risk-coverage curve: share of right topics over coverage", drawn, HEIGHT)


def reliability_chart(bins: Sequence[Bin]) -> str:
    """Draw the share of right topics over the confidence, and how many questions each bin has."""
    ticks = [(i / 5, i / 5) for i in range(6)]
    drawn = [
        _axes(ticks, "confidence", "right topics"),
        _line([(_x(0), _y(0)), (_x(1), _y(1))], "ideal"),
    ]
    most = max((b.count for b in bins), default=0) or 1
    ground = HEIGHT + COUNTS
    points = []
    for b in bins:
        left, right = _x(b.low) + 1.5, _x(b.high) - 1.5
        height = COUNTS * 0.7 * b.count / most
        drawn.append(_rect("count", left, ground - height, right - left, height))
        drawn.append(_text((left + right) / 2, ground - height - 3, str(b.count), "middle", "tiny"))
        if b.confidence is not None and b.accuracy is not None:
            points.append((_x(b.confidence), _y(b.accuracy)))
    drawn.append(_line(points, "curve"))
    drawn += [f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>' for x, y in points]
    drawn.append(_text(LEFT, ground + 14, "questions in each bin", "start"))
    return _svg("Reliability diagram of the confidence", drawn, ground + 20)


def interval_strip(value: float, low: float, high: float, start: float, end: float) -> str:
    """Draw a dot and its interval on a line from ``start`` to ``end``; 0 is marked within it."""

    def x(number: float) -> float:
        return 3 + 114 * (min(max(number, start), end) - start) / (end - start)

    zero = f'<line class="zero" x1="{x(0):.1f}" y1="1" x2="{x(0):.1f}" y2="15"/>'
    return (
        '<svg class="strip" viewBox="0 0 120 16" aria-hidden="true">'
        '<line class="axis" x1="3" y1="8" x2="117" y2="8"/>'
        f"{zero if start < 0 < end else ''}"
        f'<line class="range" x1="{x(low):.1f}" y1="8" x2="{x(high):.1f}" y2="8"/>'
        f'<circle class="dot" cx="{x(value):.1f}" cy="8" r="2.5"/></svg>'
    )


def bar(share: float) -> str:
    """Draw ``share`` of 1 as a bar."""
    return (
        '<svg class="strip" viewBox="0 0 120 16" aria-hidden="true">'
        f"{_rect('count', 0, 3, max(120 * share, 0.5), 10)}</svg>"
    )


def _floor(shares: Sequence[float]) -> float:
    """Return where an axis of shares begins: at a tenth below all of them, at most 0.8."""
    lowest = int(min(shares, default=0.0) * 10) / 10
    return min(max(lowest, 0.0), 0.8)


def _x(share: float) -> float:
    return LEFT + (RIGHT - LEFT) * share


def _y(share: float) -> float:
    return BOTTOM - (BOTTOM - TOP) * share


def _axes(ticks: Sequence[Point], below: str, beside: str) -> str:
    """Draw the frame; ``ticks`` of the upright axis are (number to show, height 0..1)."""
    parts = []
    for number, height in ticks:
        y = _y(height)
        parts.append(f'<line class="grid" x1="{LEFT}" y1="{y:.1f}" x2="{RIGHT}" y2="{y:.1f}"/>')
        parts.append(_text(LEFT - 5, y + 4, f"{number:.0%}", "end"))
    for i in range(6):
        anchor = "middle" if i < 5 else "end"
        parts.append(_text(_x(i / 5), BOTTOM + 15, f"{i / 5:.0%}", anchor))
    parts.append(_text((LEFT + RIGHT) / 2, BOTTOM + 31, below, "middle"))
    parts.append(_text(LEFT - 36, TOP - 12, beside, "start"))
    return "".join(parts)


def _line(points: Sequence[Point], kind: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{kind}" points="{path}"/>'


def _rect(kind: str, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<rect class="{kind}" x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}"/>'
    )


def _text(x: float, y: float, words: str, anchor: str, kind: str = "") -> str:
    named = f' class="{kind}"' if kind else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def _svg(title: str, parts: Sequence[str], height: int) -> str:
    return (
        f'<svg class="chart" viewBox="0 0 {WIDTH} {height}" role="img" '
        f'aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )
