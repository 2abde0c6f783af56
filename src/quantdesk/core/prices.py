"""Prices: what a source said about an asset, and what the desk makes of all of them in dollars."""

from decimal import Decimal

import msgspec

from quantdesk.core.validity import Validity


class Reading(msgspec.Struct, frozen=True, gc=False):
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


class Price(msgspec.Struct, frozen=True, gc=False):
    """The board's word on a symbol in US dollars, and whose word it is.

    `reading` names all sources it was made of and the oldest of their times. `validity` leaves age
    aside, which is of the moment it is asked for. `sources` are those that agreed, `agreement_bps`
    how far apart the outermost of them are (None of a single one), `raw_ids` the messages behind
    the figure. It stands until `until_ms` (Unix milliseconds) unless something new is heard.
    """

    reading: Reading
    received_ms: int
    validity: Validity = Validity.VALID
    agreement_bps: float | None = None
    sources: tuple[str, ...] = ()
    raw_ids: tuple[str, ...] = ()
    until_ms: int | None = None

    @property
    def value(self) -> Decimal:
        """Return US dollars per unit."""
        return self.reading.price

    def age_ms(self, now_ms: int) -> int:
        """Return how long ago the desk received it; silence is measured by our own clock."""
        return max(0, now_ms - self.received_ms)
