"""How numbers, times and identifiers look on a terminal. Pure.

What is shown is shortened for the eye; `--json` gives what is exact.
"""

from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal

from quantdesk.core.clock import unix_ms
from quantdesk.core.money import BPS

_DIGITS = 8  # significant ones of a price
_ID_TAIL = 12
_SIGNATURE_END = 8
_SECOND_MS = 1_000
_MINUTE_MS = 60 * _SECOND_MS
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


def price(value: Decimal) -> str:
    """Return a price with eight significant digits, without trailing zeros or exponent."""
    if value == 0:
        return "0"
    finest = Decimal(1).scaleb(min(0, value.adjusted() - _DIGITS + 1))
    rounded = value.quantize(finest, rounding=ROUND_HALF_EVEN)
    text = f"{rounded:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def bps(value: Decimal, reference: Decimal) -> str:
    """Return how far a value is from its reference, in signed basis points."""
    return f"{(value - reference) * BPS / reference:+.2f} bps"


def moment(stamp: str) -> int:
    """Return an ISO-8601 time as Unix milliseconds."""
    return unix_ms(datetime.fromisoformat(stamp))


def clock(stamp: str) -> str:
    """Return the time of day of an ISO-8601 UTC time, to the millisecond."""
    return f"{datetime.fromisoformat(stamp):%H:%M:%S.%f}"[:12]


def when(stamp: str, *, now_ms: int) -> str:
    """Return the time of day, with the date in front unless it is today (UTC)."""
    then = datetime.fromisoformat(stamp).astimezone(UTC)
    days = now_ms // _DAY_MS - unix_ms(then) // _DAY_MS
    return f"{then:%H:%M:%S}" if days == 0 else f"{then:%m-%d %H:%M}"


def span(ms: int) -> str:
    """Return a duration: milliseconds below a second, seconds above."""
    return f"{ms} ms" if ms < _SECOND_MS else f"{ms / _SECOND_MS:.2f} s"


def age(ms: int) -> str:
    """Return how old something is, coarser the older."""
    for unit, unit_ms in (("d", _DAY_MS), ("h", _HOUR_MS), ("min", _MINUTE_MS)):
        if ms >= unit_ms:
            return f"{ms // unit_ms} {unit}"
    return f"{ms / _SECOND_MS:.1f} s"


def short_id(order_id: str) -> str:
    """Return the part of an order's identifier that tells it from others."""
    return order_id[-_ID_TAIL:]


def short_signature(signature: str) -> str:
    """Return a signature's two ends."""
    if len(signature) <= 2 * _SIGNATURE_END + 1:
        return signature
    return f"{signature[:_SIGNATURE_END]}…{signature[-_SIGNATURE_END:]}"
