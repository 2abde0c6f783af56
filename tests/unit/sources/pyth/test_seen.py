"""What was heard is remembered for a while, and no more of it than there is room for."""

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.sources.pyth.seen import Seen
from quantdesk.sources.words.hermes import Key


def key(number: int) -> Key:
    return "feed", 1_735_645_930, number, 1, 1


def test_that_a_message_is_news_if_any_update_in_it_is() -> None:
    seen = Seen()
    assert seen.news([key(1), key(2)], 0)
    assert not seen.news([key(2)], 1)
    assert seen.news([key(2), key(3)], 2)
    assert not seen.news([], 3)


def test_that_an_update_is_forgotten_after_its_time_however_often_it_was_repeated() -> None:
    seen = Seen(ttl_s=10)
    assert seen.news([key(1)], 0)
    assert not seen.news([key(1)], 9.9)
    assert seen.news([key(1)], 10)


def test_that_another_price_or_confidence_of_the_same_slot_is_news() -> None:
    seen = Seen()
    feed, at, slot, price, conf = key(1)
    assert seen.news([(feed, at, slot, price, conf)], 0)
    assert seen.news([(feed, at, slot, price + 1, conf)], 0)
    assert seen.news([(feed, at, slot, price, conf + 1)], 0)


def test_that_the_oldest_make_room() -> None:
    seen = Seen(kept_max=20)
    assert seen.news([key(number) for number in range(100)], 0)
    assert len(seen) == 20
    assert not seen.news([key(99)], 0)
    assert seen.news([key(79)], 0)


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 5)), max_size=200))
def test_that_it_never_holds_more_than_it_may_and_agrees_with_a_plain_memory(
    heard: list[tuple[int, float]],
) -> None:
    bounded, roomy = Seen(ttl_s=10, kept_max=20), Seen(ttl_s=10, kept_max=1000)
    until_s: dict[int, float] = {}
    now_s = 0.0
    for number, passed_s in heard:
        now_s += passed_s
        bounded.news([key(number)], now_s)
        assert len(bounded) <= 20
        expected = until_s.get(number, 0.0) <= now_s
        if expected:
            until_s[number] = now_s + 10
        assert roomy.news([key(number)], now_s) == expected
