"""Promise: one key makes one order, bounds are kept, and pacing delays but never refuses."""

import asyncio
from dataclasses import replace

import pytest

from quantdesk.core.errors import Corrupt, Refused, Unavailable
from quantdesk.engines.orders.engine import Placed
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.testing.stage import START_MS, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus


async def test_that_the_same_key_and_body_is_the_same_order(stage: Stage) -> None:
    desk = stage.desk()
    first = await stage.place(desk, Wish(key="k"))
    assert await stage.run_until(stage.all_ended, within_s=20)

    again = await stage.place(desk, Wish(key="k"))
    await stage.run_for(5)

    assert (first.replayed, again.replayed) == (False, True)
    assert again.order.id == first.order.id
    assert again.order.status is S.CONFIRMED
    assert len(await stage.stored()) == 1


async def test_that_the_same_key_with_another_body_is_a_conflict(stage: Stage) -> None:
    desk = stage.desk()
    await stage.place(desk, Wish(key="k"))

    with pytest.raises(Refused) as refused:
        await stage.place(desk, Wish(key="k", body_hash=b"other"))

    assert refused.value.code == "idempotency.conflict"
    assert await stage.run_until(stage.all_ended, within_s=20)
    assert len(await stage.stored()) == 1
    assert len(desk.orders.usage) == 0


async def test_that_eight_at_once_over_two_desks_make_one_order(stage: Stage) -> None:
    desks = [stage.desk(), stage.desk()]

    placed = await asyncio.gather(
        *(stage.place(desks[number % 2], Wish(key="k")) for number in range(8))
    )

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert len({one.order.id for one in placed}) == 1
    assert sum(not one.replayed for one in placed) == 1
    (order,) = await stage.stored()
    assert len(stage.chain.fills[str(order.id)]) == 1
    await stage.run_for(5)
    assert [len(desk.orders.usage) for desk in desks] == [0, 0]


async def test_that_a_key_that_cannot_be_stored_harms_nobody_else(stage: Stage) -> None:
    desk = stage.desk()

    poisoned, placed = await asyncio.gather(
        stage.place(desk, Wish(key="a\x00b")), stage.place(desk), return_exceptions=True
    )

    assert isinstance(poisoned, Corrupt)
    assert isinstance(placed, Placed)
    assert await stage.run_until(stage.all_ended, within_s=20)
    assert [order.status for order in await stage.stored()] == [S.CONFIRMED]


async def test_that_past_the_bound_new_orders_are_refused_for_now(stage: Stage) -> None:
    desk = stage.desk(rules=replace(stage.rules, open_max=2))
    for _ in range(2):
        await stage.place(desk)

    with pytest.raises(Unavailable) as busy:
        await stage.place(desk)

    assert busy.value.code == "orders.busy"
    assert await stage.run_until(stage.all_ended, within_s=20)
    await stage.place(desk)


async def test_that_starts_keep_the_rate(stage: Stage) -> None:
    desk = stage.desk(rules=replace(stage.rules, rate_per_minute=60))
    placed = [await stage.place(desk) for _ in range(5)]

    assert await stage.run_until(stage.all_ended, within_s=30)

    events = await stage.events([one.order.id for one in placed])
    starts = [told[1].at_ms - START_MS for told in events.values()]
    assert sorted(starts) == [0, 1_000, 2_000, 3_000, 4_000]


async def test_that_no_more_are_in_flight_than_the_wallet_bears(stage: Stage) -> None:
    desk = stage.desk(rules=replace(stage.rules, in_flight_max=2))
    for _ in range(5):
        await stage.place(desk)
    most = 0

    async def over() -> bool:
        nonlocal most
        most = max(most, len(desk.orders.watch))
        return await stage.all_ended()

    assert await stage.run_until(over, within_s=30)
    assert most == 2
    assert {order.status for order in await stage.stored()} == {S.CONFIRMED}
