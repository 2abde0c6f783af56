"""One book and its ids: what bridges, what follows, what spoils it, and when a snapshot is due."""

from collections.abc import Sequence
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Depth, Diff, Level
from quantdesk.ingest.books.book import Book
from quantdesk.ingest.books.sync import BookState, BookSync, Outcome

NOW = 1_700_000_000_000
BID, ASK = ("99.0", "1"), ("101.0", "1")


def spot(first: int, last: int, *bids: Level, event_ms: int = NOW) -> Diff:
    return Diff("BTC", "USDT", first, last, bids, (), event_ms)


def futures(first: int, last: int, previous: int, *bids: Level) -> Diff:
    return Diff("BTC", "USDT", first, last, bids, (), NOW, previous)


def snapshot(last: int, bids: Sequence[Level] = (BID,), asks: Sequence[Level] = (ASK,)) -> Depth:
    return Depth("BTC", "USDT", last, bids, asks)


def fed(*messages: Diff | Depth, buffer_max: int = 100) -> tuple[BookSync, list[str]]:
    sync, outcomes = BookSync(buffer_max=buffer_max), []
    for one in messages:
        take = sync.diff if isinstance(one, Diff) else sync.depth
        outcomes.append(str(take(one, now_ms=NOW)))  # type: ignore[arg-type]
    return sync, outcomes


@pytest.mark.parametrize(
    ("messages", "outcomes", "last_id"),
    [
        # Spot: U <= lastUpdateId + 1 <= u first, then U == previous u + 1.
        ([spot(5, 9), snapshot(7)], ["buffered", "bridged"], 9),
        ([spot(5, 9), snapshot(4)], ["buffered", "bridged"], 9),
        ([spot(5, 9), snapshot(9)], ["buffered", "bridged"], 9),
        ([spot(5, 9), snapshot(3)], ["buffered", "too_old"], 0),
        ([spot(5, 9), snapshot(10), spot(10, 12)], ["buffered", "held", "bridged"], 12),
        ([spot(5, 9), snapshot(10), spot(12, 14)], ["buffered", "held", "too_old"], 0),
        ([snapshot(7), spot(5, 9), spot(10, 12)], ["held", "bridged", "applied"], 12),
        ([spot(5, 9), snapshot(7), spot(11, 12)], ["buffered", "bridged", "gap"], 9),
        ([spot(5, 9), snapshot(7), spot(5, 9)], ["buffered", "bridged", "duplicate"], 9),
        ([spot(5, 9), snapshot(7), spot(8, 12)], ["buffered", "bridged", "applied"], 12),
        ([spot(5, 9), spot(12, 14), snapshot(7)], ["buffered", "buffered", "too_old"], 0),
        ([spot(5, 9), snapshot(7), snapshot(20)], ["buffered", "bridged", "unneeded"], 9),
        # Futures: U <= lastUpdateId <= u first, then pu == previous u; ids in between are others'.
        ([futures(5, 9, 3), snapshot(7)], ["buffered", "bridged"], 9),
        ([futures(5, 9, 3), snapshot(2)], ["buffered", "too_old"], 0),
        (
            [futures(5, 9, 3), snapshot(7), futures(15, 19, 9), futures(30, 31, 19)],
            ["buffered", "bridged", "applied", "applied"],
            31,
        ),
        (
            [futures(5, 9, 3), snapshot(7), futures(15, 19, 12)],
            ["buffered", "bridged", "gap"],
            9,
        ),
        # Late diffs fill the gap, and then no snapshot is needed.
        (
            [spot(5, 9), snapshot(7), spot(12, 14), spot(10, 11), spot(15, 15)],
            ["buffered", "bridged", "gap", "healed", "applied"],
            15,
        ),
        ([spot(5, 9, ("102", "1")), snapshot(7)], ["buffered", "crossed"], 0),
        (
            [spot(5, 9), snapshot(7), spot(10, 10, ("101.0", "1"))],
            ["buffered", "bridged", "crossed"],
            10,
        ),
        (
            [spot(5, 9), snapshot(7), spot(10, 10, ("nan", "1"))],
            ["buffered", "bridged", "unreadable"],
            9,
        ),
        ([spot(5, 9), snapshot(7, [("-1", "1")])], ["buffered", "unreadable"], 0),
        (
            [spot(50, 90), snapshot(70), spot(1, 2, event_ms=NOW + 5000)],
            ["buffered", "bridged", "restarted"],
            90,
        ),
    ],
)
def test_that_ids_decide(messages: list[Diff | Depth], outcomes: list[str], last_id: int) -> None:
    sync, seen = fed(*messages)
    assert seen == outcomes
    assert sync.last_id == last_id
    good = {"bridged", "applied", "healed", "duplicate", "unneeded"}
    assert (sync.state is BookState.SYNCED) == (outcomes[-1] in good)


def test_that_a_gap_says_how_much_is_missing() -> None:
    sync, _ = fed(spot(5, 9), snapshot(7), spot(15, 16))
    assert (sync.state, sync.reason, sync.missing) == (BookState.DIRTY, "gap", 5)


def test_that_the_oldest_diffs_fall_out_of_a_full_buffer() -> None:
    diffs = [spot(number, number) for number in range(1, 11)]
    sync, _ = fed(*diffs, buffer_max=4)
    assert sync.depth(snapshot(5), now_ms=NOW) is Outcome.TOO_OLD
    assert sync.depth(snapshot(6), now_ms=NOW) is Outcome.BRIDGED
    assert sync.last_id == 10


def test_that_one_snapshot_is_asked_for_at_a_time_and_ever_more_patiently() -> None:
    sync = BookSync()
    assert not sync.due(NOW)  # no changes flow yet
    sync.diff(spot(5, 9), now_ms=NOW)
    asked = [ms for ms in range(0, 120_000, 100) if sync.due(NOW + ms)]
    assert asked == [0, 1_000, 3_000, 7_000, 15_000, 31_000, 61_000, 91_000]
    sync.depth(snapshot(7), now_ms=NOW + 120_000)
    assert not sync.due(NOW + 200_000)
    # In sync for a minute: the next trouble is dealt with at once again.
    sync.diff(spot(20, 20), now_ms=NOW + 181_000)
    assert sync.due(NOW + 181_000)
    assert not sync.due(NOW + 181_900)
    assert sync.due(NOW + 182_000)


def test_that_a_book_that_breaks_at_once_again_does_not_hurry() -> None:
    sync, _ = fed(spot(5, 9))
    assert sync.due(NOW)
    sync.depth(snapshot(7), now_ms=NOW)
    sync.diff(spot(20, 20), now_ms=NOW + 10)
    assert not sync.due(NOW + 10)
    assert sync.due(NOW + 1_000)


def test_that_silence_spoils_the_book_unless_nothing_was_missed() -> None:
    sync, _ = fed(spot(5, 9), snapshot(7))
    assert not sync.hush(now_ms=NOW + 10_000)
    assert sync.hush(now_ms=NOW + 10_001)
    assert not sync.hush(now_ms=NOW + 10_002), "told once"
    assert (sync.state, sync.reason) == (BookState.DIRTY, "silent")
    assert sync.diff(spot(10, 11), now_ms=NOW + 11_000) is Outcome.HEALED
    assert sync.hush(now_ms=NOW + 21_001)
    assert sync.diff(spot(13, 14), now_ms=NOW + 22_000) is Outcome.BUFFERED
    assert sync.state is BookState.DIRTY
    assert sync.depth(snapshot(12), now_ms=NOW + 22_000) is Outcome.BRIDGED


def test_that_a_worn_book_is_renewed_without_ever_going_bad() -> None:
    bids = [(f"{1000 - step}", "1") for step in range(200)]
    sync, _ = fed(spot(5, 9), snapshot(7, bids, [("1001", "1")]))
    gone = [(price, "0") for price, _ in bids[:190]]
    assert sync.diff(spot(10, 10, *gone), now_ms=NOW) is Outcome.APPLIED
    assert sync.due(NOW)
    assert sync.depth(snapshot(11, bids, [("1001", "1")]), now_ms=NOW) is Outcome.HELD
    assert sync.diff(spot(11, 12, ("1000", "7")), now_ms=NOW) is Outcome.APPLIED
    assert sync.state is BookState.SYNCED
    assert sync.book is not None
    assert sync.book.bids.top(2) == (("1000", "7"), ("999", "1"))
    assert not sync.due(NOW + 60_000)


CHANGE = st.tuples(st.integers(1, 40), st.integers(0, 3))


@given(st.lists(st.lists(CHANGE, max_size=8), max_size=20), st.integers(1, 12))
def test_that_a_book_is_what_its_changes_say(
    changes: list[list[tuple[int, int]]], most: int
) -> None:
    start = [(str(price), "5") for price in range(40, 0, -3)]
    book, true = Book(snapshot(0, start, ())), {int(price): size for price, size in start}
    for number, change in enumerate(changes, 1):
        book.apply(
            Diff("B", "U", number, number, [(f"{p}.00", f"{s}.0") for p, s in change], (), 0)
        )
        for price, size in change:
            true.pop(price, None)
            if size:
                true[price] = f"{size}.0"
    best = sorted(true, reverse=True)
    assert [(float(p), s) for p, s in book.bids.top(most)] == [(p, true[p]) for p in best[:most]]
    assert len(book.bids.top(99)) == len(true)


def test_that_the_worst_levels_go_first_when_there_are_too_many() -> None:
    chance = Random(5)
    book = Book(snapshot(0, (), ()), levels_max=50)
    for number in range(300):
        asks = [(str(chance.randrange(1, 1000)), "1") for _ in range(5)]
        book.apply(Diff("B", "U", number, number, (), asks, 0))
        assert len(book.asks.levels) == len(book.asks.keys) <= 50
    assert not book.partial(50)
    (best, _), *_ = book.asks.top(1)
    book.apply(Diff("B", "U", 300, 300, (), [(best, "0"), ("5000", "1")], 0))
    assert (book.partial(50), book.partial(49)) == (True, False)


@pytest.mark.parametrize("level", [("x", "1"), ("1", ""), ("0", "1"), ("inf", "1"), ("1", "-2")])
def test_that_a_level_that_makes_no_sense_is_refused(level: Level) -> None:
    with pytest.raises(Corrupt) as caught:
        Book(snapshot(1, [level]))
    assert caught.value.code == "book.unreadable"
