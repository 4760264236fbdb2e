"""Beijing time, and time limits in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.core.handoff import TicketState
from bot.desk.times import DueLevel, assess_due, show_span, show_time
from bot.thinking import Mind
from tests.desk.test_permissions import TICKET

NOW = datetime(2026, 11, 24, 16, 30, tzinfo=UTC)  # 0:30 on the 25th in Beijing


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (datetime(2026, 11, 24, 16, 5, tzinfo=UTC), "今天 00:05"),
        (datetime(2026, 11, 24, 15, 59, tzinfo=UTC), "11月24日 23:59"),
        (datetime(2025, 12, 31, 16, 0, tzinfo=UTC), "1月1日 00:00"),
        (datetime(2025, 12, 31, 15, 0, tzinfo=UTC), "2025年12月31日 23:00"),
    ],
)
def test_times_are_those_of_beijing(mind: Mind, at: datetime, shown: str) -> None:
    assert show_time(at, NOW, mind.playbook.say) == shown


@pytest.mark.parametrize(
    ("span", "shown"),
    [
        (timedelta(seconds=59), "不到1分钟"),
        (timedelta(minutes=15, seconds=30), "15分钟"),
        (timedelta(hours=3, minutes=20), "3小时20分钟"),
        (timedelta(hours=19), "19小时"),
        (timedelta(days=2, hours=5, minutes=9), "2天5小时"),
        (timedelta(days=3, minutes=9), "3天"),
    ],
)
def test_spans(mind: Mind, span: timedelta, shown: str) -> None:
    assert show_span(span, mind.playbook.say) == shown


@pytest.mark.parametrize(
    ("left", "level", "words"),
    [
        (timedelta(hours=-3, minutes=-20), DueLevel.LATE, "已超过3小时20分钟"),
        (timedelta(0), DueLevel.SOON, "还剩不到1分钟"),
        (timedelta(hours=4), DueLevel.SOON, "还剩4小时"),
        (timedelta(hours=4, minutes=1), DueLevel.LATER, "今天 04:31前"),
    ],
)
def test_due_times_are_said_in_words_too(
    mind: Mind, left: timedelta, level: DueLevel, words: str
) -> None:
    due = assess_due(replace(TICKET, due_at=NOW + left), NOW, mind.playbook.say)
    assert due is not None
    assert (due.level, due.words) == (level, words)


def test_nothing_is_due_when_staff_owe_nothing(mind: Mind) -> None:
    for state in (TicketState.REPLIED, TicketState.CLOSED, TicketState.WITHDRAWN):
        ticket = replace(TICKET, due_at=NOW, state=state)
        assert assess_due(ticket, NOW, mind.playbook.say) is None
    assert assess_due(TICKET, NOW, mind.playbook.say) is None
