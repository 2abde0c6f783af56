"""The books of all markets: who is told, who is asked, and what is shown of a book not in sync."""

import msgspec

from quantdesk.core.ticks import Depth, Diff, Frame
from quantdesk.ingest.books.books import BookNotice, Books
from quantdesk.ingest.books.sync import BookState

NOW = 1_700_000_000_000
MARKET = ("binance", "BTC", "USDT")


def frame(ms: int = NOW, source: str = "binance") -> Frame:
    return Frame(source, "ws", ms * 1_000_000, b"")


def diff(first: int, last: int, symbol: str = "BTC") -> Diff:
    return Diff(symbol, "USDT", first, last, [("99", "2")], [], NOW - 50)


def depth(last: int, symbol: str = "BTC") -> Depth:
    return Depth(symbol, "USDT", last, [("99", "1"), ("98", "1")], [("101", "1"), ("102", "4")])


def books() -> tuple[Books, list[tuple[str, str]], list[BookNotice], list[tuple[str, str, str]]]:
    asked: list[tuple[str, str]] = []
    notices: list[BookNotice] = []
    changed: list[tuple[str, str, str]] = []
    made = Books(resync=lambda *what: asked.append(what), books_max=2)
    made.on_notice(notices.append)
    made.on_change(changed.append)
    return made, asked, notices, changed


def test_that_a_book_is_asked_for_shown_and_told_of() -> None:
    made, asked, notices, changed = books()
    assert made.top(*MARKET).state is BookState.EMPTY
    made.diff(diff(5, 9), frame())
    assert asked == [("binance", "BTC")]
    assert made.top(*MARKET).bids == ()
    made.depth(depth(7), frame(NOW + 1))
    assert [(one.state, one.reason) for one in notices] == [(BookState.SYNCED, "")]
    made.diff(diff(10, 12), frame(NOW + 2))
    assert changed == [MARKET, MARKET]
    view = made.view(*MARKET, levels=2)
    assert (view.last_id, view.event_ms, view.received_ms) == (12, NOW - 50, NOW + 2)
    assert view.bids == (("99", "2"), ("98", "1"))
    assert view.asks == (("101", "1"), ("102", "4"))
    assert made.top(*MARKET).asks == (("101", "1"),)
    assert b'"lastId":12' in msgspec.json.encode(view)


def test_that_a_gap_hides_the_book_and_is_told() -> None:
    made, asked, notices, _ = books()
    made.diff(diff(5, 9), frame())
    made.depth(depth(7), frame())
    made.diff(diff(15, 16), frame(NOW + 61_000))
    assert notices[-1] == BookNotice(*MARKET, BookState.DIRTY, "gap", 5, NOW + 61_000)
    view = made.view(*MARKET, levels=5)
    assert (view.state, view.reason, view.bids, view.asks) == (BookState.DIRTY, "gap", (), ())
    assert (len(asked), made.counts["binance", "gap"], made.counts["binance", "asked"]) == (2, 1, 2)


def test_that_an_answer_that_does_not_come_is_asked_for_again_by_the_timer() -> None:
    made, asked, _, _ = books()
    made.diff(diff(5, 9), frame())
    made.advance(NOW + 999)
    assert len(asked) == 1
    made.advance(NOW + 1_000)
    made.advance(NOW + 1_001)
    assert len(asked) == 2


def test_that_a_reset_is_of_one_source() -> None:
    made, _, notices, _ = books()
    for source in ("binance", "recorded.binance"):
        made.diff(diff(5, 9), frame(source=source))
        made.depth(depth(7), frame(source=source))
    made.reset("binance", now_ms=NOW)
    assert [(one.source, one.reason) for one in notices[2:]] == [("binance", "skipped")]
    assert made.top("recorded.binance", "BTC", "USDT").state is BookState.SYNCED
    made.diff(diff(10, 10), frame())
    assert made.top("binance", "BTC", "USDT").state is BookState.SYNCED, "nothing was missed"


def test_that_a_book_of_which_nothing_is_heard_is_shown_no_more() -> None:
    made, _, notices, _ = books()
    for symbol in ("A", "B"):
        made.diff(diff(5, 9, symbol), frame())
        made.depth(depth(7, symbol), frame())
    made.advance(NOW + 10_000)
    assert len(notices) == 2
    made.diff(diff(10, 10, "B"), frame())
    made.advance(NOW + 10_001)
    made.advance(NOW + 20_000)
    assert {(one.symbol, one.reason) for one in notices[2:]} == {("A", "silent"), ("B", "silent")}
    view = made.top("binance", "A", "USDT")
    assert (view.state, view.bids, view.asks) == (BookState.DIRTY, (), ())


def test_that_markets_beyond_the_bound_are_counted_and_dropped() -> None:
    made, _, _, _ = books()
    for symbol in ("A", "B", "C"):
        made.diff(diff(5, 9, symbol), frame())
        made.depth(depth(7, symbol), frame())
    assert [symbol for _, symbol, _ in made.markets()] == ["A", "B"]
    assert made.counts["binance", "refused"] == 2
