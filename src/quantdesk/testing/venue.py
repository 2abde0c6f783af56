"""A venue that quotes what a test tells it to, at prices that follow the clock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal

import msgspec

from quantdesk.chains.port import Instruction
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import from_raw, to_raw
from quantdesk.testing.chain import PROGRAM, Fill
from quantdesk.venues.port import Quote, Swap


class ScriptedVenue:
    """One pool for each pair of `prices`: (from second, quote per base) in rising order.

    It quotes without a fee and without impact, for `testing.chain` to fill. While `problem` is set
    it raises that instead.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        prices: Mapping[str, Sequence[tuple[float, Decimal]]],
        name: str = "scripted",
    ) -> None:
        self.prices = {pair: list(path) for pair, path in prices.items()}
        self.problem: DeskError | None = None
        self._clock = clock
        self._name = name

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return self._name

    def accounts(self) -> tuple[str, ...]:
        """Return no addresses: its prices come from the test."""
        return ()

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in nothing: the venue asked for no accounts."""

    def price(self, pair: str) -> Decimal:
        """Return quote per base as of now; raise `Unavailable` (`pool.gone`) without a pool."""
        now_s = self._clock.monotonic()
        past = [price for from_s, price in self.prices.get(pair, ()) if from_s <= now_s]
        if not past:
            raise Unavailable(f"{self._name} has no pool of {pair}", code="pool.gone")
        return past[-1]

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        """Return the one quote; raise `problem`, or `Unavailable` (`pool.gone`)."""
        if self.problem:
            raise self.problem
        price = self.price(market.pair)
        worth = price * from_raw(base_raw, market.base.decimals)
        return [
            Quote(
                venue=self._name,
                pool=f"{self._name}:{market.pair}",
                market=market,
                side=side,
                base_raw=base_raw,
                quote_raw=to_raw(worth, market.quote.decimals),
                price=price,
                mid=price,
                fee_bps=Decimal(0),
                impact_bps=Decimal(0),
                slot=0,
                seen_ms=now_ms,
            )
        ]

    def instructions(self, swap: Swap) -> list[Instruction]:
        """Return the one instruction that `testing.chain` executes."""
        fill = Fill(swap.quote.base_raw, swap.quote.quote_raw)
        return [Instruction(PROGRAM, (), msgspec.json.encode(fill))]
