"""Times in the database: whole microseconds since 1970-01-01 UTC, exact and easy to compare."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import overload

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@overload
def to_stamp(at: datetime) -> int: ...
@overload
def to_stamp(at: datetime | None) -> int | None: ...
def to_stamp(at: datetime | None) -> int | None:
    """Return ``at`` in microseconds. Raises TypeError for a time without a zone."""
    return None if at is None else (at - _EPOCH) // _MICROSECOND


@overload
def from_stamp(stamp: int) -> datetime: ...
@overload
def from_stamp(stamp: int | None) -> datetime | None: ...
def from_stamp(stamp: int | None) -> datetime | None:
    return None if stamp is None else _EPOCH + stamp * _MICROSECOND
