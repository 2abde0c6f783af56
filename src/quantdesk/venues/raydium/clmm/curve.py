"""A CLMM pool as the router sees it: a constant product of virtual reserves between ticks.

With liquidity L and the square root p of the price, the reserves are L / p of token 0 and L * p of
token 1. A fee on what is paid deepens and cheapens a piece, one on what is received only cheapens
it. The limit orders of a tick are a piece of one price. Where a dynamic fee falls on the way, a
swap gets cheaper with its size, which no router reckons with: the curve stays below the pool there.

Floats: the router's curves are the one place where money is not exact; `swap` computes what is
traded.
"""

from collections.abc import Iterator
from math import inf
from typing import Final

from quantdesk.venues.port import Piece
from quantdesk.venues.raydium.clmm.fees import Fee
from quantdesk.venues.raydium.clmm.layout import RATE_ONE, Tick
from quantdesk.venues.raydium.clmm.swap import STEPS_MAX, Market
from quantdesk.venues.raydium.clmm.ticks import ONE

_ONE_SQUARED: Final = ONE * ONE


def pieces(market: Market, *, down: bool, held: int) -> Iterator[Piece]:
    """Yield what paying token 0 (`down`) or token 1 brings, from the best price down.

    Stops after as many moves of the price as one swap can make, and where the vault, of which
    `held` base units are left, would give more than it holds.
    """
    given, price = 0.0, inf
    for piece in _pieces(market, down=down):
        # No piece may seem better than the end of the one before it: neither by a rounding, nor
        # where the fee falls.
        fitted = piece._replace(price=price) if piece.price > price else piece
        worn = 1 + fitted.most / fitted.depth
        given += fitted.price * fitted.most / worn
        if given > held:
            break
        price = fitted.price / worn**2
        yield fitted


def _pieces(market: Market, *, down: bool) -> Iterator[Piece]:
    fee, fee_on_input = market.fee(down=down), market.fee_on_input(down=down)
    price, liquidity, steps = market.sqrt_price, market.liquidity, 0
    for tick in market.below if down else market.above:
        while True:
            if (steps := steps + 1) > STEPS_MAX:
                return
            bound = fee.bound(tick.sqrt_price, liquidity)
            if liquidity and price != bound:
                kept = 1 - fee.rate / RATE_ONE
                yield _net(_range(price, bound, liquidity), kept, fee_on_input=fee_on_input)
            price = bound
            if price == tick.sqrt_price:
                break
            fee.moved(tick, price)
        if tick.orders:
            yield _orders(tick, fee, down=down, fee_on_input=fee_on_input)
        liquidity += -tick.liquidity_net if down else tick.liquidity_net
        if liquidity < 0:  # such ticks cannot be, and no swap crosses them
            return
        fee.moved(tick, price)


def _range(price: int, bound: int, liquidity: int) -> Piece:
    """Return the piece between two prices, before fees."""
    if bound < price:
        paid = liquidity * (price - bound) * ONE / (price * bound)
        return Piece(paid, price * price / _ONE_SQUARED, liquidity * ONE / price)
    paid = liquidity * (bound - price) / ONE
    return Piece(paid, _ONE_SQUARED / (price * price), liquidity * price / ONE)


def _orders(tick: Tick, fee: Fee, *, down: bool, fee_on_input: bool) -> Piece:
    squared = tick.sqrt_price * tick.sqrt_price
    price = squared / _ONE_SQUARED if down else _ONE_SQUARED / squared
    kept = 1 - fee.rate / RATE_ONE
    return _net(Piece(tick.orders / price, price, inf), kept, fee_on_input=fee_on_input)


def _net(piece: Piece, kept: float, *, fee_on_input: bool) -> Piece:
    if fee_on_input:
        return Piece(piece.most / kept, piece.price * kept, piece.depth / kept)
    return piece._replace(price=piece.price * kept)
