"""A made-up market that agrees with itself: one book, and what Binance would say of its changes.

From a seed: orders come, go and are taken; every change of a level is one update id, trades happen
at the touch, candles are made of the trades. So the top of the book after update u is what the
ticker says of u, the diffs lead from any snapshot to any later one, and candles equal their trades.

Shapes: `sources/words/binance.py` names the pages.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

Json = dict[str, Any]
Message = tuple[str, Json]
"""A stream's name behind the @, and what is said by it."""

_SIDES: Final = ("b", "a")
_LEVELS: Final = 20
_LEVELS_LEAST: Final = 10
_SPREAD_MAX: Final = 10
_SIZE_MAX: Final = 5_000
_TAKEN: Final = 0.4  # of the steps
_MINUTE_MS: Final = 60_000
_FUNDING_MS: Final = 8 * 3_600_000


@dataclass(slots=True)
class Walk:
    """The market of one pair; prices in hundredths, sizes in thousandths.

    `futures` says whose shapes it speaks.
    """

    pair: str
    seed: int
    futures: bool = False
    middle: int = 6_000_000
    update_id: int = 1_000
    trade_id: int = 500
    _chance: random.Random = field(init=False)
    _books: dict[str, dict[int, int]] = field(init=False)
    _changed: dict[str, dict[int, int]] = field(init=False)
    _said_id: int = field(init=False)
    _top: tuple[int, int, int, int] = field(init=False)
    _candle: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed} {self.pair}")  # noqa: S311 - the same each time
        self._books = {
            "b": {self.middle - away: self._size() for away in range(1, _LEVELS)},
            "a": {self.middle + away: self._size() for away in range(1, _LEVELS)},
        }
        self._changed = {"b": {}, "a": {}}
        self._said_id = self.update_id
        self._top = self._best()

    def step(self, now_ms: int) -> Iterator[Message]:
        """Let one order come and yield what is said of it at once: trades and tops."""
        yield from self._turned(now_ms)
        side = self._chance.choice(_SIDES)
        if self._chance.random() < _TAKEN:
            yield from self._take(side, now_ms)
        else:
            self._place(side)
            yield from self._topped(now_ms)
        while len(self._books[side]) < _LEVELS_LEAST:
            self._place(side, behind=True)

    def diff(self, now_ms: int) -> Message | None:
        """Return what changed since the last diff, None where nothing did."""
        if self._said_id == self.update_id:
            return None
        said: Json = {
            "e": "depthUpdate", "E": now_ms, "s": self.pair,
            "U": self._said_id + 1, "u": self.update_id,
        }  # fmt: skip
        if self.futures:
            said |= {"T": now_ms, "pu": self._said_id}
        for side in _SIDES:
            said[side] = [_level(price, size) for price, size in self._changed[side].items()]
            self._changed[side] = {}
        self._said_id = self.update_id
        return "depth@100ms", said

    def snapshot(self, levels: int) -> Json:
        """Return the book as REST does, to that many levels."""
        bids, asks = (sorted(self._books[side].items(), reverse=side == "b") for side in _SIDES)
        return {
            "lastUpdateId": self.update_id,
            "bids": [_level(*level) for level in bids[:levels]],
            "asks": [_level(*level) for level in asks[:levels]],
        }

    def kline(self, now_ms: int) -> Iterator[Message]:
        """Yield the candle of this minute, and before it the last one closed if it was not told."""
        yield from self._turned(now_ms)
        if self._candle:
            yield self._kline(now_ms, closed=False)

    def mark(self, now_ms: int) -> Message:
        """Return the mark price: the middle of the book."""
        bid, _, ask, _ = self._best()
        middle = _price((bid + ask) // 2)
        return "markPrice@1s", {
            "e": "markPriceUpdate", "E": now_ms, "s": self.pair, "p": middle, "i": middle,
            "P": middle, "r": "0.00010000", "T": (now_ms // _FUNDING_MS + 1) * _FUNDING_MS,
        }  # fmt: skip

    def _take(self, side: str, now_ms: int) -> Iterator[Message]:
        wanted = self._size()
        book = self._books[side]
        while wanted and len(book) > 1:
            price = self._touch(side)
            taken = min(wanted, book[price])
            wanted -= taken
            self._set(side, price, book[price] - taken)
            yield self._trade(price, taken, now_ms, buyer_is_maker=side == "b")
            yield from self._topped(now_ms)

    def _trade(self, price: int, size: int, now_ms: int, *, buyer_is_maker: bool) -> Message:
        self.trade_id += 1
        self._count(price, size, now_ms)
        said: Json = {"E": now_ms, "s": self.pair, "p": _price(price), "q": _size(size)}
        if self.futures:
            said |= {"e": "aggTrade", "a": self.trade_id, "f": self.trade_id, "l": self.trade_id}
            return "aggTrade", said | {"T": now_ms, "m": buyer_is_maker}
        said |= {"e": "trade", "t": self.trade_id, "T": now_ms, "m": buyer_is_maker, "M": True}
        return "trade", said

    def _place(self, side: str, *, behind: bool = False) -> None:
        book, away = self._books[side], -1 if side == "b" else 1
        bid, _, ask, _ = self._best()
        room = ask - bid - 1
        if behind:
            self._set(side, (min if side == "b" else max)(book) + away, self._size())
        elif room and (room > _SPREAD_MAX or self._chance.random() < 1 / 4):
            self._set(side, self._touch(side) - away, self._size())
        else:
            price = self._touch(side) + away * self._chance.randrange(_LEVELS)
            gone = len(book) > _LEVELS_LEAST and self._chance.random() < 1 / 2
            self._set(side, price, 0 if gone else self._size())

    def _set(self, side: str, price: int, size: int) -> None:
        if size:
            self._books[side][price] = size
        else:
            self._books[side].pop(price, None)
        self._changed[side][price] = size
        self.update_id += 1

    def _topped(self, now_ms: int) -> Iterator[Message]:
        top = self._best()
        if top == self._top:
            return
        self._top = top
        bid, bid_size, ask, ask_size = top
        said: Json = {"e": "bookTicker"} if self.futures else {}
        said |= {"u": self.update_id}
        if self.futures:
            said |= {"E": now_ms, "T": now_ms}
        said |= {"s": self.pair, "b": _price(bid), "B": _size(bid_size)}
        yield "bookTicker", said | {"a": _price(ask), "A": _size(ask_size)}

    def _turned(self, now_ms: int) -> Iterator[Message]:
        if self._candle and now_ms > self._candle["T"]:
            yield self._kline(now_ms, closed=True)
            self._candle = {}

    def _count(self, price: int, size: int, now_ms: int) -> None:
        candle = self._candle
        if not candle:
            opened = now_ms - now_ms % _MINUTE_MS
            candle.update(t=opened, T=opened + _MINUTE_MS - 1, o=price, h=price, l=price, v=0, n=0)
            candle["f"] = self.trade_id
        candle |= {"h": max(candle["h"], price), "l": min(candle["l"], price), "c": price}
        candle |= {"v": candle["v"] + size, "n": candle["n"] + 1, "L": self.trade_id}

    def _kline(self, now_ms: int, *, closed: bool) -> Message:
        candle = self._candle
        told = {"t": candle["t"], "T": candle["T"], "s": self.pair, "i": "1m"}
        told |= {"f": candle["f"], "L": candle["L"]}
        told |= {name: _price(candle[name]) for name in "ochl"}
        told |= {"v": _size(candle["v"]), "n": candle["n"], "x": closed}
        return "kline_1m", {"e": "kline", "E": now_ms, "s": self.pair, "k": told}

    def _best(self) -> tuple[int, int, int, int]:
        bid, ask = self._touch("b"), self._touch("a")
        return bid, self._books["b"][bid], ask, self._books["a"][ask]

    def _touch(self, side: str) -> int:
        return (max if side == "b" else min)(self._books[side])

    def _size(self) -> int:
        return self._chance.randrange(1, _SIZE_MAX)


def _level(price: int, size: int) -> list[str]:
    return [_price(price), _size(size)]


def _price(price: int) -> str:
    return f"{price // 100}.{price % 100:02d}000000"


def _size(size: int) -> str:
    return f"{size // 1000}.{size % 1000:03d}00000"
