"""The course of a price keeps its extremes, however long it is, and why prices were refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.cli.course import MOMENTS_MAX, REFUSED_MAX, Course, Courses, Line
from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Frame
from quantdesk.sources import recorded

T0 = 1_700_000_000_000


def trade(n: int, price: str, *, source: str = "binance", pair: str = "BTCUSDT") -> Frame:
    at_ms = T0 + 100 * n
    data = (
        f'{{"stream":"{pair.lower()}@trade","data":{{"s":"{pair}","t":{n},"p":"{price}","q":"1",'
        f'"T":{at_ms},"m":false}}}}'
    )
    return Frame(source, "ws", at_ms * 1_000_000, data.encode())


def followed(*frames: Frame) -> Courses:
    courses = Courses(recorded.READS)
    courses.follow(frames)
    return courses


def test_that_a_long_course_is_folded_and_loses_no_extreme() -> None:
    line = Line()
    prices = [100 + (n * 7919) % 1000 for n in range(100_000)]
    for n, price in enumerate(prices):
        line.add(T0 + 100 * n, price)
    moments = line.moments()
    assert len(moments) <= MOMENTS_MAX
    assert [one.at_ms for one in moments] == sorted({one.at_ms for one in moments})
    assert min(one.low for one in moments) == min(prices)
    assert max(one.high for one in moments) == max(prices)
    assert moments[-1].last == prices[-1]


@given(st.lists(st.tuples(st.integers(0, 10**7), st.floats(1, 1e6)), min_size=1, max_size=50))
def test_that_every_moment_holds_its_prices(points: list[tuple[int, float]]) -> None:
    line = Line()
    for at_ms, price in points:
        line.add(at_ms, price)
    for one in line.moments():
        inside = [price for at_ms, price in points if at_ms // 100 * 100 == one.at_ms]
        assert (one.low, one.high, one.last) == (min(inside), max(inside), inside[-1])


def test_that_each_source_is_a_line_and_refusals_have_price_and_reason() -> None:
    courses = followed(
        trade(1, "100"), trade(2, "100.1"), trade(2, "99.9"), trade(3, "0"), trade(4, "200"),
        trade(1, "101", source="binance.futures"),
    )  # fmt: skip
    course = courses.of("BTC")
    assert course.lines.keys() == {"binance USDT", "binance.futures USDT"}
    # A trade is a fact even when it jumps: it is drawn, and shown as held back as a price.
    assert [one.last for one in course.lines["binance USDT"].moments()] == [100, 100.1, 200]
    assert [(one.price, one.reason) for one in course.refused] == [
        (99.9, "duplicate"), (0, "not_positive"), (200, "quarantined"),
    ]  # fmt: skip
    assert course.counts == {"duplicate": 1, "not_positive": 1, "quarantined": 1}


def test_that_refusals_kept_are_bounded_and_all_are_counted() -> None:
    course = Course("BTC")
    for n in range(REFUSED_MAX + 10):
        course.refuse(n, 1.0, "older")
    assert len(course.refused) == REFUSED_MAX
    assert course.counts == {"older": REFUSED_MAX + 10}


def test_that_agreement_is_sampled_where_sources_can_be_compared() -> None:
    def oracle(n: int, source: str, price: int) -> Frame:
        data = (
            f'{{"at":{T0 + 1000 * n},"prices":[{{"symbol":"BTC","price":{price},"confidence":1}}]}}'
        )
        return Frame(source, "steps", (T0 + 1000 * n) * 1_000_000, data.encode())

    frames = [
        oracle(n, source, price)
        for n in range(10)
        for source, price in (("simulated", 10_000_000), ("recorded.simulated", 10_010_000 + n))
    ]
    apart = followed(*frames).of("BTC").agreement.moments()
    assert len(apart) >= 8
    assert all(9.9 < one.last < 10.1 for one in apart)


def test_that_the_asset_most_is_said_of_is_drawn_unless_another_is_named() -> None:
    courses = followed(
        trade(1, "100"), trade(2, "100"), trade(1, "5", pair="ETHUSDT"), trade(3, "100")
    )
    assert courses.of(None).symbol == "BTC"
    assert courses.of("ETH").said == 1
    with pytest.raises(Refused, match="nothing there prices SOL; there is BTC, ETH"):
        courses.of("SOL")
    with pytest.raises(Refused, match="nothing there prices anything; there is no asset"):
        followed().of(None)
