"""Server-sent events come out whole, however the network cut the bytes."""

from itertools import pairwise

from hypothesis import example, given
from hypothesis import strategies as st

from quantdesk.sources.sse import Event, Events

STREAM = (
    b":\n\n"
    b'data:{"a":1}\n\n'
    b": keep-alive\r\n\r\n"
    b"event: error\r\ndata: Connection timeout reached (24h)\r\n\r\n"
    b"id: 7\rretry: 5\rdata: one\rdata:  two\r\r"
    b"event: nothing\n\n"
    b"data\n\n"
    b"data: last\n\n"
)
EVENTS = [
    Event("message", b'{"a":1}'),
    Event("error", b"Connection timeout reached (24h)"),
    Event("message", b"one\n two"),
    Event("message", b""),
    Event("message", b"last"),
]


@example(cuts=list(range(len(STREAM))))
@given(cuts=st.lists(st.integers(0, len(STREAM)), max_size=12))
def test_that_any_cut_of_a_stream_gives_the_same_events(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), len(STREAM)]
    events = Events()
    pieces = [STREAM[a:b] for a, b in pairwise(edges)]
    assert [event for piece in pieces for event in events.feed(piece)] == EVENTS


def test_that_an_event_without_its_blank_line_is_not_told() -> None:
    assert Events().feed(b'data:{"binary":{"encod') == []


def test_that_a_line_without_end_is_dropped_once_and_the_next_event_is_read() -> None:
    events = Events(bytes_max=100)
    assert [events.feed(b"data:" + b"x" * 60) for _ in range(5)] == [[]] * 5
    assert events.feed(b"xx\n\ndata:next\n\n") == [Event("message", b"next")]
    assert events.oversized == 1


def test_that_many_short_lines_of_one_event_are_bounded_too() -> None:
    events = Events(bytes_max=100)
    told = events.feed(b"data:0123456789\n" * 20 + b"\ndata:next\n\n")
    assert told == [Event("message", b"next")]
    assert events.oversized == 1
