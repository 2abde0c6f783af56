"""A bucket is never spent faster than it fills, however its tokens are asked for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.bucket import Bucket

ASKED = st.lists(st.tuples(st.floats(0.01, 10), st.floats(0, 30)), max_size=40)


@given(ASKED, st.floats(10, 50), st.floats(0.1, 20))
def test_that_no_stretch_spends_more_than_it_may(
    asked: list[tuple[float, float]], capacity: float, per_s: float
) -> None:
    bucket, now_s = Bucket(capacity, per_s), 0.0
    spent: list[tuple[float, float]] = []
    for tokens, later_s in asked:
        now_s += later_s
        if bucket.take(tokens, now_s) == 0:
            spent.append((now_s, tokens))
    for start, (begin_s, _) in enumerate(spent):
        total = 0.0
        for end_s, tokens in spent[start:]:
            total += tokens
            assert total <= capacity + per_s * (end_s - begin_s) + 1e-6


@given(ASKED, st.floats(10, 50), st.floats(0.1, 20))
def test_that_who_waits_as_told_is_served(
    asked: list[tuple[float, float]], capacity: float, per_s: float
) -> None:
    bucket, now_s = Bucket(capacity, per_s), 0.0
    for tokens, later_s in asked:
        now_s += later_s
        wait_s = bucket.take(tokens, now_s)
        if wait_s:
            now_s += wait_s + 1e-9
            assert bucket.take(tokens, now_s) == 0


def test_that_a_bar_holds_to_its_end() -> None:
    bucket = Bucket(10, 1)
    bucket.bar(60, 100)
    bucket.bar(5, 100)

    assert bucket.take(1, 130) == 30
    assert bucket.take(1, 160) == 0


def test_that_more_than_it_holds_is_our_bug() -> None:
    with pytest.raises(AssertionError):
        Bucket(10, 1).take(11, 0)
