"""When markets are open: crypto always, the others by sessions in New York's time. Pure data.

Holidays are not listed: on them a price goes stale by its own age. New York's summer time is from
the second Sunday of March to the first of November, at two in the morning (15 U.S.C. 260a).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from quantdesk.core.clock import utc

_DAY_MIN = 24 * 60
_MON, _FRI, _SUN = 0, 4, 6


@dataclass(frozen=True, slots=True)
class Session:
    """An opening of a market: weekday (Monday is 0) and minutes of the day in New York."""

    weekday: int
    opens_min: int
    closes_min: int


SESSIONS: Mapping[str, tuple[Session, ...]] = MappingProxyType(
    {
        "equity": tuple(Session(day, 9 * 60 + 30, 16 * 60) for day in range(_MON, _FRI + 1)),
        "fx": (
            Session(_SUN, 17 * 60, _DAY_MIN),
            *(Session(day, 0, _DAY_MIN) for day in range(_MON, _FRI)),
            Session(_FRI, 0, 17 * 60),
        ),
    }
)
"""What trades in sessions; what is in no class trades always."""

CLASSES: Mapping[str, str] = MappingProxyType(
    {
        **dict.fromkeys(("AAPL", "AMZN", "COIN", "GOOGL", "MSFT", "NVDA", "QQQ", "SPY"), "equity"),
        **dict.fromkeys(("TSLA",), "equity"),
        **dict.fromkeys(("AUD", "CAD", "CHF", "EUR", "GBP", "JPY", "NZD"), "fx"),
    }
)
"""The class of the assets that do not trade always."""


def is_open(symbol: str, now_ms: int) -> bool:
    """Return whether the market of an asset is open at a moment (Unix milliseconds)."""
    named = CLASSES.get(symbol)
    if named is None:
        return True
    there = _new_york(utc(now_ms))
    minute = there.hour * 60 + there.minute
    return any(
        session.weekday == there.weekday() and session.opens_min <= minute < session.closes_min
        for session in SESSIONS[named]
    )


def _new_york(moment: datetime) -> datetime:
    year = moment.year
    summer = _sunday(year, 3, 2) + timedelta(hours=7) <= moment
    over = _sunday(year, 11, 1) + timedelta(hours=6) <= moment
    return moment - timedelta(hours=4 if summer and not over else 5)


def _sunday(year: int, month: int, number: int) -> datetime:
    """Return midnight UTC of the first, second … Sunday of a month."""
    first = datetime(year, month, 1, tzinfo=UTC)
    return first + timedelta(days=(_SUN - first.weekday()) % 7 + 7 * (number - 1))
