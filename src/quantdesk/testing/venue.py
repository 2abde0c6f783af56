"""A venue that quotes what a test tells it to, at prices that follow the clock."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from math import inf

import msgspec

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.markets import MARKETS
from quantdesk.testing.chain import PROGRAM, Fill
from quantdesk.venues.port import About, Piece, Pool, Swap
from quantdesk.venues.port import Fill as Trade

_BY_MINTS = {
    frozenset((market.base.mint, market.quote.mint)): market for market in MARKETS.values()
}


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
        self.slot = 0
        """What its quotes are of."""
        self._clock = clock
        self._name = name

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return self._name

    def accounts(self) -> tuple[str, ...]:
        """Return no addresses: its prices come from the test."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in nothing: the venue asked for no accounts."""

    def price(self, pair: str) -> Decimal:
        """Return quote per base as of now; raise `Unavailable` (`pool.gone`) without a pool."""
        now_s = self._clock.monotonic()
        past = [price for from_s, price in self.prices.get(pair, ()) if from_s <= now_s]
        if not past:
            raise Unavailable(f"{self._name} has no pool of {pair}", code="pool.gone")
        return past[-1]

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the one pool; raise `problem`, or `Unavailable` (`pool.gone`)."""
        if self.problem:
            raise self.problem
        market = _BY_MINTS.get(mints)
        if market is None:
            raise Unavailable(f"{self._name} lists no such pair", code="pool.gone")
        base, quote = market.base, market.quote
        worth = self.price(market.pair).scaleb(quote.decimals - base.decimals)
        about = About(
            venue=self._name,
            address=f"{self._name}:{market.pair}",
            kind="scripted",
            mints=(base.mint, quote.mint),
            spot=worth,
            compute_units=0,
            slot=self.slot,
            seen_ms=now_ms,
        )
        return [ScriptedPool(about)]


class ScriptedPool(msgspec.Struct, frozen=True):
    """One price for any size, without a fee and without impact; fractions are cut off."""

    about: About

    def curve(self, paid: str) -> list[Piece]:
        """Return the one price without end."""
        spot = float(self.about.spot)
        return [Piece(inf, spot if self._sells(paid) else 1 / spot, inf)]

    def exact_in(self, paid: str, amount: int) -> Trade:
        """Return the trade in which exactly `amount` is paid."""
        spot = self.about.spot
        received = amount * spot if self._sells(paid) else amount / spot
        return Trade(amount, int(received), 0, fee_on_input=True)

    def exact_out(self, paid: str, amount: int) -> Trade:
        """Return the trade in which exactly `amount` is received."""
        spot = self.about.spot
        cost = amount / spot if self._sells(paid) else amount * spot
        return Trade(int(cost), amount, 0, fee_on_input=True)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the one instruction that `testing.chain` executes."""
        trade = (self.exact_in if swap.exact_in else self.exact_out)(swap.paid, swap.amount)
        sells = self._sells(swap.paid)
        base, quote = (trade.paid, trade.received) if sells else (trade.received, trade.paid)
        return Instruction(PROGRAM, (), msgspec.json.encode(Fill(base, quote)))

    def _sells(self, paid: str) -> bool:
        return paid == self.about.mints[0]
