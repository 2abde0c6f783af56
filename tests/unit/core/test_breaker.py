"""A breaker opens after failures in a row, lets one try after a while, and closes on an answer."""

from quantdesk.core.breaker import Breaker


def opened() -> Breaker:
    breaker = Breaker(failures_max=3, open_s=60)
    for _ in range(3):
        assert breaker.wait_s(10) == 0
        breaker.failed(10)
    return breaker


def test_that_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = opened()

    assert breaker.state(10) == "open"
    assert breaker.wait_s(30) == 40


def test_that_an_answer_between_failures_keeps_it_closed() -> None:
    breaker = Breaker(failures_max=3)
    for _ in range(5):
        breaker.failed(0)
        breaker.failed(0)
        breaker.succeeded()

    assert breaker.state(0) == "closed"


def test_that_one_alone_tries_when_its_time_is_over() -> None:
    breaker = opened()

    assert breaker.wait_s(70) == 0
    assert breaker.state(70) == "half-open"
    assert breaker.wait_s(70) > 0, "another must wait for the one that tries"


def test_that_the_try_decides() -> None:
    closed, again = opened(), opened()
    for breaker in (closed, again):
        assert breaker.wait_s(70) == 0
    closed.succeeded()
    again.failed(70)

    assert closed.wait_s(70) == 0
    assert closed.wait_s(70) == 0
    assert again.wait_s(71) == 59


def test_that_a_cancelled_try_leaves_the_turn_to_the_next() -> None:
    breaker = opened()
    assert breaker.wait_s(70) == 0
    breaker.abandoned()

    assert breaker.wait_s(70) == 0
