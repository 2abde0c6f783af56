"""Promise: Jupiter's venue knows what it was asked, for as long as that is worth anything."""

from decimal import Decimal

import pytest

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.venues.jupiter import Asked, Jupiter
from quantdesk.venues.jupiter.venue import Told
from quantdesk.venues.port import Swap

SOL, USDC, USDT = (ASSETS[symbol].mint for symbol in ("SOL", "USDC", "USDT"))
PAIR = frozenset((SOL, USDC))
ONE = Asked(SOL, USDC, 10**9)
BRINGS = Told(149_970_000, 2, Decimal("0.0001"), 15_000)


def told(*answers: tuple[Asked, Told | DeskError], at_ms: int = 0) -> Jupiter:
    venue = Jupiter()
    for asked, answer in answers:
        venue.answered(asked, answer, at_ms=at_ms)
    return venue


def code(venue: Jupiter, *, now_ms: int = 0, mints: frozenset[str] = PAIR) -> str:
    with pytest.raises((Refused, Unavailable)) as problem:
        venue.pools(mints, now_ms=now_ms)
    return problem.value.code


def test_that_a_size_it_was_asked_for_is_sold_at_what_was_answered() -> None:
    [pool] = told((ONE, BRINGS)).pools(PAIR, now_ms=2_000)
    fill = pool.exact_in(SOL, 10**9)

    assert (fill.paid, fill.received, fill.fee_on_input) == (10**9, 149_970_000, False)
    assert fill.fee == 30_000  # 2 bps of what there was before them, rounded up
    assert pool.about.venue == "jupiter"
    at_spot = pool.about.spot * 10**9
    assert at_spot > fill.received + fill.fee, "the impact is told apart from the fee"


def test_that_it_knows_no_other_size_and_buys_nothing() -> None:
    [pool] = told((ONE, BRINGS)).pools(PAIR, now_ms=0)

    with pytest.raises(Unavailable, match="size"):
        pool.exact_in(SOL, 10**9 + 1)
    with pytest.raises(Unavailable, match="size"):
        pool.exact_in(USDC, 10**9)
    with pytest.raises(Refused, match="exact"):
        pool.exact_out(USDC, 10**9)


def test_that_answers_age_and_pairs_do_not_mix() -> None:
    venue = told((ONE, BRINGS))

    assert code(venue, now_ms=2_001) == "quotes.none"
    assert code(venue, mints=frozenset((SOL, USDT))) == "quotes.none"


def test_that_what_kept_a_question_from_being_answered_is_told() -> None:
    busy = Unavailable("Jupiter wants no questions now", code="jupiter.busy")

    assert code(told((ONE, busy))) == "jupiter.busy"
    assert told((ONE, busy), (ONE, BRINGS)).pools(PAIR, now_ms=0)
    assert code(told((ONE, BRINGS), (ONE, busy))) == "jupiter.busy"


def test_that_orders_of_two_sizes_do_not_take_each_others_price() -> None:
    two = Asked(SOL, USDC, 2 * 10**9)
    worse = Told(299_000_000, 2, Decimal(0), 15_000)
    [pool] = told((ONE, BRINGS), (two, worse)).pools(PAIR, now_ms=0)

    assert pool.exact_in(SOL, ONE.amount).received == BRINGS.received
    assert pool.exact_in(SOL, two.amount).received == worse.received


def test_that_memory_is_bounded() -> None:
    venue = told(*((Asked(SOL, USDC, number), BRINGS) for number in range(1, 400)))
    [pool] = venue.pools(PAIR, now_ms=0)

    assert pool.exact_in(SOL, 399).received == BRINGS.received
    with pytest.raises(Unavailable):
        pool.exact_in(SOL, 143)


def test_that_a_call_names_only_what_the_network_takes() -> None:
    [pool] = told((ONE, BRINGS)).pools(PAIR, now_ms=0)
    swap = Swap(SOL, True, 10**9, 1, "owner", "from", "to")  # noqa: FBT003

    call = pool.instruction(swap)
    assert (call.program, call.accounts, call.data) == ("jupiter", (), b"15000")
