"""What is stored of a market beside its candles (`core/candles.py`). Pure."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Literal

import msgspec

from quantdesk.core.candles import Candle

Market = tuple[str, str, str]
"""Source, symbol and currency."""

GapKind = Literal["ticks", "candles", "book"]
Fate = Literal["missing", "filled", "lost", "absent"]


class Tick(msgspec.Struct, frozen=True, gc=False):
    """A price of a feed at a moment; price and confidence are in `currency` per unit.

    `event_ms` is the source's own time, None where it gives none; `validity` leaves age and other
    sources aside (`core/validity.py`). `is_raw` says that a message stands behind it, by the name
    `source:received_ns`.
    """

    source: str
    symbol: str
    currency: str
    kind: str
    event_ms: int | None
    received_ns: int
    price: Decimal
    confidence: Decimal
    validity: int
    is_raw: bool = True

    @property
    def market(self) -> Market:
        """Return source, symbol and currency."""
        return self.source, self.symbol, self.currency


class Gap(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """What is missing of a market in [`from_ms`, `to_ms`), Unix milliseconds.

    `interval` is that of candles, empty for others; `count` of rows or updates, 0 if not known.
    `filled_ms` is when it was filled, None unless it is.
    """

    kind: GapKind
    source: str
    symbol: str
    currency: str
    interval: str
    from_ms: int
    to_ms: int
    count: int = 0
    reason: str = ""
    fate: Fate = "missing"
    filled_ms: int | None = None

    @property
    def market(self) -> Market:
        """Return source, symbol and currency."""
        return self.source, self.symbol, self.currency


class Batch(msgspec.Struct, frozen=True):
    """What a writer stores in one transaction; numbers of a writer rise by one."""

    number: int
    ticks: Sequence[Tick]
    candles: Sequence[Candle]
    gaps: Sequence[Gap]

    @property
    def rows(self) -> int:
        """Return how many rows it holds."""
        return len(self.ticks) + len(self.candles) + len(self.gaps)
