"""Promise: what the engine decides follows from tables: moves, retries, routes, what is open."""

from decimal import Decimal
from itertools import product
from uuid import UUID

import pytest

from quantdesk.chains.port import Fate, Sighting
from quantdesk.core.errors import Corrupt, DeskError, Refused, Unavailable
from quantdesk.core.markets import Side, market
from quantdesk.engines.orders.model import CANCELLABLE, MOVES, OPEN, Order, OrderStatus
from quantdesk.engines.orders.retry import delay_s, failure, fallen, is_due
from quantdesk.engines.orders.usage import DAY_MS, Usage, gives

S = OrderStatus
SOL = market("SOL-USDC")
ALLOWED = {
    (S.PENDING, S.PENDING), (S.PENDING, S.ROUTING), (S.PENDING, S.FAILED),
    (S.PENDING, S.CANCELLED), (S.ROUTING, S.ROUTING), (S.ROUTING, S.BUILDING),
    (S.ROUTING, S.FAILED), (S.ROUTING, S.CANCELLED), (S.BUILDING, S.ROUTING),
    (S.BUILDING, S.SUBMITTED), (S.BUILDING, S.FAILED), (S.BUILDING, S.CANCELLED),
    (S.SUBMITTED, S.SUBMITTED), (S.SUBMITTED, S.ROUTING), (S.SUBMITTED, S.CONFIRMED),
    (S.SUBMITTED, S.FAILED),
}  # fmt: skip


def _order(status: OrderStatus = S.PENDING, *, number: int = 1, created_ms: int = DAY_MS) -> Order:
    return Order(
        id=UUID(int=number), mode="paper", account_id=UUID(int=9), pair="SOL-USDC", side=Side.BUY,
        base_raw=10**9, slippage_bps=50, notional_usd=Decimal(100), created_ms=created_ms,
        updated_ms=created_ms, status=status,
    )  # fmt: skip


@pytest.mark.parametrize(("was", "to"), list(product(S, S)))
def test_that_every_pair_of_states_moves_as_the_contract_says(
    was: OrderStatus, to: OrderStatus
) -> None:
    order = _order(was)
    if (was, to) in ALLOWED:
        moved = order.moved(to, at_ms=5)
        assert (moved.status, moved.version, moved.updated_ms) == (to, order.version + 1, 5)
    else:
        with pytest.raises(Corrupt):
            order.moved(to, at_ms=5)


def test_that_ends_are_ends_and_nothing_signed_is_cancelled() -> None:
    assert set(MOVES) == set(S)
    assert set(S) - OPEN == {S.CONFIRMED, S.FAILED, S.CANCELLED}
    assert {S.PENDING, S.ROUTING, S.BUILDING} == CANCELLABLE


def test_that_a_move_forgets_what_the_order_waited_for() -> None:
    waiting = _order().moved(S.PENDING, at_ms=1, waiting="price")

    assert waiting.moved(S.ROUTING, at_ms=2).waiting is None


@pytest.mark.parametrize(
    ("problem", "attempt", "due"),
    [
        (Unavailable("x"), 1, True),
        (Unavailable("x"), 2, True),
        (Unavailable("x"), 3, False),
        (Refused("x"), 1, False),
        (Corrupt("x"), 1, False),
    ],
)
def test_that_only_what_may_do_better_is_tried_again(
    problem: DeskError, attempt: int, *, due: bool
) -> None:
    assert is_due(problem, attempt=attempt) is due


def test_that_the_second_attempt_waits_two_seconds_and_the_third_four() -> None:
    assert [delay_s(attempt) for attempt in (2, 3)] == [2.0, 4.0]


@pytest.mark.parametrize(
    ("sighting", "code", "retryable"),
    [
        (Sighting(Fate.DEAD), "blockhash.expired", True),
        (Sighting(Fate.DEAD, None, "exchange.busy", "d"), "exchange.busy", True),
        (Sighting(Fate.REVERTED, 1, "slippage.exceeded", "d"), "slippage.exceeded", True),
        (Sighting(Fate.REVERTED, 1, "pool.moved", "d"), "pool.moved", True),
        (Sighting(Fate.REVERTED, 1, "compute.exceeded", "d"), "compute.exceeded", True),
        (Sighting(Fate.REVERTED, 1, "pool.gone", "d"), "pool.gone", True),
        (Sighting(Fate.REVERTED, 1, "funds.insufficient", "d"), "funds.insufficient", False),
    ],
)
def test_that_a_fallen_transaction_says_why(
    sighting: Sighting, code: str, *, retryable: bool
) -> None:
    told = failure(fallen(sighting))
    assert (told.code, told.retryable) == (code, retryable)


@pytest.mark.parametrize("fate", [Fate.UNSEEN, Fate.LANDED])
def test_that_what_may_still_fill_has_not_fallen(fate: Fate) -> None:
    with pytest.raises(AssertionError):
        fallen(Sighting(fate))


def test_that_usage_counts_an_order_once_and_gives_back_what_did_not_fill() -> None:
    usage, account = Usage(), UUID(int=9)
    for _ in range(2):
        usage.opened(_order())
    usage.opened(_order(number=2))
    assert usage.of(account, now_ms=DAY_MS) == (2, Decimal(200))
    assert usage.reserved("USDC") == 2 * 100_500_000

    usage.ended(UUID(int=1), S.CONFIRMED)
    usage.ended(UUID(int=2), S.FAILED)
    usage.ended(UUID(int=2), S.FAILED)
    assert usage.of(account, now_ms=DAY_MS) == (0, Decimal(100))
    assert (usage.reserved("USDC"), len(usage)) == (0, 0)


def test_that_a_new_day_starts_from_nothing_and_yesterday_gives_nothing_back() -> None:
    usage, account = Usage(), UUID(int=9)
    usage.count_day({account: Decimal(7)}, now_ms=DAY_MS)
    usage.opened(_order())
    assert usage.of(account, now_ms=2 * DAY_MS - 1) == (1, Decimal(107))
    assert usage.of(account, now_ms=2 * DAY_MS) == (1, Decimal(0))
    usage.opened(_order(number=2, created_ms=2 * DAY_MS))
    usage.ended(UUID(int=1), S.CANCELLED)
    assert usage.of(account, now_ms=2 * DAY_MS) == (1, Decimal(100))


def test_that_a_sale_reserves_its_base_and_a_purchase_its_worth_and_slippage() -> None:
    assert gives(SOL, Side.SELL, 5, usd=Decimal(1), slippage_bps=9) == ("SOL", 5)
    assert gives(SOL, Side.BUY, 5, usd=Decimal(100), slippage_bps=50) == ("USDC", 100_500_000)
