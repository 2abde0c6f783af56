"""An exchange in Binance's words, made by chance: its trades, book, tickers, klines and snapshots.

Klines and tops of book are worked out here on their own, from decimals and whole books, so that
what the desk makes of the messages can be held to them.
"""

from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

import msgspec

from quantdesk.core.ticks import Frame

START_MS = 1_723_161_254_000
STEP_MS = 100
SKEW_MS = -1_272
"""Receive times of the real recording lie so much before the exchange's own."""

PAIR = "BTCUSDT"
_UNHEARD_MS = 3_000
_TICK = Decimal("0.01")
_LOT = Decimal("0.00001")


@dataclass
class _Minute:
    open_ms: int
    prices: list[Decimal] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    volume: Decimal = Decimal(0)


class Exchange:
    """One market, spot or USD-M; `frames` are what a recorder hears of it."""

    def __init__(
        self, *, seed: int = 1, futures: bool = False, quiet_from_s: int = 1 << 30
    ) -> None:
        self._chance = Random(seed)
        self._futures = futures
        self._quiet_from_ms = START_MS + quiet_from_s * 1000
        self.source = "binance.futures" if futures else "binance"
        self.now_ms = START_MS - _UNHEARD_MS
        self.frames: list[Frame] = []
        self._last_ns = 0
        self._update = self._told = 50_093_239_188
        self._trade_id = 3_735_683_258
        self._minute: _Minute | None = None
        self._traded_ms = 0
        self._last = Decimal(60_000)
        middle = 6_000_000
        self.bids = {middle - 1 - step: self._size() for step in range(300)}
        self.asks = {middle + step: self._size() for step in range(300)}

    def run(self, seconds: int, *, snapshot_at_s: float = 0.35) -> list[Frame]:
        """Let time pass, with one snapshot on the way; return all frames so far."""
        if self.now_ms < START_MS:
            seconds += _UNHEARD_MS // 1000
        snapshot_ms = max(self.now_ms, START_MS) + int(snapshot_at_s * 1000)
        for _ in range(seconds * 1000 // STEP_MS):
            self._step()
            if self.now_ms - STEP_MS <= snapshot_ms < self.now_ms:
                self.snapshot()
        return self.frames

    def snapshot(self) -> None:
        """Answer a request for the whole book."""
        body = {"lastUpdateId": self._update, "bids": self._levels(self.bids, best=max),
                "asks": self._levels(self.asks, best=min)}  # fmt: skip
        self._hear(body, feed=f"depth:{PAIR}")

    def tops(self) -> tuple[tuple[str, str], tuple[str, str]]:
        """Return the best bid and ask."""
        bid, ask = max(self.bids), min(self.asks)
        return _level(bid, self.bids[bid]), _level(ask, self.asks[ask])

    def _step(self) -> None:
        self._roll(self.now_ms)
        first, changed = 0, {"b": dict[int, Decimal](), "a": dict[int, Decimal]()}
        for _ in range(self._chance.choice((0, 1, 1, 3, 8))):
            self._update += self._chance.choice((1, 5, 900)) if self._futures else 1
            first = first or self._update
            self._change(changed)
            if self.now_ms < self._quiet_from_ms and self._chance.random() < 0.3:
                self._trade()
        self.now_ms += STEP_MS
        if first:
            self._say_diff(first, changed)

    def _change(self, changed: dict[str, dict[int, Decimal]]) -> None:
        """Place, resize or take away one level, never crossing the other side."""
        name = self._chance.choice("ba")
        side, best = (self.bids, max(self.bids)) if name == "b" else (self.asks, min(self.asks))
        away = -1 if name == "b" else 1
        limit = min(self.asks) - 1 if name == "b" else max(self.bids) + 1
        price = best + away * int(self._chance.expovariate(0.3) - 2)
        price = min(price, limit) if name == "b" else max(price, limit)
        before = self.tops()
        if price in side and len(side) > 250 and self._chance.random() < 0.5:
            del side[price]
            changed[name][price] = Decimal(0)
        else:
            side[price] = changed[name][price] = self._size()
        if self.tops() != before:
            self._say_ticker()

    def _trade(self) -> None:
        sold = self._chance.random() < 0.5
        price = (max(self.bids) if sold else min(self.asks)) * _TICK
        quantity, at_ms = self._size(), self.now_ms + self._chance.randrange(STEP_MS)
        at_ms = self._traded_ms = max(at_ms, self._traded_ms)
        self._trade_id += 1
        self._count(price, quantity)
        said = {"e": "trade", "E": at_ms + 1, "s": PAIR, "t": self._trade_id, "p": f"{price:.8f}",
                "q": f"{quantity:.8f}", "T": at_ms, "m": sold}  # fmt: skip
        self._hear({"stream": "btcusdt@trade", "data": said | ({"X": "MARKET"} if self._futures
                    else {"M": True})}, at_ms=at_ms + 1)  # fmt: skip

    def _count(self, price: Decimal, quantity: Decimal) -> None:
        assert self._minute is not None
        self._minute.prices.append(price)
        self._minute.ids.append(self._trade_id)
        self._minute.volume += quantity
        self._last = price

    def _roll(self, at_ms: int) -> None:
        open_ms = at_ms - at_ms % 60_000
        if self._minute and self._minute.open_ms < open_ms:
            self._say_kline(self._minute)
            self._minute = None
        self._minute = self._minute or _Minute(open_ms)

    def _say_kline(self, minute: _Minute) -> None:
        prices = minute.prices or [self._last]
        ids = minute.ids or [-1]
        k = {"t": minute.open_ms, "T": minute.open_ms + 59_999, "s": PAIR, "i": "1m", "f": ids[0],
             "L": ids[-1], "o": f"{prices[0]:.8f}", "c": f"{prices[-1]:.8f}",
             "h": f"{max(prices):.8f}", "l": f"{min(prices):.8f}", "v": f"{minute.volume:.8f}",
             "n": len(minute.ids), "x": True}  # fmt: skip
        said = {"e": "kline", "E": self.now_ms, "s": PAIR, "k": k}
        self._hear({"stream": "btcusdt@kline_1m", "data": said})

    def _say_ticker(self) -> None:
        (bid, bid_size), (ask, ask_size) = self.tops()
        said: dict[str, Any] = {"u": self._update, "s": PAIR, "b": bid, "B": bid_size, "a": ask,
                                "A": ask_size}  # fmt: skip
        if self._futures:
            said |= {"e": "bookTicker", "E": self.now_ms, "T": self.now_ms}
        self._hear({"stream": "btcusdt@bookTicker", "data": said})

    def _say_diff(self, first: int, changed: dict[str, dict[int, Decimal]]) -> None:
        said: dict[str, Any] = {"e": "depthUpdate", "E": self.now_ms, "s": PAIR, "U": first,
                                "u": self._update}  # fmt: skip
        if self._futures:
            said |= {"T": self.now_ms, "pu": self._told}
        self._told = self._update
        sides = {name: [_level(*one) for one in side.items()] for name, side in changed.items()}
        self._hear({"stream": "btcusdt@depth@100ms", "data": said | sides})

    def _levels(self, side: dict[int, Decimal], *, best: Any) -> list[tuple[str, str]]:  # noqa: ANN401
        return [_level(*one) for one in sorted(side.items(), reverse=best is max)]

    def _size(self) -> Decimal:
        return self._chance.randrange(1, 500_000) * _LOT

    def _hear(self, body: object, *, feed: str = "ws", at_ms: int | None = None) -> None:
        at_ms = self.now_ms if at_ms is None else at_ms
        if self.now_ms < START_MS:
            return
        self._last_ns = max((at_ms + SKEW_MS) * 1_000_000, self._last_ns + 1)
        data = msgspec.json.encode(body)
        self.frames.append(Frame(self.source, feed, self._last_ns, data))


def _level(ticks: int, size: Decimal) -> tuple[str, str]:
    return f"{ticks * _TICK:.8f}", f"{size:.8f}"
