"""The flow gives each event to whom it concerns, once, in order, whatever else comes along."""

from collections.abc import Sequence
from itertools import pairwise

import pytest

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Event, Frame, Headline, Quote, Trade
from quantdesk.ingest.flow import SAMPLES_MAX, Flow, Unreadable
from quantdesk.ingest.replay import HOLE_MS_MAX, SETTLE_MS, TICK_MS, Replay

T0 = 1_700_000_000_000


def trade(n: int) -> Trade:
    return Trade("BTC", "USDT", "1", "1", n, T0)


def quote(n: int) -> Quote:
    return Quote("BTC", "USDT", "1", "1", "2", "1", n)


def frame(*words: str, source: str = "a", at_ms: int = T0) -> Frame:
    return Frame(source, "ws", at_ms * 1_000_000, " ".join(words).encode())


def read(at: Frame) -> Sequence[Event]:
    if at.data.startswith(b"?"):
        raise Corrupt("not ours", code="message.unreadable")
    words = at.data.decode().split()
    return [trade(int(w[1:])) if w[0] == "t" else quote(int(w[1:])) for w in words]


def test_that_events_go_to_the_routes_of_their_kind_in_order() -> None:
    heard: list[tuple[str, object, Frame]] = []
    flow = Flow(
        {"a": read},
        {
            Trade: [lambda e, f: heard.append(("1", e, f)), lambda e, f: heard.append(("2", e, f))],
            Headline: [lambda e, f: heard.append(("news", e, f))],
        },
    )
    flow.on(Trade, lambda e, f: heard.append(("3", e, f)))
    flow.on(Quote, lambda e, f: heard.append(("q", e, f)))
    one = frame("t1", "q2", "t3")
    flow.take(one)
    assert heard == [
        *(("1", trade(1), one), ("2", trade(1), one), ("3", trade(1), one), ("q", quote(2), one)),
        *(("1", trade(3), one), ("2", trade(3), one), ("3", trade(3), one)),
    ]
    passage = flow.sources["a"]
    assert (passage.frames, passage.events, passage.unreadable) == (1, 3, 0)
    assert passage.received_ns == one.received_ns


def test_that_the_tap_hears_every_frame_first_and_can_be_taken_away() -> None:
    heard: list[object] = []
    flow = Flow({"a": read}, {Trade: [lambda e, f: heard.append(e)]}, tap=heard.append)
    first, torn, other = frame("t1"), frame("?"), frame("t2", source="b")
    for one in (first, torn, other):
        flow.take(one)
    assert heard == [first, trade(1), torn, other]
    flow.tap = None
    flow.take(frame("t5"))
    assert heard[4:] == [trade(5)]


def test_that_unreadable_frames_are_counted_sampled_and_told() -> None:
    told: list[Unreadable] = []
    flow = Flow({"a": read, "b": read}, {})
    flow.on_unreadable(told.append)
    torn = [frame("?", str(n)) for n in range(20)]
    for one in torn:
        flow.take(one)
    flow.take(frame("t1"))
    assert told == [Unreadable(one, "not ours") for one in torn]
    passage = flow.sources["a"]
    assert (passage.frames, passage.events, passage.unreadable) == (21, 1, 20)
    assert [sample.frame for sample in passage.samples] == torn[-SAMPLES_MAX:]
    assert flow.sources["b"].unreadable == 0


def test_that_what_a_route_finds_corrupt_is_unreadable_too() -> None:
    def refuse(event: Trade, at: Frame) -> None:
        if event.trade_id == 2:
            raise Corrupt("a price without digits", code="number.unreadable")
        heard.append(event)

    heard: list[Trade] = []
    flow = Flow({"a": read}, {Trade: [refuse]})
    for word in ("t1", "t2", "t3"):
        flow.take(frame(word))
    assert heard == [trade(1), trade(3)]
    assert [sample.detail for sample in flow.sources["a"].samples] == ["a price without digits"]


def test_that_frames_of_an_unknown_source_are_counted() -> None:
    flow = Flow({"a": read}, {Trade: [lambda e, f: pytest.fail("read")]})
    flow.take(frame("t1", source="b"))
    assert flow.strangers == 1


def test_that_timers_move_together_in_order() -> None:
    heard: list[tuple[str, int]] = []
    flow = Flow({}, {}, timers=[lambda t: heard.append(("x", t)), lambda t: heard.append(("y", t))])
    flow.advance(5)
    flow.advance(7)
    assert heard == [("x", 5), ("y", 5), ("x", 7), ("y", 7)]


def replayed(*times: int, ended: bool = False) -> list[object]:
    """Return what happens: timers as milliseconds since T0, frames as the time in brackets."""
    heard: list[object] = []
    flow = Flow({"a": read}, {}, timers=[lambda now_ms: heard.append(now_ms - T0)])
    flow.tap = lambda at: heard.append([at.received_ms - T0])
    replay = Replay(flow)
    for at_ms in times:
        replay.take(frame("t1", at_ms=T0 + at_ms))
    if ended:
        replay.end()
    return heard


def test_that_timers_move_by_ticks_before_the_frame_that_reaches_them() -> None:
    assert replayed(30, 70, 100, 130, 350, 399) == [
        *(0, [30], [70]),
        *(100, [100], [130]),
        *(200, 300, [350], [399]),
    ]


def test_that_a_frame_from_before_turns_no_time_back() -> None:
    assert replayed(250, 30, 290, 300) == [200, [250], [30], [290], 300, [300]]


def test_that_of_a_hole_the_first_minutes_are_gone_through() -> None:
    day = 86_400_000
    heard = replayed(0, day + 50)
    ticks = [tick for tick in heard if isinstance(tick, int)]
    assert ticks[-1] == day
    assert ticks[-2] == HOLE_MS_MAX
    assert all(after - before == TICK_MS for before, after in pairwise(ticks[:-1]))


def test_that_time_moves_on_after_the_last_frame() -> None:
    assert replayed(30, ended=True)[-1] == SETTLE_MS
    assert replayed(ended=True) == []
