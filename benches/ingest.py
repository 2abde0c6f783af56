"""Market data in isolation: bytes of a book ticker decoded, normalized and validated, one thread.

    python -m benches.ingest [RECORDING]

Promises: at least 500,000 messages per second and core, and a cost per message that does not grow
from 10 to 1,000 symbols by more than half. Then what an order pays to read two agreed prices with
their provenance, right after a tick (worked out anew) and once more (remembered). Times are of the
CPU. Messages are spot's combined streams, 50,000 a second; with a recording (`<ns> <json>` lines,
gzip) its own book tickers are read too.
"""

import gzip
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from functools import partial
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from string import ascii_uppercase

from benches.figures import markdown, table
from quantdesk.core.ticks import Frame, Oracle, Quote
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate
from quantdesk.sources.words import binance

RATE_MIN = 500_000
GROWTH_MAX = 1.5
MESSAGES = 100_000
ROUNDS = 7
SPACING_NS = 20_000
WARM = 2_000
NOW_NS = 1_700_000_000_000_000_000
HEADS = ("messages", "read, ns", "gate and board, ns", "all, ns", "messages/s", "promise")


def named(number: int) -> str:
    """Return a name of letters alone, so that no two pairs' messages have one shape."""
    return "".join(ascii_uppercase[number // 26**place % 26] for place in range(3))


def written(symbols: int) -> list[Frame]:
    """Return book tickers of so many symbols in turn, every price another than the one before."""
    frames = []
    for number in range(MESSAGES):
        pair = f"{named(number % symbols)}USDT"
        price = 1_000 + number % symbols + (number // symbols % 89) * 0.01
        data = (
            f'{{"stream":"{pair.lower()}@bookTicker","data":{{"u":{number + 1},"s":"{pair}",'
            f'"b":"{price:.8f}","B":"3.78826000","a":"{price + 0.01:.8f}","A":"1.54698000"}}}}'
        )
        frames.append(Frame("binance", "ws", NOW_NS + number * SPACING_NS, data.encode()))
    return frames


def recorded(path: Path) -> list[Frame]:
    """Return the book tickers of a recording."""
    frames = []
    with gzip.open(path, "rb") as lines:
        for line in lines:
            stamp, _, data = line.strip().partition(b" ")
            if b"@bookTicker" in data[:60]:
                frames.append(Frame("recorded.binance", "ws", int(stamp), data))
    return frames


def per_message_ns(prepare: Callable[[], Callable[[], object]], messages: int) -> float:
    """Return the CPU time a message takes; the least of some rounds, as others use the machine."""
    took = []
    for _ in range(ROUNDS):
        run = prepare()
        began = time.process_time_ns()
        run()
        took.append((time.process_time_ns() - began) / messages)
    return min(took)


def read_only(frames: Sequence[Frame]) -> None:
    """Read frames and do nothing with what they say."""
    for frame in frames:
        for _ in binance.read(frame.data, frame.feed):
            pass


def validated(frames: Sequence[Frame], gate: Gate) -> Gate:
    """Take frames all the way to the board."""
    read, quote = binance.read, gate.quote
    for frame in frames:
        for event in read(frame.data, frame.feed):
            assert isinstance(event, Quote)
            quote(event, frame)
    return gate


def warm(frames: Sequence[Frame]) -> Gate:
    """Return a gate that knows every feed already."""
    return validated(frames[:WARM], Gate(Board(assume={"USDT": Decimal(1)})))


def row(name: str, frames: Sequence[Frame]) -> tuple[float, tuple[str, ...]]:
    """Return nanoseconds per message, and the line that shows them."""
    rest = frames[WARM:]
    rejected = validated(rest, warm(frames)).rejections.counts
    assert not rejected, f"true messages are accepted, not {rejected}"
    reading = per_message_ns(lambda: partial(read_only, rest), len(rest))
    whole = per_message_ns(lambda: partial(validated, rest, warm(frames)), len(rest))
    return whole, (
        name,
        *(f"{reading:,.0f}", f"{whole - reading:,.0f}", f"{whole:,.0f}"),
        *(f"{1e9 / whole:,.0f}", f">= {RATE_MIN:,}"),
    )


def order_reads_us(sources: int) -> tuple[float, float]:
    """Return microseconds to read two agreed prices with provenance: after a tick, and again."""
    board = Board()
    gate = Gate(board)
    spoken = [one for one in _spoken(8_000) if sources > 1 or one[1].source == "pyth"]
    after_a_tick, again = list[int](), list[int]()
    for number, (event, frame) in enumerate(spoken):
        gate.take(event, frame)
        if number < WARM // 10:
            continue
        for spent in (after_a_tick, again):
            began = time.process_time_ns()
            for symbol in ("SOL", "USDC"):
                board.fresh(symbol, now_ms=frame.received_ms, age_ms_max=10_000)
                board.provenance(symbol, now_ms=frame.received_ms)
            spent.append(time.process_time_ns() - began)
    return median(after_a_tick) / 1e3, median(again) / 1e3


def _spoken(number: int) -> Iterator[tuple[Quote | Oracle, Frame]]:
    """Yield an oracle on SOL and USDC and two books on SOL, in turn."""
    for step, kind in enumerate(islice(cycle(("USDC", "SOL", "USD", "USDC book")), number)):
        at_ns = NOW_NS + step * 1_000_000
        drift = step % 7
        if kind in {"USDC", "SOL"}:
            price = (100_000_000 if kind == "USDC" else 15_000_000_000) + drift * 1_000
            said = Oracle(kind, "USD", price, 10_000, -8, at_ns // 1_000_000, step)
            yield said, Frame("pyth", "sse", at_ns, b"")
        else:
            currency = kind.removesuffix(" book")
            bid, ask = f"{150 + drift * 1e-5:.8f}", f"{150.01 + drift * 1e-5:.8f}"
            book = Quote("SOL", currency, bid, "1", ask, "1", step + 1)
            yield book, Frame(f"venue.{currency}", "ws", at_ns, b"")


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 1 when a promise is missed."""
    small, few = row("10 symbols", written(10))
    large, many = row("1,000 symbols", written(1_000))
    lines, slowest = [few, many], max(small, large)
    if arguments:
        took, line = row(Path(arguments[0]).name, recorded(Path(arguments[0])))
        lines.append(line)
        slowest = max(slowest, took)
    print(table(HEADS, lines))
    print("\n" + markdown(HEADS, lines))
    print(f"\ngrowth from 10 to 1,000 symbols: {large / small:.2f} (promise <= {GROWTH_MAX})")
    for sources in (1, 3):
        fresh, again = order_reads_us(sources)
        print(
            f"an order's two prices with provenance, {sources} source(s):"
            f" {fresh:.1f} us after a tick, {again:.1f} us again"
        )
    return 0 if 1e9 / slowest >= RATE_MIN and large / small <= GROWTH_MAX else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
