"""Promise: a book in sync is the exchange's book, and one that may not be is none."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.binance.book import Book, Depth, Difference, Gap, difference
from quantdesk.core.errors import Unavailable


def _change(first: int, last: int, bids: dict[str, str] | None = None) -> Difference:
    return Difference(U=first, u=last, b=list((bids or {}).items()), a=[], s="X")


def _depth(at: int, bids: dict[str, str] | None = None) -> Depth:
    return Depth(at, list((bids or {}).items()), [("9", "1")])


def _bids(book: Book) -> list[list[str]]:
    told = msgspec.json.decode(book.told())
    bids: list[list[str]] = told["bids"]
    return bids


def test_that_differences_from_before_the_snapshot_are_dropped() -> None:
    book = Book()
    for change in (_change(5, 7, {"1": "7"}), _change(8, 10, {"1": "10"}), _change(11, 12)):
        assert not book.changed(change)

    assert book.start(_depth(10, {"1": "99"}))
    assert (book.update_id, _bids(book)) == (12, [["1", "99"]])


def test_that_the_difference_around_the_snapshot_is_applied() -> None:
    book = Book()
    book.changed(_change(8, 12, {"1": "12"}))

    assert book.start(_depth(10, {"1": "10"}))
    assert _bids(book) == [["1", "12"]]


def test_that_a_snapshot_older_than_the_first_difference_is_not_enough() -> None:
    book = Book()
    book.changed(_change(8, 9, {"1": "9"}))

    assert not book.start(_depth(7))
    assert book.update_id is None
    assert book.start(_depth(8, {"1": "8"}))
    assert _bids(book) == [["1", "9"]]


def test_that_a_gap_is_told() -> None:
    book = Book()
    book.start(_depth(10))
    book.changed(_change(11, 13))
    with pytest.raises(Gap):
        book.changed(_change(15, 16))


def test_that_a_gap_among_those_that_waited_is_told() -> None:
    book = Book()
    book.changed(_change(8, 12))
    book.changed(_change(14, 15))
    with pytest.raises(Gap):
        book.start(_depth(10))


def test_that_a_book_that_waited_too_long_is_told() -> None:
    book = Book()
    for at in range(2_000):
        book.changed(_change(at, at))
    with pytest.raises(Gap):
        book.start(_depth(1_999))


def test_that_a_level_of_nothing_is_taken_away_however_it_is_written() -> None:
    book = Book()
    book.start(_depth(1, {"1.50": "2", "1.4": "1"}))
    book.changed(_change(2, 2, {"1.5000": "0.000"}))

    assert _bids(book) == [["1.4", "1"]]


def test_that_old_news_changes_nothing() -> None:
    book = Book()
    book.start(_depth(10, {"1": "1"}))

    assert not book.changed(_change(3, 10, {"1": "5"}))
    assert _bids(book) == [["1", "1"]]


@pytest.mark.parametrize("raw", [b"", b"{}", b'{"U":1,"u":2,"s":"X","b":[["1"]],"a":[]}'])
def test_that_what_is_no_difference_is_told(raw: bytes) -> None:
    with pytest.raises(Unavailable):
        difference(raw)


@pytest.mark.parametrize("text", ["x", "NaN", "-1", "Infinity", ""])
def test_that_what_is_no_amount_is_told(text: str) -> None:
    book = Book()
    book.start(_depth(1))
    with pytest.raises(Unavailable):
        book.changed(_change(2, 2, {"1": text}))


@given(
    st.lists(st.tuples(st.integers(1, 9), st.integers(0, 3)), min_size=1, max_size=40),
    st.data(),
)
def test_that_wherever_the_snapshot_falls_the_book_is_the_same(
    changes: list[tuple[int, int]], data: st.DataObject
) -> None:
    states: list[dict[str, str]] = [{}]
    for price, quantity in changes:
        states.append({**states[-1], str(price): str(quantity)})
    events, at = [], 0
    while at < len(changes):
        last = min(len(changes), at + data.draw(st.integers(1, 4)))
        touched = {str(price) for price, _ in changes[at:last]}
        events.append(_change(at + 1, last, {price: states[last][price] for price in touched}))
        at = last
    snapshot = data.draw(st.integers(1, len(changes)))
    heard = data.draw(st.integers(0, len(events)))
    book = Book()
    for event in events[:heard]:
        book.changed(event)
    if not book.start(_depth(snapshot, {p: q for p, q in states[snapshot].items() if q != "0"})):
        pytest.fail("the stream was opened before")
    for event in events[heard:]:
        if event.u > snapshot:
            book.changed(event)

    expected = {p: q for p, q in states[-1].items() if q != "0"}
    assert {Decimal(price): quantity for price, quantity in _bids(book)} == {
        Decimal(price): quantity for price, quantity in expected.items()
    }
