"""Periods: which partition a moment falls into, and when that ends. Pure.

As wide as what is kept of them asks for: days where days are kept, months and years above.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

from quantdesk.core.candles import INTERVALS
from quantdesk.core.clock import utc

Width = Literal["day", "month", "year"]

TICKS: Final = "ticks"
_WIDE_MS: Final = 3_600_000
_MINUTE_MS: Final = 60_000


def _width(interval_ms: int) -> Width:
    if interval_ms < _MINUTE_MS:
        return "day"
    return "month" if interval_ms < _WIDE_MS else "year"


PARENTS: Mapping[str, Width] = MappingProxyType(
    {TICKS: _width(0)} | {f"candles_{name}": _width(length) for name, length in INTERVALS.items()}
)
"""The partitioned tables that hold rows, and how wide their partitions are."""

_FORMATS: Final[Mapping[Width, str]] = MappingProxyType(
    {"day": "%Y%m%d", "month": "%Y%m", "year": "%Y"}
)


class Period(NamedTuple):
    """A partition `name` of `parent` for rows in [`begin`, `end`)."""

    parent: str
    name: str
    begin: datetime
    end: datetime


def candles_of(interval: str) -> str:
    """Return the table that holds candles of an interval."""
    return f"candles_{interval}"


def period_of(parent: str, ms: int) -> Period:
    """Return the partition of a table that a Unix millisecond falls into."""
    return _period(parent, utc(ms))


def named(parent: str, partition: str) -> Period | None:
    """Return the period a partition is named for; None for a name of another kind."""
    prefix, _, stamp = partition.rpartition("_")
    if prefix != parent:
        return None
    try:
        begin = datetime.strptime(stamp, _FORMATS[PARENTS[parent]]).replace(tzinfo=UTC)
    except ValueError:
        return None
    period = _period(parent, begin)
    return period if period.name == partition else None


def _period(parent: str, moment: datetime) -> Period:
    width = PARENTS[parent]
    begin = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if width == "day":
        end = begin + timedelta(days=1)
    elif width == "month":
        begin = begin.replace(day=1)
        end = (begin + timedelta(days=31)).replace(day=1)
    else:
        begin = begin.replace(month=1, day=1)
        end = begin.replace(year=begin.year + 1)
    return Period(parent, f"{parent}_{begin.strftime(_FORMATS[width])}", begin, end)
