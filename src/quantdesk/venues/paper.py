"""Paper: a venue that fills any size at the board's price, plus a fixed fee and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import AccountState, Instruction
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import MARKETS, Market
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.port import About, Fill, Piece, Pool, Swap

BoardPrice = Callable[[str, int], tuple[Decimal, int, int]]
"""Given a pair and Unix milliseconds, returns quote per base, the sequence number of the price it
was made from, and when that was seen; raises `Unavailable` (`price.stale`)."""

_PROGRAM: Final = "paper"
_POOL: Final = "board"
_BY_MINTS: Final = {
    frozenset((market.base.mint, market.quote.mint)): market for market in MARKETS.values()
}


@dataclass(frozen=True, slots=True)
class PaperPool:
    """One price of a pair: `ask` and `bid` over `unit` are quote per base, in base units."""

    about: About
    base: str
    ask: int
    bid: int
    unit: int
    fee_bps: int

    def curve(self, paid: str) -> list[Piece]:
        """Return the one price without end."""
        price = self.bid / self.unit if paid == self.base else self.unit / self.ask
        return [Piece(float("inf"), price, float("inf"))]

    def exact_in(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is paid, rounded against the trader.

        Raises `Refused` (`amount.too_small`) when it brings nothing.
        """
        if paid == self.base:
            received = amount * self.bid // self.unit
        else:
            received = amount * self.unit // self.ask
        if not received:
            raise Refused("the amount is too small to bring anything", code="amount.too_small")
        return Fill(amount, received, self._fee(paid, amount), fee_on_input=True)

    def exact_out(self, paid: str, amount: int) -> Fill:
        """Return the trade in which exactly `amount` is received, rounded against the trader."""
        if paid == self.base:
            cost = ceil_div(amount * self.unit, self.bid)
        else:
            cost = ceil_div(amount * self.ask, self.unit)
        return Fill(cost, amount, self._fee(paid, cost), fee_on_input=True)

    def instruction(self, swap: Swap) -> Instruction:
        """Return the fill, as the paper chain records it."""
        trade = self.exact_in if swap.exact_in else self.exact_out
        fill = trade(swap.paid, swap.amount)
        sells = swap.paid == self.base
        base, quote = (fill.paid, fill.received) if sells else (fill.received, fill.paid)
        return Instruction(_PROGRAM, (), b'{"base_raw":%d,"quote_raw":%d}' % (base, quote))

    def _fee(self, paid: str, amount: int) -> int:
        # The bid is the price less the fee; the ask is the price and the fee on top.
        return amount * self.fee_bps // (BPS if paid == self.base else BPS + self.fee_bps)


class Paper:
    """The board's price for everyone, at `fee_bps` off the middle."""

    def __init__(self, *, price: BoardPrice, fee_bps: int = 10) -> None:
        assert 0 <= fee_bps < BPS
        self._price = price
        self._fee_bps = fee_bps
        self._made: dict[str, tuple[Decimal, PaperPool]] = {}

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return "paper"

    def accounts(self) -> tuple[str, ...]:
        """Return no addresses: nothing here is on a chain."""
        return ()

    def update(self, state: AccountState, *, seen_ms: int) -> None:
        """Take in nothing: the venue asked for no accounts."""

    def pools(self, mints: frozenset[str], *, now_ms: int) -> list[Pool]:
        """Return the one pool of a listed pair; raise `Unavailable`, or whatever the board does."""
        market = _BY_MINTS.get(mints)
        if market is None:
            raise Unavailable("paper trades the listed pairs alone", code="pool.gone")
        price, slot, seen_ms = self._price(market.pair, now_ms)
        was, made = self._made.get(market.pair, (None, None))
        if made is None or (was, made.about.slot, made.about.seen_ms) != (price, slot, seen_ms):
            made = self._pool(market, price, slot, seen_ms)
            self._made[market.pair] = (price, made)
        return [made]

    def _pool(self, market: Market, price: Decimal, slot: int, seen_ms: int) -> PaperPool:
        numerator, denominator = price.as_integer_ratio()
        base, quote = market.base, market.quote
        return PaperPool(
            about=About(
                venue="paper",
                address=_POOL,
                kind="board",
                mints=(base.mint, quote.mint),
                spot=price.scaleb(quote.decimals - base.decimals),
                compute_units=0,
                slot=slot,
                seen_ms=seen_ms,
            ),
            base=base.mint,
            ask=numerator * (BPS + self._fee_bps) * 10**quote.decimals,
            bid=numerator * (BPS - self._fee_bps) * 10**quote.decimals,
            unit=denominator * BPS * 10**base.decimals,
            fee_bps=self._fee_bps,
        )
