"""Real recordings of Binance: books equal to the tickers, candles to the trades and the klines.

Every raw recording in ../shared/data is played, spot or futures, with klines or without; the bounds
that hold for any are checked for all, known figures for the one that is known.
"""

import gzip
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path

import msgspec
import pytest
from tests.unit.ingest.playing import Found, events, play

from quantdesk.core.ticks import Diff, Event, Frame, Trade
from quantdesk.ingest.candles.candles import Candles
from quantdesk.sources.words import binance

DATA = Path(__file__).parents[3].parent / "shared" / "data"
KNOWN = "binance_spot_btcusdt_raw_20240808.txt.gz"
FILES = sorted({KNOWN, *(path.name for path in DATA.glob("binance_*_raw_*.txt.gz"))})
SOURCE = "recorded.binance"
Said = tuple[tuple[Event, Frame], ...]


@cache
def said(name: str) -> Said:
    if not (DATA / name).is_file():
        pytest.skip(f"the real recording {name} is not in ../shared/data: NOT TESTED")
    return tuple(events(_frames(DATA / name)))


def _frames(path: Path) -> Iterator[Frame]:
    """Yield the lines of a recording; a snapshot is of the pair that the other messages name."""
    with gzip.open(path, "rb") as file:
        lines = [line.partition(b" ") for line in file]
    pair = next(filter(None, (binance.pair_named(data) for _, _, data in lines)))
    for received, _, data in lines:
        feed = "ws" if binance.pair_named(data) else binance.DEPTH_FEED + pair
        yield Frame(SOURCE, feed, int(received), data)


@cache
def played(name: str) -> Found:
    return play(said(name))


@pytest.mark.parametrize("name", FILES)
def test_that_books_have_no_gap_are_never_crossed_and_equal_the_tickers(name: str) -> None:
    found = played(name)
    assert found.reasons == [""]
    assert found.counted("bridged") == 1
    assert not [
        what for what in ("gap", "crossed", "restarted", "unreadable") if found.counted(what)
    ]
    assert len(found.compared) > 100
    assert all(found.tops[update] == found.tickers[update] for update in found.compared)
    assert all(Decimal(bid[0]) < Decimal(ask[0]) for bid, ask in found.tops.values())


def _of_trades(trades: list[Trade]) -> tuple[object, ...]:
    trades = sorted(trades, key=lambda one: one.trade_id)
    prices = [Decimal(one.price) for one in trades]
    volume = sum(Decimal(one.quantity) for one in trades)
    return (prices[0], max(prices), min(prices), prices[-1], volume, len(trades))


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize(
    ("interval", "length_ms"), [("1s", 1_000), ("15s", 15_000), ("1m", 60_000)]
)
def test_that_closed_candles_are_the_sum_of_their_trades(
    name: str, interval: str, length_ms: int
) -> None:
    found, groups = played(name), dict[int, list[Trade]]()
    for trade in found.trades:
        groups.setdefault(trade.event_ms - trade.event_ms % length_ms, []).append(trade)
    own = {ms: candle for ms, candle in found.of(interval).items() if candle.origin == "trades"}
    assert len(own) > 300_000 // length_ms - 2
    for open_ms, one in own.items():
        numbers = (one.open, one.high, one.low, one.close, one.volume)
        if one.flat:
            assert open_ms not in groups
        else:
            assert (*map(Decimal, numbers), one.trades) == _of_trades(groups[open_ms])
    # The recording begins and ends within a window; only those that began unheard are incomplete.
    assert [ms for ms, candle in own.items() if candle.gap] == [min(own)]
    assert not found.mismatches
    if found.klines > 1:
        assert found.counted("reconciled") >= found.klines - 1


def test_that_the_known_recording_gives_its_known_figures() -> None:
    found = played(KNOWN)
    assert (found.counted("applied"), found.counted("buffered")) == (3_448, 3)
    assert len(found.compared) == 564
    assert (found.counted("counted"), found.counted("missing"), found.counted("late")) == (
        9_757,
        0,
        0,
    )
    assert len(found.of("1m")) == 5


def test_that_candles_by_the_time_of_receipt_would_differ() -> None:
    found, naive = played(KNOWN), dict[int, object]()
    candles = Candles()
    candles.on_candle(
        lambda one: naive.update({one.open_ms: _prices(one)}) if one.interval == "5s" else None
    )
    for event, frame in said(KNOWN):
        if isinstance(event, Trade):
            candles.trade(msgspec.structs.replace(event, event_ms=frame.received_ms), frame)
    true = {ms: _prices(one) for ms, one in found.of("5s").items() if ms in naive}
    differing = [ms for ms in true if true[ms] != naive[ms]]
    assert len(true) > 60
    assert len(differing) > len(true) * 3 // 4


def _prices(candle: object) -> tuple[object, ...]:
    return tuple(getattr(candle, name) for name in ("open", "high", "low", "close"))


def test_that_a_gap_planted_in_the_known_recording_is_found() -> None:
    whole = said(KNOWN)
    lost = [at for at, (event, _) in enumerate(whole) if isinstance(event, Diff)][1_000]
    found = play([*whole[:lost], *whole[lost + 1 :]])
    assert found.reasons == ["", "gap"]
    assert all(found.tops[update] == found.tickers[update] for update in found.compared)


def test_that_the_known_recording_heard_twice_is_the_same_market() -> None:
    whole, once = said(KNOWN), played(KNOWN)
    late = ((at + 40, pair) for at, pair in enumerate(whole))
    twice = sorted([*enumerate(whole), *late], key=lambda one: one[0])
    found = play(pair for _, pair in twice)
    assert found.reasons == [""]
    assert found.counted("duplicate") > 13_000
    assert found.closed == once.closed
