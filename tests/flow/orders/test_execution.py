"""Promise: an order tells every step it takes, and ends as the chain says, not as silence says."""

from decimal import Decimal

import pytest

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.core.markets import Market, Side
from quantdesk.engines.orders.model import Order, OrderEvent, OrderStatus
from quantdesk.testing.chain import FEE_LAMPORTS, Plan
from quantdesk.testing.stage import Stage, Wish
from quantdesk.testing.venue import ScriptedVenue

pytestmark = pytest.mark.anyio
S = OrderStatus


async def _played(
    stage: Stage, wish: Wish | None = None, *, within_s: float = 60
) -> tuple[Order, list[OrderEvent]]:
    """Place one order, let it come to its end, and return it with its events."""
    desk = stage.desk()
    placed = await stage.place(desk, wish)
    assert await stage.run_until(stage.all_ended, within_s=within_s)
    (order,) = await stage.stored()
    events = (await stage.events([placed.order.id]))[order.id]
    assert [event.version for event in events] == list(range(1, order.version + 1))
    assert desk.told == events, "what is told is what is stored, once each"
    return order, events


def _path(events: list[OrderEvent]) -> list[str]:
    return [f"{event.status.value}{event.attempt}" for event in events]


async def test_that_an_order_tells_each_state_and_its_realized_amounts(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(worse_bps=10)

    order, events = await _played(stage)

    assert _path(events) == ["PENDING1", "ROUTING1", "BUILDING1", "SUBMITTED1", "CONFIRMED1"]
    assert order.filled is not None
    assert (order.filled.base_raw, order.filled.quote_raw) == (10**9, 100_100_000)
    assert order.filled.network_fee_lamports == FEE_LAMPORTS
    assert order.execution_price == Decimal("100.1")
    assert events[2].execution_price == Decimal(100)
    assert events[3].tx_hash == order.tx_hash == stage.chain.fills[str(order.id)][0]


async def test_that_a_sale_gives_exactly_its_amount(stage: Stage) -> None:
    held = dict(stage.chain.held)

    order, _ = await _played(stage, Wish(side=Side.SELL, base_raw=3 * 10**9))

    assert order.status is S.CONFIRMED
    assert stage.chain.held["SOL"] == held["SOL"] - 3 * 10**9 - FEE_LAMPORTS
    assert stage.chain.held["USDC"] == held["USDC"] + 300_000_000


async def test_that_three_failures_before_signing_fail_it_after_two_and_four_seconds(
    stage: Stage,
) -> None:
    stage.chain.fail("prepare", times=3)

    order, events = await _played(stage)

    assert order.status is S.FAILED
    assert order.error is not None
    assert (order.error.code, order.error.retryable) == ("rpc.unavailable", True)
    retries = [event for event in events if event.waiting == "retry"]
    assert [event.attempt for event in retries] == [2, 3]
    assert retries[1].at_ms - retries[0].at_ms == 2_000
    assert events[-1].at_ms - retries[1].at_ms == 4_000
    assert stage.chain.sent == []


async def test_that_a_refusal_is_not_tried_again(stage: Stage) -> None:
    stage.chain.fail("prepare", problem=Refused("no", code="simulation.failed"))

    order, _ = await _played(stage)

    assert (order.status, order.attempt) == (S.FAILED, 1)
    assert order.error is not None
    assert (order.error.code, order.error.retryable) == ("simulation.failed", False)


def _about_the_first_call(problem: DeskError) -> DeskError:
    problem.at = 0
    return problem


def _dearer(stage: Stage) -> ScriptedVenue:
    return ScriptedVenue(clock=stage.clock, prices={"SOL-USDC": [(0, Decimal(101))]}, name="dearer")


@pytest.mark.parametrize("code", ["simulation.failed", "pool.gone"])
async def test_that_a_pool_that_quotes_best_and_fails_when_tried_is_done_without(
    stage: Stage, code: str
) -> None:
    stage.venues.append(_dearer(stage))
    kind = Refused if code == "simulation.failed" else Unavailable
    stage.chain.fail("prepare", problem=_about_the_first_call(kind("no", code=code)))

    order, _ = await _played(stage)

    assert (order.status, order.attempt, order.execution_price) == (S.CONFIRMED, 2, Decimal(101))


async def test_that_a_pool_without_another_beside_it_is_tried_as_before(stage: Stage) -> None:
    for _ in range(2):
        problem = _about_the_first_call(Unavailable("no", code="pool.gone"))
        stage.chain.fail("prepare", problem=problem)

    order, _ = await _played(stage)

    assert (order.status, order.attempt, order.execution_price) == (S.CONFIRMED, 3, Decimal(100))


async def test_that_what_is_wrong_with_the_wallet_is_held_against_no_pool(stage: Stage) -> None:
    stage.venues.append(_dearer(stage))
    problem = _about_the_first_call(Refused("no", code="funds.insufficient"))
    stage.chain.fail("prepare", problem=problem)

    order, _ = await _played(stage)

    assert (order.status, order.attempt) == (S.FAILED, 1)


async def test_that_a_node_behind_the_quote_is_asked_again_once_it_has_caught_up(
    stage: Stage,
) -> None:
    stage.venues[0].slot, stage.chain.seen_slot = 9, 8
    desk = stage.desk()
    await stage.place(desk)
    await stage.run_for(1)
    (order,) = await stage.stored()
    assert (order.status, order.waiting, order.attempt) == (S.ROUTING, "retry", 2)
    assert stage.chain.sent == []

    stage.chain.seen_slot = 9

    assert await stage.run_until(stage.all_ended, within_s=60)
    (order,) = await stage.stored()
    assert (order.status, order.attempt) == (S.CONFIRMED, 2)


@pytest.mark.parametrize("code", ["pool.moved", "compute.exceeded"])
async def test_that_a_pool_that_moved_before_it_landed_is_quoted_again(
    stage: Stage, code: str
) -> None:
    stage.chain.plan_of = lambda _order, attempt: Plan(reverts=code if attempt == 1 else "")

    order, _ = await _played(stage)

    assert (order.status, order.attempt) == (S.CONFIRMED, 2)
    first, second = (await stage.attempts([order.id]))[order.id]
    assert first.signature != second.signature


async def test_that_slippage_on_chain_is_tried_again_with_another_signature(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, attempt: Plan(worse_bps=80 if attempt == 1 else 0)

    order, events = await _played(stage)

    assert _path(events)[3:] == [
        "SUBMITTED1", "ROUTING2", "BUILDING2", "SUBMITTED2", "CONFIRMED2",
    ]  # fmt: skip
    first, second = (await stage.attempts([order.id]))[order.id]
    assert (first.outcome, second.outcome) == ("REVERTED", "LANDED")
    assert stage.chain.signatures(order.id) == [first.signature, second.signature]
    assert first.signature != second.signature


async def test_that_a_second_signature_waits_for_the_proof_of_death(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, attempt: Plan(lands_after_s=None if attempt == 1 else 0.4)

    order, events = await _played(stage)

    first, second = (await stage.attempts([order.id]))[order.id]
    assert (order.status, first.outcome, second.outcome) == (S.CONFIRMED, "DEAD", "LANDED")
    assert stage.chain.sent.count(first.signature) >= 2, "the same bytes were sent again"
    dead_s = (first.last_valid_height + 1) * 0.4
    retried = next(event for event in events if event.attempt == 2)
    assert (retried.at_ms - events[0].at_ms) / 1000 >= dead_s
    assert stage.chain.faults == []


async def test_that_silence_of_the_chain_is_told_and_never_taken_for_failure(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk)
    stage.chain.down("look", "receipt")
    await stage.run_for(30)

    (silent,) = await stage.stored()
    assert (silent.status, silent.outcome) == (S.SUBMITTED, "unknown")
    assert stage.chain.fills[str(silent.id)], "it filled while nobody could look"

    stage.chain.up()
    assert await stage.run_until(stage.all_ended, within_s=10)
    events = (await stage.events([placed.order.id]))[placed.order.id]
    assert _path(events)[3:] == ["SUBMITTED1", "SUBMITTED1", "CONFIRMED1"]
    assert [event.outcome for event in events[3:]] == [None, "unknown", None]


async def test_that_a_send_whose_answer_was_lost_fills_once(stage: Stage) -> None:
    stage.chain.fail("send", times=3, after=True)

    order, _ = await _played(stage)

    assert order.status is S.CONFIRMED
    assert len(stage.chain.fills[str(order.id)]) == 1


async def test_that_a_missing_receipt_is_waited_for(stage: Stage) -> None:
    stage.chain.fail("receipt", times=4)

    order, _ = await _played(stage)

    assert order.status is S.CONFIRMED
    assert stage.chain.calls["receipt"] == 5


async def test_that_a_rolled_back_fill_is_not_confirmed_until_it_is_back(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(undone_after_s=1.0, again_after_s=1.5)

    order, events = await _played(stage)

    assert order.status is S.CONFIRMED
    assert events[-1].at_ms - events[3].at_ms >= 2_900
    assert len(stage.chain.sent) >= 1
    assert len(set(stage.chain.sent)) == 1


async def test_that_missing_funds_fail_it_with_their_code(stage: Stage) -> None:
    stage.chain.held["USDC"] = 5

    order, _ = await _played(stage)

    assert order.status is S.FAILED
    assert order.error is not None
    assert (order.error.code, order.attempt) == ("funds.insufficient", 1)


@pytest.mark.parametrize(
    ("problem", "attempts"),
    [
        (Refused("too far from the reference", code="price.band"), 1),
        (Unavailable("the price is old", code="price.stale"), 3),
    ],
)
async def test_that_the_price_check_comes_before_signing(
    stage: Stage, problem: Refused | Unavailable, attempts: int
) -> None:
    def check(_market: Market, _price: Decimal) -> None:
        raise problem

    stage.check_price = check

    order, _ = await _played(stage)

    assert order.status is S.FAILED
    assert order.error is not None
    assert (order.error.code, order.attempt) == (problem.code, attempts)
    assert stage.chain.calls["prepare"] == 0


async def test_that_a_pool_that_is_gone_fails_it_after_three_tries(stage: Stage) -> None:
    stage.venues[0].prices.clear()

    order, _ = await _played(stage)

    assert order.status is S.FAILED
    assert order.error is not None
    assert (order.error.code, order.attempt) == ("pool.gone", 3)
