"""Paper: a venue that fills any size at the board's price, plus a fixed fee and nothing else."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market, Side
from quantdesk.core.money import BPS, ceil_div
from quantdesk.venues.port import Quote, Swap

BoardPrice = Callable[[str, int], tuple[Decimal, int, int]]
"""Given a pair and Unix milliseconds, returns quote per base, the sequence number of the price it
was made from, and when that was seen; raises `Unavailable` (`price.stale`)."""

_PROGRAM: Final = "paper"
_POOL: Final = "board"
_NO_IMPACT: Final = Decimal(0)


@dataclass(frozen=True, slots=True)
class _Terms:
    """One price of a pair, worked out: `ask` and `bid` over `unit` are quote per base units."""

    mid: Decimal
    ask: int
    bid: int
    unit: int
    buy_price: Decimal
    sell_price: Decimal


class Paper:
    """The board's price for everyone, at `fee_bps` off the middle."""

    def __init__(self, *, price: BoardPrice, fee_bps: int = 10) -> None:
        assert 0 <= fee_bps < BPS
        self._price = price
        self._fee_bps = fee_bps
        self._fee = Decimal(fee_bps)
        self._terms: dict[str, _Terms] = {}

    @property
    def name(self) -> str:
        """Return the short name users see."""
        return "paper"

    def accounts(self) -> tuple[str, ...]:
        """Return no addresses: nothing here is on a chain."""
        return ()

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        """Take in nothing: the venue asked for no accounts."""

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        """Return the one quote, rounded against the trader by less than one base unit.

        Raises `Refused` (`liquidity.insufficient`) when a sale is too small to bring anything, and
        whatever the board raises.
        """
        pair = market.pair
        price, slot, seen_ms = self._price(pair, now_ms)
        terms = self._terms.get(pair)
        if terms is None or terms.mid != price:
            terms = self._terms[pair] = self._worked_out(market, price)
        buys = side is Side.BUY
        quote_raw = (
            ceil_div(base_raw * terms.ask, terms.unit)
            if buys
            else base_raw * terms.bid // terms.unit
        )
        if not quote_raw:
            raise Refused(
                "the amount is too small to bring anything", code="liquidity.insufficient"
            )
        return [
            Quote(
                venue="paper",
                pool=_POOL,
                market=market,
                side=side,
                base_raw=base_raw,
                quote_raw=quote_raw,
                price=terms.buy_price if buys else terms.sell_price,
                mid=price,
                fee_bps=self._fee,
                impact_bps=_NO_IMPACT,
                slot=slot,
                seen_ms=seen_ms,
            )
        ]

    def instructions(self, swap: Swap) -> list[Instruction]:
        """Return the fill, as the paper chain records it."""
        quote = swap.quote
        data = b'{"base_raw":%d,"quote_raw":%d}' % (quote.base_raw, quote.quote_raw)
        return [Instruction(_PROGRAM, (), data)]

    def _worked_out(self, market: Market, price: Decimal) -> _Terms:
        numerator, denominator = price.as_integer_ratio()
        return _Terms(
            mid=price,
            ask=numerator * (BPS + self._fee_bps) * 10**market.quote.decimals,
            bid=numerator * (BPS - self._fee_bps) * 10**market.quote.decimals,
            unit=denominator * BPS * 10**market.base.decimals,
            buy_price=price * (BPS + self._fee_bps) / BPS,
            sell_price=price * (BPS - self._fee_bps) / BPS,
        )
