"""The crowd around a simulated price: trades and orders that nobody made, told as exchanges do.

They follow the price and never move it, so a desk without a network has candles and books to show.
"""

import math
from collections.abc import Mapping, Sequence
from decimal import Decimal

from quantdesk.core.backoff import Chance
from quantdesk.core.money import BPS
from quantdesk.core.ticks import Level
from quantdesk.sources.words import simulated as words

_LEVELS = 10
_LEVEL_BPS = Decimal("0.5")  # of the price from one level to the next
_LEVEL_USD = 20_000.0  # at a level, on average
_TRADE_USD = 2_000.0
_LOT = Decimal("0.000001")
_WHOLE_EVERY = 60  # steps; a recording that begins in the middle has its books soon
_HALF = 0.5


class Crowd:
    """The trades and orders around a price: a spread of two ticks, sizes of any kind."""

    def __init__(self, ticks: Mapping[str, Decimal], *, chance: Chance) -> None:
        """`ticks` are the steps of each asset's price; `chance` draws evenly from [0, 1)."""
        self._ticks = ticks
        self._chance = chance

    def trade(self, symbol: str, price: Decimal, number: int) -> words.Traded:
        """Return a trade at one side of the book."""
        sold = self._chance() < _HALF
        tick = self._ticks[symbol]
        at = max(tick, price - tick) if sold else price + tick
        return words.Traded(symbol, number, f"{at:f}", self._size(price, _TRADE_USD), sold)

    def book(self, symbol: str, price: Decimal, number: int) -> words.Levels:
        """Return a book of ten levels a side, or as many as there are prices above zero."""
        tick = self._ticks[symbol]
        step = max(tick, (price * _LEVEL_BPS / BPS).quantize(tick))
        asks = [price + tick + step * level for level in range(_LEVELS)]
        bids = [price - tick - step * level for level in range(_LEVELS)]
        return words.Levels(symbol, number, self._levels(bids), self._levels(asks))

    def _levels(self, prices: Sequence[Decimal]) -> list[Level]:
        return [(f"{price:f}", self._size(price, _LEVEL_USD)) for price in prices if price > 0]

    def _size(self, price: Decimal, dollars: float) -> str:
        size = Decimal(-math.log1p(-self._chance()) * dollars) / price
        return f"{max(_LOT, size.quantize(_LOT)):f}"


class Exchange:
    """What an exchange would tell of each step: trades, changes of books, whole books if asked."""

    def __init__(self, crowd: Crowd, *, number: int, asked: set[str]) -> None:
        self._crowd = crowd
        self._number = number
        self._asked = asked
        self._books: dict[str, words.Levels] = {}

    def step(
        self, at_ms: int, confidence_bps: Decimal, prices: Mapping[str, Decimal]
    ) -> words.Step:
        """Return what is told at a time when these are the prices, in US dollars."""
        self._number += 1
        before = self._books
        books = self._books = {
            symbol: self._crowd.book(symbol, price, self._number)
            for symbol, price in prices.items()
        }
        whole = set(books) if self._number % _WHOLE_EVERY == 0 else self._asked
        step = words.Step(
            at=at_ms,
            prices=[_quoted(symbol, price, confidence_bps) for symbol, price in prices.items()],
            trades=[self._crowd.trade(*priced, self._number) for priced in prices.items()],
            diffs=[_changes(before[symbol], book) for symbol, book in books.items() if before],
            books=[book for symbol, book in books.items() if symbol in whole or not before],
        )
        self._asked.clear()
        return step


def _changes(before: words.Levels, now: words.Levels) -> words.Levels:
    return words.Levels(
        now.symbol, now.id, _changed(before.bids, now.bids), _changed(before.asks, now.asks)
    )


def _changed(before: list[Level], now: list[Level]) -> list[Level]:
    stand = {price for price, _ in now}
    return [*now, *((price, "0") for price, _ in before if price not in stand)]


def _quoted(symbol: str, price: Decimal, confidence_bps: Decimal) -> words.Quoted:
    confidence = price * confidence_bps / BPS
    return words.Quoted(symbol, _scaled(price), _scaled(confidence))


def _scaled(amount: Decimal) -> int:
    return int(amount.scaleb(-words.EXPONENT).to_integral_value())
