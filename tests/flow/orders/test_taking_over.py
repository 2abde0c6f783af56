"""Promise: another desk finishes what one left, twice nothing, and a gone database only delays."""

import asyncio
from collections.abc import Sequence
from uuid import UUID

import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.engine import Orders
from quantdesk.engines.orders.model import OrderStatus, Step
from quantdesk.testing.chain import Plan
from quantdesk.testing.stage import Desk, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus


def _freeze(desk: Desk) -> None:
    desk.life._running.clear()


async def test_that_a_frozen_desk_and_its_heir_fill_once(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(lands_after_s=1.5)
    frozen = stage.desk()
    placed = await stage.place(frozen)
    await stage.rest()
    _freeze(frozen)
    await stage.expire(frozen)

    heir = stage.desk()
    assert await stage.run_until(stage.all_ended, within_s=20)
    frozen.life.thaw()
    await stage.run_for(20)

    (order,) = await stage.stored()
    events = (await stage.events([order.id]))[order.id]
    assert order.status is S.CONFIRMED
    assert stage.chain.signatures(placed.order.id) == [order.tx_hash]
    assert [event.version for event in events] == [1, 2, 3, 4, 5]
    assert heir.told == events, "the heir told again what the other may not have told"
    assert len(frozen.orders.usage) == 0, "the one that lost it learned its end"


async def test_that_a_stopped_desk_leaves_its_orders_free_at_once(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(lands_after_s=3.0)
    leaving = stage.desk()
    await stage.place(leaving)
    await stage.rest()

    stopping = asyncio.create_task(leaving.orders.stop())
    assert await stage.run_until(_done(stopping), within_s=5)
    stage.desks.clear()
    began = stage.clock.monotonic()
    stage.desk()

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert stage.clock.monotonic() - began < 5, "no lease was waited for"
    (order,) = await stage.stored()
    assert (order.status, len(stage.chain.signatures(order.id))) == (S.CONFIRMED, 1)


async def test_that_a_desk_that_stops_while_committing_stops_cleanly(stage: Stage) -> None:
    desk = stage.desk()
    await stage.place(desk)
    placing = [asyncio.create_task(stage.place(desk)) for _ in range(5)]
    await asyncio.sleep(0)

    stopping = asyncio.create_task(desk.orders.stop())
    assert await stage.run_until(_done(stopping), within_s=5)
    await asyncio.wait(placing)
    stage.desks.clear()
    stage.desk()

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert {order.status for order in await stage.stored()} == {S.CONFIRMED}
    assert stage.chain.faults == []


async def test_that_without_the_database_orders_wait_and_nothing_is_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = stage.desk()
    await stage.place(desk, Wish())
    away = True
    commit = Orders._commit

    async def gone(self: Orders, steps: Sequence[Step]) -> dict[UUID, UUID]:
        if away:
            raise Unavailable("the database is away", code="database.unavailable")
        return await commit(self, steps)

    monkeypatch.setattr(desk.orders.journal, "_commit", lambda steps: gone(desk.orders, steps))
    await stage.run_for(30)
    (waiting,) = await stage.stored()
    refused = await asyncio.gather(stage.place(desk), return_exceptions=True)

    assert waiting.is_open
    assert desk.orders.journal.waiting_for_database
    assert isinstance(refused[0], Unavailable)
    away = False
    assert await stage.run_until(stage.all_ended, within_s=20)
    assert {order.status for order in await stage.stored()} == {S.CONFIRMED}
    assert not desk.orders.journal.waiting_for_database


def _done(task: asyncio.Task[None]):  # type: ignore[no-untyped-def] # noqa: ANN202
    async def is_done() -> bool:
        return task.done()

    return is_done
