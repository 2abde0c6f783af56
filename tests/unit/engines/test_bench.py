"""Promise: a pool that quotes best and fails when tried does not stop a pair from being traded."""

from decimal import Decimal

import pytest

from quantdesk.core.assets import ASSETS
from quantdesk.engines.orders.bench import REST_MS, REST_MS_MAX, Bench
from quantdesk.testing.pools import Product, about

_MINTS = (ASSETS["SOL"].mint, ASSETS["USDC"].mint)
A, B = (Product(about(name, _MINTS, Decimal(150)), (10**12, 15 * 10**10)) for name in "ab")


def _left(bench: Bench, now_ms: int) -> str:
    return "".join(pool.about.address for pool in bench.playing([A, B], now_ms=now_ms))


@pytest.mark.parametrize("code", ["simulation.failed", "pool.gone"])
def test_that_a_pool_that_cannot_be_traded_rests_at_once_and_comes_back(code: str) -> None:
    bench = Bench()

    bench.failed(A, code, now_ms=1_000)

    assert _left(bench, 1_000) == _left(bench, 999 + REST_MS) == "b"
    assert bench.resting(now_ms=999 + REST_MS) == ["a"]
    assert bench.resting(now_ms=1_000 + REST_MS) == []
    assert _left(bench, 1_000 + REST_MS) == "ab"


@pytest.mark.parametrize(
    "code", ["slippage.exceeded", "quote.deviates", "pool.moved", "compute.exceeded"]
)
def test_that_one_that_may_have_moved_rests_the_second_time_in_a_row(code: str) -> None:
    bench = Bench()

    bench.failed(A, code, now_ms=0)
    assert _left(bench, 0) == "ab"
    bench.held([A])
    bench.failed(A, code, now_ms=0)
    assert _left(bench, 0) == "ab"
    bench.failed(A, code, now_ms=0)
    assert _left(bench, 0) == "b"


@pytest.mark.parametrize("code", ["funds.insufficient", "rpc.unavailable", "blockhash.expired"])
def test_that_what_is_no_fault_of_a_pool_is_not_held_against_it(code: str) -> None:
    bench = Bench()

    for _ in range(3):
        bench.failed(A, code, now_ms=0)

    assert _left(bench, 0) == "ab"


def test_that_it_rests_longer_each_time_until_a_trade_with_it_holds() -> None:
    bench, now_ms, rests = Bench(), 0, []
    for _ in range(10):
        bench.failed(A, "pool.gone", now_ms=now_ms)
        rests.append(next(n for n in range(20) if _left(bench, now_ms + (REST_MS << n)) == "ab"))
        now_ms += REST_MS_MAX
    assert rests == [0, 1, 2, 3, 4, 5, 6, 7, 7, 7]
    assert _left(bench, now_ms - 1) == "b"
    assert _left(bench, now_ms) == "ab"

    bench.held([A, B])
    bench.failed(A, "pool.gone", now_ms=now_ms)
    assert _left(bench, now_ms + REST_MS) == "ab"


def test_that_all_are_tried_where_all_would_rest() -> None:
    bench = Bench()

    for pool in (A, B):
        bench.failed(pool, "pool.gone", now_ms=0)

    assert _left(bench, 0) == "ab"


def test_that_no_more_than_a_bounded_number_is_remembered() -> None:
    bench = Bench()
    bench.failed(A, "pool.gone", now_ms=0)
    bench.failed(B, "pool.gone", now_ms=0)
    for number in range(999):
        other = Product(about(f"other {number}", _MINTS, Decimal(150)), (10**12, 15 * 10**10))
        bench.failed(other, "pool.gone", now_ms=0)

    assert _left(bench, 0) == "a"
