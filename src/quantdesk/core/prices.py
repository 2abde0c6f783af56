"""Prices: what a source said about an asset in US dollars, and when."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Reading:
    """One price as a source reported it.

    `symbol` is an asset of `core.assets`; `price` and `confidence` are in `currency` per unit,
    confidence being one standard deviation as the source claims it, zero when it claims none;
    `published_ms` is the source's own time in Unix milliseconds; `currency` is what the source
    really quotes in ("USD", "USDT"), so that a stablecoin is never taken for a dollar.
    """

    source: str
    symbol: str
    price: Decimal
    confidence: Decimal
    published_ms: int
    currency: str = "USD"

    def __post_init__(self) -> None:
        assert self.price > 0, "a price is positive"
        assert self.confidence >= 0, "a confidence is not negative"


@dataclass(frozen=True, slots=True)
class Price:
    """The board's word on a symbol: the latest accepted reading and when it reached the desk."""

    reading: Reading
    received_ms: int

    @property
    def value(self) -> Decimal:
        """Return US dollars per unit."""
        return self.reading.price

    def age_ms(self, now_ms: int) -> int:
        """Return how long ago the desk received it; silence is measured by our own clock."""
        return max(0, now_ms - self.received_ms)
