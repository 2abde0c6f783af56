"""Whatever comes, in any order, by any clock: the gate never raises and never takes nonsense."""

from decimal import Decimal
from math import isfinite
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.ticks import Frame, Mark, Oracle, Quote, Trade
from quantdesk.core.validity import Validity
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate
from quantdesk.ingest.outliers import PriceEvent

NS = 1_000_000
NOW_MS = 1_700_000_000_000

SOURCES = st.sampled_from(["binance", "binance.futures", "pyth", "recorded.binance"])
SYMBOLS = st.sampled_from(["BTC", "USDT", "USDC", "AAPL"])
CURRENCIES = st.sampled_from(["USD", "USDT", "USDC", "BTC"])
NUMBERS = st.one_of(
    st.floats(90, 110).map(lambda price: f"{price:.4f}"),
    st.sampled_from(["100", "100.1", "0", "-1", "nan", "inf", "-inf", "1e400", "1e-400", "", " 7 ",
                     "1_0", "0x1", "\u0661\u0660", "1e15",
                     "1e-15", "9" * 400, "100\x00", "NaN123", "+5"]),
    st.text(max_size=8),
)  # fmt: skip
IDS = st.one_of(st.integers(0, 12), st.integers(-(1 << 70), 1 << 70))
TIMES = st.one_of(
    st.integers(NOW_MS - 12_000, NOW_MS + 12_000),
    st.sampled_from([0, -1, NOW_MS + 10**8, NOW_MS * 1_000, 253_402_300_799_999, 1 << 62]),
)
INTEGERS = st.one_of(st.integers(90, 110), st.integers(-(1 << 1100), 1 << 1100))

QUOTES = st.builds(
    Quote, SYMBOLS, CURRENCIES, NUMBERS, NUMBERS, NUMBERS, NUMBERS, IDS, st.none() | TIMES
)
TRADES = st.builds(Trade, SYMBOLS, CURRENCIES, NUMBERS, NUMBERS, IDS, TIMES)
ORACLES = st.builds(
    Oracle, SYMBOLS, CURRENCIES, INTEGERS, INTEGERS, st.integers(-60, 60), TIMES, IDS
)
MARKS = st.builds(Mark, SYMBOLS, CURRENCIES, NUMBERS, NUMBERS, NUMBERS, TIMES, TIMES)
ARRIVALS = st.one_of(
    st.integers(NOW_MS, NOW_MS + 20_000).map(lambda ms: ms * NS), st.integers(0, (1 << 63) - 1)
)
MESSAGES = st.lists(
    st.tuples(st.one_of(QUOTES, TRADES, ORACLES, MARKS), SOURCES, ARRIVALS), max_size=40
)


def prices(event: PriceEvent) -> list[Decimal]:
    """Return the prices in an event."""
    if isinstance(event, Quote):
        return [Decimal(event.bid), Decimal(event.ask)]
    if isinstance(event, Oracle):
        return [event.value]
    if isinstance(event, Mark):
        return [Decimal(event.mark), Decimal(event.index)]
    return [Decimal(event.price), Decimal(event.quantity)]


def mark_of(event: PriceEvent) -> tuple[int, int]:
    """Return what orders events of a feed."""
    if isinstance(event, Quote):
        return event.update_id, 0
    if isinstance(event, Trade):
        return event.trade_id, 0
    return event.event_ms, event.order if isinstance(event, Oracle) else 0


@given(MESSAGES)
def test_that_nothing_raises_and_nothing_false_is_accepted(
    messages: list[tuple[PriceEvent, str, int]],
) -> None:
    board = Board(assume={"USDT": Decimal(1)})
    gate = Gate(board)
    last: dict[tuple[object, ...], tuple[int, int]] = {}

    def judge(event: PriceEvent, frame: Frame) -> None:
        for price in prices(event):
            assert price.is_finite()
            assert price > 0
        if isinstance(event, Quote):
            assert Decimal(event.bid) < Decimal(event.ask)
        feed = (type(event), frame.source, event.symbol, event.currency)
        if feed in last:
            strictly = isinstance(event, Quote | Trade)
            assert mark_of(event) > last[feed] if strictly else mark_of(event) >= last[feed]
        last[feed] = mark_of(event)

    for heard in gate.accepted.values():
        heard.append(judge)
    taken = 0
    for event, source, received_ns in messages:
        taken += gate.take(event, Frame(source, "ws", received_ns, b""))
        gate.advance(received_ns // NS)
        read_everything(board, received_ns // NS)
    held = sum(len(feed.quarantine.held) for feed in gate.feeds())
    assert gate.rejections.counts.total() <= len(messages)
    assert taken <= len(messages)
    assert taken + gate.rejections.counts.total() + held >= len(messages), "nothing goes unsaid"


def read_everything(board: Board, now_ms: int) -> None:
    """Ask the board all it can be asked; what it says is sound."""
    for symbol in ("BTC", "USDT", "USDC", "AAPL"):
        price = board.latest(symbol)
        if price is None:
            continue
        assert price.value > 0
        assert isfinite(float(price.value))
        told = board.provenance(symbol, now_ms=now_ms)
        assert Validity[told["validity"]] > Validity.CORRUPT
        assert told["ageMs"] >= 0
        for raw_id in told["rawIds"]:
            assert board.raw(raw_id) is not None


@given(MESSAGES, st.randoms(use_true_random=False))
def test_that_the_same_frames_give_the_same_verdicts_however_often_the_board_is_read(
    messages: list[tuple[PriceEvent, str, int]], chance: Random
) -> None:
    def run(*, reading: bool) -> tuple[list[bool], dict[tuple[str, str], int], object]:
        board = Board(assume={"USDT": Decimal(1)})
        gate = Gate(board)
        verdicts = []
        for event, source, received_ns in messages:
            verdicts.append(gate.take(event, Frame(source, "ws", received_ns, b"")))
            if reading and chance.random() < 0.5:
                read_everything(board, received_ns // NS + chance.randrange(10_000))
        last_ms = messages[-1][2] // NS if messages else 0
        return (
            verdicts,
            dict(gate.rejections.counts),
            [
                board.latest(symbol) and board.provenance(symbol, now_ms=last_ms)
                for symbol in ("BTC", "USDC")
            ],
        )

    assert run(reading=False) == run(reading=True)


@given(st.lists(st.integers(0, 60), max_size=200), st.integers(-10_000, 10_000))
def test_that_duplicated_and_reordered_streams_give_each_trade_once(
    order: list[int], skew_ms: int
) -> None:
    gate, seen = Gate(Board(assume={"USDT": Decimal(1)})), list[int]()

    def hear(event: PriceEvent, _: Frame) -> None:
        assert isinstance(event, Trade)
        seen.append(event.trade_id)

    gate.accepted[Trade].append(hear)
    late: list[int] = []
    for step, number in enumerate(order):
        at_ms = NOW_MS + step * 10
        before = gate.rejections.counts["binance", "late"]
        said = Trade("BTC", "USDT", "100", "1", number, at_ms + skew_ms)
        gate.trade(said, Frame("binance", "ws", at_ms * NS + step, b""))
        if gate.rejections.counts["binance", "late"] > before:
            late.append(number)
    assert seen == sorted(set(seen)), "prices go forward"
    assert not set(seen) & set(late), "no trade is told twice"
    first = order[0] if order else 0
    assert {*seen, *late} == {number for number in order if number >= first}
    assert len(late) == len(set(late))
