"""A generated exchange, and copies of it with faults planted: what each must come to."""

from collections.abc import Callable, Iterable, Sequence
from functools import cache
from itertools import chain
from random import Random

import msgspec
import pytest
from tests.unit.ingest.exchange import START_MS, Exchange
from tests.unit.ingest.playing import Found, events, play

from quantdesk.core.ticks import Diff, Event, Frame, Kline, Trade
from quantdesk.ingest.books.sync import BookState

Said = Sequence[tuple[Event, Frame]]
SECONDS = 175


@cache
def said(*, futures: bool = False, seed: int = 1, quiet_from_s: int = 1 << 30) -> Said:
    exchange = Exchange(seed=seed, futures=futures, quiet_from_s=quiet_from_s)
    return tuple(events(exchange.run(SECONDS)))


def places(what: Said, kind: type) -> list[int]:
    return [at for at, (event, _) in enumerate(what) if isinstance(event, kind)]


def same_tops(found: Found) -> bool:
    return all(found.tops[update] == found.tickers[update] for update in found.compared)


@pytest.mark.parametrize("futures", [False, True])
@pytest.mark.parametrize("seed", [1, 2])
def test_that_books_and_candles_are_the_exchanges_own(*, futures: bool, seed: int) -> None:
    found = play(said(futures=futures, seed=seed))
    assert found.reasons == [""]
    assert len(found.compared) > 300
    assert same_tops(found)
    assert (found.klines, found.counted("reconciled")) == (3, 2)
    minutes = list(found.of("1m").values())
    # Of the first minute only the end was heard: the exchange's own stands for it.
    assert [(one.origin, one.reconciled, one.gap) for one in minutes] == [
        ("exchange", True, False), ("trades", True, False), ("trades", True, False),
    ]  # fmt: skip
    assert not found.mismatches
    assert found.counted("missing") == found.counted("late") == 0


def test_that_a_quiet_market_has_flat_candles_that_the_exchange_confirms() -> None:
    found = play(said(quiet_from_s=60))
    first, second, third = found.of("1m").values()
    assert (second.flat, third.flat) == (False, True)
    assert third.open == third.high == third.low == third.close == second.close
    assert (third.volume, third.trades, third.reconciled) == ("0", 0, True)
    assert first.reconciled
    assert second.reconciled


@pytest.mark.parametrize("futures", [False, True])
def test_that_a_lost_diff_spoils_the_book_until_a_snapshot_bridges(*, futures: bool) -> None:
    whole = said(futures=futures)
    lost = places(whole, Diff)[700]
    found = play(without(whole, [lost]))
    assert found.reasons == ["", "gap"]
    assert found.asked == [(whole[0][1].source, "BTC")] * len(found.asked)
    assert 4 <= len(found.asked) <= 10
    assert same_tops(found)
    view = found.books.view(whole[0][1].source, "BTC", "USDT", levels=5)
    assert (view.state, view.bids, view.asks) == (BookState.DIRTY, (), ())


def test_that_a_snapshot_after_a_gap_makes_the_book_good_again() -> None:
    exchange = Exchange(seed=3)
    exchange.run(60)
    before = len(exchange.frames)
    exchange.run(1)
    after = list(events(exchange.run(60, snapshot_at_s=1)[before:]))
    lost = places(after, Diff)[2]
    found = play(chain(events(exchange.frames[:before]), after[:lost], after[lost + 1 :]))
    assert found.reasons == ["", "gap", ""]
    assert same_tops(found)
    view = found.books.top("binance", "BTC", "USDT")
    assert (view.bids[0], view.asks[0]) == exchange.tops()


def twice(what: Said) -> Said:
    """Hear everything by two connections, the second a little later."""
    late = [(at + 25, pair) for at, pair in enumerate(what)]
    return [pair for _, pair in sorted(chain(enumerate(what), late), key=lambda one: one[0])]


def swapped(what: Said) -> Said:
    """Exchange two diffs that follow each other."""
    first, second = places(what, Diff)[500:502]
    swap = {first: what[second], second: what[first]}
    return [swap.get(at, pair) for at, pair in enumerate(what)]


def shuffled_trades(what: Said) -> Said:
    """Turn each ten trades round, all of them within the lateness."""
    at = places(what, Trade)
    order = list(chain.from_iterable(reversed(at[n : n + 10]) for n in range(0, len(at), 10)))
    swap = dict(zip(at, (what[one] for one in order), strict=True))
    return [swap.get(one, pair) for one, pair in enumerate(what)]


@pytest.mark.parametrize(
    ("plant", "reasons", "duplicates"),
    [(twice, [""], True), (swapped, ["", "gap", ""], False), (shuffled_trades, [""], False)],
)
def test_that_what_loses_nothing_changes_nothing(
    *, plant: Callable[[Said], Said], reasons: list[str], duplicates: bool
) -> None:
    whole = said()
    plain, found = play(whole), play(plant(whole))
    assert found.reasons == reasons
    assert (found.counted("duplicate") > 0) == duplicates
    assert same_tops(found)
    assert not [key for key in plain.closed if found.closed.get(key) != plain.closed[key]]
    assert found.emitted == plain.emitted


@pytest.mark.parametrize("futures", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_that_no_top_of_a_book_in_sync_is_ever_wrong(*, seed: int, futures: bool) -> None:
    exchange, chance = Exchange(seed=seed, futures=futures), Random(seed)
    for _ in range(20):
        exchange.run(4)
    heard: list[tuple[Event, Frame]] = []
    for pair in events(exchange.frames):
        draw = chance.random() if isinstance(pair[0], Diff) else 0.5
        heard.extend([pair] * (0 if draw < 0.01 else 2 if draw < 0.1 else 1))
        if draw > 0.97 and len(heard) > 1:
            heard[-2:] = heard[:-3:-1]
    found = play(heard)
    assert found.counted("gap") > 5
    assert found.counted("bridged") > 3
    assert found.counted("duplicate") > 20
    assert len(found.compared) > 100
    assert same_tops(found)


def without(what: Said, lost: Iterable[int]) -> Said:
    gone = set(lost)
    return [pair for at, pair in enumerate(what) if at not in gone]


def in_minute(what: Said, number: int) -> list[int]:
    """Return where the trades of a minute stand, counted from the one the recording begins in."""
    first = START_MS // 60_000
    trades = ((at, event) for at, (event, _) in enumerate(what) if isinstance(event, Trade))
    return [at for at, trade in trades if trade.event_ms // 60_000 - first == number]


def test_that_lost_trades_mark_their_candles_which_the_exchanges_replace() -> None:
    whole = said()
    plain = play(whole)
    lost = in_minute(whole, 1)[20:24]
    found = play(without(whole, lost))
    assert found.counted("missing") == 4
    assert found.counted("replaced") == 2  # the first minute, and this one
    assert [one.open_ms for one in found.of("1s").values() if one.gap]
    minute, expected = list(found.of("1m").values())[1], list(plain.of("1m").values())[1]
    assert (minute.origin, minute.gap, minute.revision) == ("exchange", False, 1)
    assert minute.quote_volume is None
    assert msgspec.structs.replace(
        minute, origin="trades", revision=0,
        quote_volume=expected.quote_volume, taker_buy_volume=expected.taker_buy_volume,
    ) == expected  # fmt: skip
    assert not found.mismatches


def test_that_without_the_exchanges_candles_lost_trades_leave_gaps() -> None:
    whole = said()
    lost = in_minute(whole, 1)[20:24]
    found = play([
        pair for pair in without(whole, lost) if not isinstance(pair[0], Kline)
    ])  # fmt: skip
    assert [one.gap for one in found.of("1m").values()] == [True, True, False]
    assert {one.origin for one in found.of("1m").values()} == {"trades"}


def test_that_the_end_of_a_minute_that_never_came_is_known_by_its_last_id() -> None:
    whole = said()
    lost = in_minute(whole, 1)[-3:]
    rest = [at for minute in (2, 3) for at in in_minute(whole, minute)]
    found = play(without(whole, [*lost, *rest]))
    minute = list(found.of("1m").values())[1]
    assert (minute.origin, minute.reconciled) == ("exchange", True)
    assert not found.mismatches


def test_that_a_candle_of_the_exchange_that_lies_is_shown_beside_ours() -> None:
    whole = list(said())
    at = places(whole, Kline)[1]
    kline, frame = whole[at]
    assert isinstance(kline, Kline)
    whole[at] = (msgspec.structs.replace(kline, high=f"{float(kline.high) * 1.05:.8f}"), frame)
    found = play([*whole, whole[at]])
    (mismatch,) = found.mismatches
    assert found.counted("mismatch") == 1
    ours = list(found.of("1m").values())[1]
    assert mismatch.ours == ours
    assert (ours.origin, ours.reconciled) == ("trades", False)
    assert float(mismatch.theirs.high) > float(ours.high)
    assert mismatch.theirs.origin == "exchange"


def test_that_the_same_frames_give_the_same_bytes() -> None:
    whole = said()
    one, other = play(whole), play(whole)
    encode = msgspec.json.encode
    assert encode(list(one.closed.values())) == encode(list(other.closed.values()))
    assert encode(list(one.tops.items())) == encode(list(other.tops.items()))
