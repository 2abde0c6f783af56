"""Whatever is lost or comes again, each item is taken once and what is missing is known."""

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.bus.continuity import Continuity, Step

MESSAGES = st.lists(st.integers(0, 5), max_size=30)  # how many items each holds


@given(MESSAGES, st.data())
def test_that_each_item_is_taken_once_and_the_missing_are_counted(
    counts: list[int], data: st.DataObject
) -> None:
    messages, first = [], 0
    for count in counts:
        messages.append(range(first, first + count))
        first += count
    # Some are lost, some come twice or begin earlier, as after a connection that broke.
    sent = data.draw(st.lists(st.sampled_from(messages)) if messages else st.just([]))
    sent = sorted(sent, key=lambda message: (message.start, message.stop))

    heard: list[int] = []
    missing, continuity = 0, Continuity()
    for message in sent:
        step = continuity.take(message.start, len(message))
        heard.extend(message[step.known :])
        missing += step.missing

    assert heard == sorted(set().union(*map(set, sent)))
    expected = set(range(sent[0].start, sent[-1].stop)) if sent else set()
    assert missing == len(expected - set(heard))


def test_that_whoever_joins_late_misses_nothing() -> None:
    assert Continuity().take(1_000, 5) == Step(known=0, missing=0)


def test_that_what_overlaps_is_known_in_part() -> None:
    continuity = Continuity()
    continuity.take(0, 10)

    assert continuity.take(7, 6) == Step(known=3, missing=0)
    assert continuity.take(2, 3) == Step(known=3, missing=0)
    assert continuity.take(13, 1) == Step(known=0, missing=0)
    assert continuity.take(16, 1) == Step(known=0, missing=2)
