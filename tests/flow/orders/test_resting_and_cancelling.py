"""Promise: a limit order waits for its price; a cancel counts only before anything was signed."""

import asyncio
from decimal import Decimal

import pytest

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import Market
from quantdesk.engines.orders.engine import Rules
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.testing.chain import Plan
from quantdesk.testing.killing import Cut, How
from quantdesk.testing.stage import MODE, START_MS, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus
RESTING = Wish(limit_price=Decimal(99))


async def test_that_a_limit_order_rests_until_its_price_is_met(stage: Stage) -> None:
    stage.venues[0].prices["SOL-USDC"] = [(0.0, Decimal(100)), (60.0, Decimal(98))]
    desk = stage.desk()
    await stage.place(desk, RESTING)
    await stage.run_for(50)

    (resting,) = await stage.stored()
    assert (resting.status, resting.waiting, resting.version) == (S.PENDING, "price", 2)

    assert await stage.run_until(stage.all_ended, within_s=20)
    (order,) = await stage.stored()
    assert order.status is S.CONFIRMED
    assert order.execution_price == Decimal(98)
    assert order.updated_ms >= START_MS + 60_000


async def test_that_a_price_met_for_moments_never_ends_a_limit_order(stage: Stage) -> None:
    desk = stage.desk(rules=Rules(mode=MODE, lease_s=3_600.0, rate_per_minute=2))
    await stage.place(desk)  # takes the turn: the next one starts 30 s later
    for start_s in range(5, 105, 10):  # met at each turn's asking, gone when the turn comes
        stage.venues[0].prices["SOL-USDC"] += [
            (float(start_s), Decimal(98)), (start_s + 1.0, Decimal(100)),
        ]  # fmt: skip
    stage.venues[0].prices["SOL-USDC"].append((300.0, Decimal(98)))
    placed = await stage.place(desk, RESTING)
    await stage.run_for(200)

    resting = (await stage.stored())[1]
    assert (resting.status, resting.waiting, resting.attempt) == (S.PENDING, "price", 1)
    assert resting.version == 2, "one rest is one event, however often the price flickers"

    assert await stage.run_until(stage.all_ended, within_s=200)
    order = (await stage.stored())[1]
    assert (order.id, order.status) == (placed.order.id, S.CONFIRMED)
    assert order.execution_price == Decimal(98)


async def test_that_a_limit_order_rests_again_after_an_attempt_that_did_not_fill(
    stage: Stage,
) -> None:
    stage.chain.plan_of = lambda _order, attempt: Plan(
        reverts="slippage.exceeded" if attempt == 1 else ""
    )
    stage.venues[0].prices["SOL-USDC"] = [
        (0.0, Decimal(98)), (0.1, Decimal(100)), (90.0, Decimal(98)),
    ]  # fmt: skip
    desk = stage.desk()
    await stage.place(desk, RESTING)
    await stage.run_for(60)

    (resting,) = await stage.stored()
    assert (resting.status, resting.waiting, resting.attempt) == (S.ROUTING, "price", 2)

    desk.life.dead = True
    await stage.bury(desk)
    heir = stage.desk()
    assert await stage.run_until(stage.all_ended, within_s=60)
    (order,) = await stage.stored()
    assert (order.status, order.attempt) == (S.CONFIRMED, 2)
    assert order.execution_price == Decimal(98)
    assert [event.version for event in heir.told] == list(range(1, order.version + 1))


async def test_that_a_limit_order_rests_while_no_reference_agrees_with_the_pool(
    stage: Stage,
) -> None:
    def far_off(_market: Market, price: Decimal) -> None:
        if stage.clock.monotonic() < 60:
            raise Refused(f"{price} is far from the reference", code="price.band")

    stage.check_price = far_off
    stage.venues[0].prices["SOL-USDC"] = [(0.0, Decimal(98))]
    await stage.place(stage.desk(), RESTING)
    await stage.run_for(50)

    (resting,) = await stage.stored()
    assert (resting.status, resting.waiting) == (S.PENDING, "price")

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert [order.status for order in await stage.stored()] == [S.CONFIRMED]


async def test_that_a_limit_order_no_pool_can_fill_says_so_and_fills_once_one_can(
    stage: Stage,
) -> None:
    too_much = Refused("the pools do not hold that much", code="liquidity.insufficient")
    stage.venues[0].problem = too_much
    stage.venues[0].prices["SOL-USDC"] = [(0.0, Decimal(100)), (200.0, Decimal(98))]
    await stage.place(stage.desk(), RESTING)
    await stage.run_for(30)

    (waits,) = await stage.stored()
    assert (waits.status, waits.waiting, waits.version) == (S.PENDING, "liquidity", 2)

    for second in range(30, 110):  # a pool at the edge: it can, it cannot
        stage.venues[0].problem = None if second % 2 else too_much
        await stage.run_for(1)
    stage.venues[0].problem = None
    await stage.run_for(80)
    (rests,) = await stage.stored()
    assert (rests.waiting, rests.version) == ("price", 3)

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert [order.status for order in await stage.stored()] == [S.CONFIRMED]


async def test_that_a_limit_order_no_pool_could_fill_expires_saying_so(stage: Stage) -> None:
    stage.venues[0].problem = Refused("not that much", code="liquidity.insufficient")
    desk = stage.desk()
    await stage.place(desk, Wish(limit_price=Decimal(99), expires_ms=START_MS + 30_000))

    assert await stage.run_until(stage.all_ended, within_s=31)
    (order,) = await stage.stored()
    assert order.error is not None
    assert (order.error.code, order.error.detail) == (
        "order.expired",
        "no pool could fill its amount in time",
    )


async def test_that_a_limit_order_expires(stage: Stage) -> None:
    desk = stage.desk()
    await stage.place(desk, Wish(limit_price=Decimal(99), expires_ms=START_MS + 30_000))

    assert await stage.run_until(stage.all_ended, within_s=31)
    (order,) = await stage.stored()
    assert order.status is S.FAILED
    assert order.error is not None
    assert order.error.code == "order.expired"
    assert order.updated_ms >= START_MS + 30_000
    assert len(desk.orders.usage) == 0


async def test_that_a_limit_bounds_the_fill_tighter_than_slippage(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, Wish(limit_price=Decimal("100.001"), slippage_bps=50))
    assert await stage.run_until(stage.all_ended, within_s=20)

    (attempt,) = (await stage.attempts([placed.order.id]))[placed.order.id]
    assert attempt.route["limitRaw"] == 100_001_000


async def test_that_a_resting_order_can_be_cancelled(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, RESTING)
    await stage.run_for(5)

    cancelled = await desk.orders.cancel(stage.account_id, placed.order.id)

    await stage.run_for(5)
    assert (cancelled.status, cancelled.version) == (S.CANCELLED, 3)
    assert [event.status for event in desk.told] == [S.PENDING, S.PENDING, S.CANCELLED]
    assert len(desk.orders.usage) == 0
    assert stage.chain.sent == []


async def test_that_a_signed_order_cannot_be_cancelled(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk)
    await stage.rest()

    with pytest.raises(Refused) as refused:
        await desk.orders.cancel(stage.account_id, placed.order.id)

    assert refused.value.code == "order.too_late"
    assert await stage.run_until(stage.all_ended, within_s=10)
    assert [order.status for order in await stage.stored()] == [S.CONFIRMED]


async def test_that_anothers_order_is_unknown(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, RESTING)

    with pytest.raises(Refused) as refused:
        await desk.orders.cancel(stage.new_id(), placed.order.id)

    assert refused.value.code == "order.unknown"


async def test_that_a_cancel_that_commits_before_the_signed_bytes_wins(stage: Stage) -> None:
    whole = stage.desk()
    await stage.place(whole)
    await stage.rest()
    signed = whole.life.effects.index("chain:prepare") + 1
    await stage.run_until(stage.all_ended, within_s=20)
    whole.life.dead = True
    await stage.bury(whole)

    desk = stage.desk(Cut(signed, after=True, how=How.FREEZE))
    placing = asyncio.create_task(stage.place(desk))
    await stage.rest()
    assert desk.life.frozen
    (_, order) = await stage.stored()
    other = stage.desk()
    await stage.rest()
    cancelled = await other.orders.cancel(stage.account_id, order.id)
    desk.life.thaw()
    await stage.run_for(20)

    assert (await placing).order.id == order.id
    assert cancelled.status is S.CANCELLED
    assert stage.chain.signatures(order.id) == [], "its bytes were never sent"
    assert await stage.attempts([order.id]) == {}
    assert len(desk.orders.usage) == 0, "the desk that lost it learned how it ended"


async def test_that_cancels_and_commits_of_many_never_hold_each_other_up(stage: Stage) -> None:
    desk = stage.desk()
    placed = await asyncio.gather(*(stage.place(desk) for _ in range(20)))

    async def cancel(number: int) -> bool:
        try:
            await desk.orders.cancel(stage.account_id, placed[number].order.id)
        except Refused:
            return False
        return True

    won = await asyncio.gather(*(cancel(number) for number in range(0, 20, 2)))

    assert await stage.run_until(stage.all_ended, within_s=20)
    ends = {order.id: order.status for order in await stage.stored()}
    assert [ends[one.order.id] for one in placed[1::2]] == [S.CONFIRMED] * 10
    assert [ends[one.order.id] is S.CANCELLED for one in placed[::2]] == won
    assert stage.chain.faults == []


async def test_that_a_cancel_whose_answer_was_lost_is_told_when_asked_again(stage: Stage) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, RESTING)
    await stage.rest()
    # The next effects of a cancel are a read and the write: the write's answer is lost.
    write_at = len(desk.life.effects) + 2
    desk.life.cut = Cut(write_at, after=True, how=How.LOSE)

    with pytest.raises(Unavailable):
        await desk.orders.cancel(stage.account_id, placed.order.id)
    assert S.CANCELLED not in {event.status for event in desk.told}
    again = await desk.orders.cancel(stage.account_id, placed.order.id)

    assert again.status is S.CANCELLED
    assert desk.told[-1].status is S.CANCELLED
    assert len(desk.orders.usage) == 0
