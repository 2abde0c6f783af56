"""Books and candles: diffs applied and trades counted per second, at 10 and at 1,000 symbols.

    python -m benches.books

Diffs are of 1.6 kB as Binance sends them (50 levels, most of them near the best price) on books of
1,000 levels a side; trades come 20 a second and symbol, and every window of theirs is closed and
told. Decoding is not counted. Times are of the CPU: other programs do not count. The promise is
that neither costs much more per message with a hundred times the symbols.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from random import Random

import msgspec

from benches.figures import markdown, table
from quantdesk.core.ticks import Depth, Diff, Frame, Trade
from quantdesk.ingest.books.books import Books
from quantdesk.ingest.candles.candles import Candles

SYMBOLS = (10, 1_000)
GROWTH_MAX = 2.0
DIFF_BYTES = 1_600
START_MS = 1_723_161_254_000
HEADS = ("what", "symbols", "messages", "per second", "µs each", "µs p99")
_LEVELS = 1_000
_CHANGES = 50
_LATE_MS = 40
Feed = Sequence[Callable[[], None]]


def _price(ticks: int) -> str:
    return f"{ticks / 100:.8f}"


def _depth(symbol: str) -> Depth:
    bids = [(_price(6_000_000 - 7 * step), "1.50000000") for step in range(_LEVELS)]
    asks = [(_price(6_000_001 + 7 * step), "1.50000000") for step in range(_LEVELS)]
    return Depth(symbol, "USDT", 0, bids, asks)


def _changes(chance: Random, best: int, away: int) -> list[tuple[str, str]]:
    return [
        (
            _price(best + away * int(chance.expovariate(1 / 300))),
            "0.00000000" if chance.random() < 0.4 else f"{chance.random():.8f}",
        )
        for _ in range(_CHANGES // 2)
    ]


def _diffs(symbols: int, count: int, chance: Random) -> list[tuple[Diff, Frame]]:
    # A price each time a new string, as a decoder makes them.
    said, last = [], dict.fromkeys(range(symbols), 0)
    for number in range(count):
        at = number % symbols
        last[at] += 1
        bids, asks = _changes(chance, 6_000_000, -1), _changes(chance, 6_000_001, 1)
        ms = START_MS + number * 100 // symbols
        diff = Diff(f"S{at}", "USDT", last[at], last[at], bids, asks, ms)
        said.append((diff, Frame("binance", "ws", (ms + _LATE_MS) * 1_000_000, b"")))
    return said


def _trades(symbols: int, count: int, chance: Random) -> list[tuple[Trade, Frame]]:
    said = []
    for number in range(count):
        ms = START_MS + number * 50 // symbols
        price, size = _price(6_000_000 + chance.randrange(100)), f"{chance.random() + 1e-3:.8f}"
        trade = Trade(f"S{number % symbols}", "USDT", price, size, number // symbols, ms)
        said.append((trade, Frame("binance", "ws", (ms + _LATE_MS) * 1_000_000, b"")))
    return said


def _books(symbols: int, count: int, chance: Random) -> Feed:
    books = Books(resync=lambda *_: None)
    diffs = _diffs(symbols, count, chance)
    heard = Frame("binance", "ws", START_MS * 1_000_000, b"")
    for at in range(symbols):
        books.diff(Diff(f"S{at}", "USDT", 0, 0, [], [], START_MS), heard)
        books.depth(_depth(f"S{at}"), heard)
    size = sum(len(msgspec.json.encode((one.bids, one.asks))) for one, _ in diffs[:100]) / 100
    assert abs(size - DIFF_BYTES) < DIFF_BYTES / 10, f"{size} bytes a diff"
    return [partial(books.diff, *one) for one in diffs]


def _candles(symbols: int, count: int, chance: Random) -> Feed:
    candles = Candles()
    closed: list[int] = []
    candles.on_candle(lambda one: closed.append(one.trades))
    trades = _trades(symbols, count, chance)
    return [partial(candles.trade, *one) for one in trades]


def _measured(feed: Feed) -> list[float]:
    clock, took = time.process_time, []
    gc.collect()
    gc.freeze()
    for one in feed:
        began = clock()
        one()
        took.append(clock() - began)
    gc.unfreeze()
    return took


def main() -> int:
    """Measure and print; 0 when cost per message stays flat."""
    parser = argparse.ArgumentParser(prog="python -m benches.books")
    parser.add_argument("--messages", type=int, default=100_000, help="per case, at least")
    asked = parser.parse_args()
    lines, growth = [], dict[str, list[float]]()
    for what, make in (("diffs", _books), ("trades", _candles)):
        for symbols in SYMBOLS:
            count = max(asked.messages, 20 * symbols)
            took = _measured(make(symbols, count, Random(1)))
            each = sum(took) / count * 1e6
            growth.setdefault(what, []).append(each)
            p99 = sorted(took)[count * 99 // 100] * 1e6
            lines.append(
                (
                    *(what, str(symbols), str(count), f"{1e6 / each:,.0f}"),
                    *(f"{each:.2f}", f"{p99:.1f}"),
                )
            )
    kept = all(many / few <= GROWTH_MAX for few, many in growth.values())
    print(table(HEADS, lines))
    print(f"\npromise: at {SYMBOLS[1]:,} symbols at most {GROWTH_MAX:g} times the cost of a few")
    print("\n" + markdown(HEADS, lines))
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
