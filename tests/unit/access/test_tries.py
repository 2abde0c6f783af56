"""Promise: ten tries in fifteen minutes and no more, in any order of asking, and it ends."""

from hypothesis import given
from hypothesis import strategies as st

from quantdesk.access.limits.tries import (
    FORGIVEN_MS,
    OF_ACCOUNT,
    OF_NETWORK,
    Bound,
    Tries,
    counted,
    given_back,
    judged,
)

NOW = 1_700_000_000_000
MINUTE = 60_000
PAUSES = st.lists(st.integers(0, 20 * MINUTE), min_size=1, max_size=150)


def tried(tries: Tries, bound: Bound, now_ms: int) -> tuple[Tries, int]:
    """Return what one more try leads to."""
    tries, wait_ms = judged(tries, bound, now_ms=now_ms)
    return (tries, wait_ms) if wait_ms else (counted(tries, now_ms=now_ms), 0)


@given(
    PAUSES,
    st.sampled_from(
        [
            OF_ACCOUNT,
            OF_NETWORK,
            Bound(tries=2, window_ms=MINUTE, lock_ms=MINUTE, longest_ms=4 * MINUTE),
        ]
    ),
)
def test_that_no_window_holds_more_tries_than_the_bound(pauses: list[int], bound: Bound) -> None:
    tries, now, let_on = Tries(), NOW, []
    for pause in pauses:
        now += pause
        tries, wait_ms = tried(tries, bound, now)
        if not wait_ms:
            let_on.append(now)
        assert len(tries.tries_ms) <= bound.tries
        assert wait_ms <= bound.longest_ms
    for i, first in enumerate(let_on):
        inside = [at for at in let_on[i:] if at < first + bound.window_ms]
        assert len(inside) <= bound.tries


@given(PAUSES)
def test_that_whoever_waits_as_told_may_try(pauses: list[int]) -> None:
    tries, now = Tries(), NOW
    for pause in pauses:
        now += pause
        tries, wait_ms = tried(tries, OF_ACCOUNT, now)
        if wait_ms:
            assert judged(tries, OF_ACCOUNT, now_ms=now + wait_ms - 1)[1] == 1
            assert judged(tries, OF_ACCOUNT, now_ms=now + wait_ms)[1] == 0


def test_that_each_lock_is_twice_as_long_until_a_day_forgives() -> None:
    tries, now, waits = Tries(), NOW, []
    for _ in range(7):
        for _ in range(10):
            tries, wait_ms = tried(tries, OF_ACCOUNT, now)
            assert wait_ms == 0
        tries, wait_ms = tried(tries, OF_ACCOUNT, now)
        waits.append(wait_ms // MINUTE)
        now += wait_ms
    assert waits == [15, 30, 60, 120, 240, 240, 240]
    now += FORGIVEN_MS + 1
    for _ in range(10):
        tries, _ = tried(tries, OF_ACCOUNT, now)
    assert tried(tries, OF_ACCOUNT, now)[1] == 15 * MINUTE


def test_that_a_try_given_back_was_never_made() -> None:
    tries = Tries()
    for _ in range(500):
        tries, wait_ms = tried(tries, OF_NETWORK, NOW)
        assert wait_ms == 0
        tries = given_back(tries)
    assert tries == Tries()
