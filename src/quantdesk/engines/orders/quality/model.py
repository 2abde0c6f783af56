"""An entry of the ledger: one leg of one fill, from its quote to five minutes later. Pure.

The markouts compare a fill with where the market stood a fixed time after it, as the realized
spread of SEC Rule 605 does after five minutes (https://www.law.cornell.edu/cfr/text/17/242.600).
The moments stand in one table and are filled strictly in its order, so that the first one missing
says what is due next.
"""

from collections.abc import Mapping
from decimal import Context, Decimal
from typing import NamedTuple
from uuid import UUID

import msgspec

from quantdesk.core.markets import Side, market

_PRICE = Context(prec=16)


class Horizon(NamedTuple):
    """A moment at which the board is asked: `after_ms` from landing, at most `late_ms` late."""

    name: str
    after_ms: int
    late_ms: int


HORIZONS = (
    Horizon("landing", 0, 2_000),
    Horizon("markout_10s", 10_000, 2_000),
    Horizon("markout_1m", 60_000, 5_000),
    Horizon("markout_5m", 300_000, 15_000),
)


class Mark(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """The board's price of a pair (quote per base) as of `at_ms`, or why it is `missing`.

    `age_ms` is how old the older of the two prices behind it was then.
    """

    price: Decimal | None = None
    at_ms: int | None = None
    age_ms: int | None = None
    source: str | None = None
    missing: str | None = None

    def __post_init__(self) -> None:
        assert (self.price is None) == (self.at_ms is None), "a price has a time"
        assert (self.price is None) != (self.missing is None), "a price, or why there is none"


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a confirmed order; amounts in base units, times in Unix milliseconds.

    `measured` says that the landed amount is what this leg's pool moved; otherwise the order's
    whole is shared out among its `legs` as quoted. `simulated_measured` says the same of the
    simulated amount. `other_fees` are those the order paid in assets that it did not trade, in
    whole units by symbol, told of its first leg; they are in no amount and no price here.
    `landed_ms` is when the desk learned that it filled, or when the chain says it did where a desk
    may have learned of it late. `marks` are the board's words at the first
    of `HORIZONS`, in their order; the others are still to come.
    """

    order_id: UUID
    leg: int
    legs: int
    mode: str
    account_id: UUID
    pair: str
    side: Side
    venue: str
    pool: str
    kind: str
    base_raw: int
    quoted_raw: int
    simulated_raw: int | None
    landed_base_raw: int
    landed_raw: int
    landed_ms: int
    measured: bool
    simulated_measured: bool
    decision: Mark
    marks: tuple[Mark, ...] = ()
    other_fees: Mapping[str, Decimal] = {}

    @property
    def quoted_price(self) -> Decimal | None:
        """Return quote per base as quoted; None where no base was."""
        return price(self.pair, self.base_raw, self.quoted_raw)

    @property
    def simulated_price(self) -> Decimal | None:
        """Return quote per base as simulated; None where nothing says."""
        if self.simulated_raw is None:
            return None
        return price(self.pair, self.base_raw, self.simulated_raw)

    @property
    def landed_price(self) -> Decimal | None:
        """Return quote per base as filled; None where no base moved."""
        return price(self.pair, self.landed_base_raw, self.landed_raw)

    @property
    def next_due_ms(self) -> int | None:
        """Return when the board is to be asked next; None once all is known."""
        if len(self.marks) == len(HORIZONS):
            return None
        return self.landed_ms + HORIZONS[len(self.marks)].after_ms


def price(pair: str, base_raw: int, quote_raw: int) -> Decimal | None:
    """Return quote per base to sixteen digits; None where there is no base."""
    if base_raw == 0:
        return None
    traded = market(pair)
    finer = traded.base.decimals - traded.quote.decimals
    return quotient(Decimal(quote_raw).scaleb(finer), Decimal(base_raw))


def quotient(amount: Decimal, per: Decimal) -> Decimal:
    """Return a price to sixteen digits, without trailing zeros."""
    exact = _PRICE.divide(amount, per).normalize()
    return exact.quantize(Decimal(1)) if exact == exact.to_integral_value() else exact
