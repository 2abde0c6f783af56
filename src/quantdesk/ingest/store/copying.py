"""Ticks as bytes of binary COPY: half the work that a driver has with rows of any type. Pure.

Formats: https://www.postgresql.org/docs/current/sql-copy.html#id-1.9.3.55.9.4 (file), and the
`*_recv` functions of https://github.com/postgres/postgres/tree/REL_18_STABLE/src/backend/utils/adt:
numeric.c (digits of base 10,000 with weight, sign and scale), timestamp.c (microseconds since
2000), varlena.c and int.c.
"""

import struct
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Final

from quantdesk.core.errors import Corrupt
from quantdesk.ingest.store.model import Tick

COLUMNS: Final = (
    *("source", "symbol", "currency", "kind", "event_at", "received_at"),
    *("price", "confidence", "validity", "raw_ns"),
)
"""Of the table `ticks`, in the order they are packed."""

_HEAD: Final = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
_TAIL: Final = b"\xff\xff"
_COUNT: Final = struct.pack("!h", len(COLUMNS))
_NULL: Final = struct.pack("!i", -1)
_LENGTH: Final = struct.Struct("!i").pack
_TIME: Final = struct.Struct("!iq").pack
_TIMES: Final = struct.Struct("!iqiq").pack
_LAST: Final = struct.Struct("!ihiq").pack
_LAST_NULL: Final = struct.Struct("!ihi").pack
_NUMERIC: Final = struct.Struct("!ihhhH4h").pack
_NUMERICS: Final = tuple(struct.Struct(f"!ihhhH{count}h").pack for count in range(64))

_EPOCH_US: Final = 946_684_800_000_000  # 2000-01-01
_NS_PER_US: Final = 1_000
_US_PER_MS: Final = 1_000
_GROUP: Final = 4  # decimals in a digit of base 10,000
_BASE: Final = 10_000
_USUAL: Final = 8
_MAGNITUDE_MAX: Final = 60
_PIECE: Final = 250  # rows
_CACHED: Final = 1 << 14


def packed(ticks: Sequence[Tick]) -> Iterator[bytes]:
    """Yield rows for `ticks` in pieces, so that others have their turn and the server its work.

    Raises `Corrupt` (`market.unstorable`) for what has no such form.
    """
    yield _HEAD
    try:
        for at in range(0, len(ticks), _PIECE):
            yield b"".join(map(_row, ticks[at : at + _PIECE]))
    except (struct.error, ValueError) as problem:
        raise Corrupt(f"no row can hold this: {problem}", code="market.unstorable") from problem
    yield _TAIL


def _row(tick: Tick) -> bytes:
    received_us = tick.received_ns // _NS_PER_US - _EPOCH_US
    if tick.event_ms is None:
        times = _NULL + _TIME(8, received_us)
    else:
        times = _TIMES(8, tick.event_ms * _US_PER_MS - _EPOCH_US, 8, received_us)
    return (
        _names(tick.source, tick.symbol, tick.currency, tick.kind)
        + times
        + numeric(tick.price)
        + numeric(tick.confidence)
        + (_LAST(2, tick.validity, 8, tick.received_ns) if tick.is_raw
           else _LAST_NULL(2, tick.validity, -1))
    )  # fmt: skip


@lru_cache(maxsize=_CACHED)
def _names(*names: str) -> bytes:
    texts = [name.encode() for name in names]
    return _COUNT + b"".join(_LENGTH(len(text)) + text for text in texts)


def numeric(value: Decimal) -> bytes:
    """Return an exact number, not below zero, as a field; raise `ValueError` for another."""
    whole, _, part = str(value).partition(".")
    if len(whole) > _USUAL or len(part) > _USUAL or not (whole + part).isdigit():
        return _numeric(value)
    # Two digits before the point and two behind it; the server takes off those that are zero.
    high, low = divmod(int(whole), _BASE)
    near, far = divmod(int(part.ljust(_USUAL, "0")), _BASE)
    return _NUMERIC(16, 4, 1, 0, len(part), high, low, near, far)


def _numeric(value: Decimal) -> bytes:
    if not value.is_finite() or value < 0 or abs(value.adjusted()) > _MAGNITUDE_MAX:
        raise ValueError(f"{value} is no price")
    whole, _, part = f"{value:f}".partition(".")
    whole = "0" * (-len(whole) % _GROUP) + whole
    text = whole + part + "0" * (-len(part) % _GROUP)
    digits = [int(text[at : at + _GROUP]) for at in range(0, len(text), _GROUP)]
    weight = len(whole) // _GROUP - 1
    while digits and not digits[-1]:
        digits.pop()
    while digits and not digits[0]:
        del digits[0]
        weight -= 1
    count = len(digits)
    if count >= len(_NUMERICS):
        raise ValueError(f"{value} has too many digits")
    return _NUMERICS[count](8 + 2 * count, count, weight if count else 0, 0, len(part), *digits)
