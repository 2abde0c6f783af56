"""Promise: another desk finishes what one left, twice nothing, and a gone database only delays."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import cast

import asyncpg
import pytest

from quantdesk.chains.port import Sighting, Transaction
from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.engines.orders.recount import RECOUNT_S
from quantdesk.engines.orders.store import write
from quantdesk.store.pool import WritePool, connect
from quantdesk.testing.chain import Plan
from quantdesk.testing.killing import Cut, How
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


async def test_that_a_cancel_whose_answer_was_lost_is_told_and_counts_no_more(
    stage: Stage,
) -> None:
    desk = stage.desk()
    placed = await stage.place(desk, Wish(limit_price=Decimal(1)))
    await stage.rest()
    asked = len(desk.life.effects) + 2  # it is read, then cancelled
    desk.life.cut = Cut(asked, after=True, how=How.LOSE)
    with pytest.raises(Unavailable):
        await desk.orders.cancel(stage.account_id, placed.order.id)
    assert [order.status for order in await stage.stored()] == [S.CANCELLED]

    await stage.run_for(2 * RECOUNT_S)

    (told,) = (await stage.events([placed.order.id])).values()
    assert desk.told[-len(told) :] == told
    assert len(desk.orders.usage) == 0


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


async def test_that_without_the_database_orders_wait_and_new_ones_are_refused_at_once(
    stage: Stage,
) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(lands_after_s=2.0)
    desk = stage.desk()
    await stage.place(desk)
    await stage.rest()
    write_pool = desk.orders._pools.write
    desk.orders._pools = replace(desk.orders._pools, write=cast("WritePool", _Away()))
    await stage.run_for(30)

    (waiting,) = await stage.stored()
    with pytest.raises(Unavailable) as refused:
        await stage.place(desk)

    assert waiting.status is S.SUBMITTED
    assert desk.orders.journal.waiting_for_database
    assert refused.value.code == "database.unavailable"
    desk.orders._pools = replace(desk.orders._pools, write=write_pool)
    assert await stage.run_until(stage.all_ended, within_s=20)
    (order,) = await stage.stored()
    assert (order.status, len(stage.chain.signatures(order.id))) == (S.CONFIRMED, 1)
    assert not desk.orders.journal.waiting_for_database
    assert len(desk.orders.usage) == 0


async def test_that_leases_are_renewed_past_an_order_that_moves_at_this_moment(
    stage: Stage,
) -> None:
    stage.chain.plan_of = lambda _order, _attempt: Plan(lands_after_s=3.0)
    desk = stage.desk()
    moving = (await stage.place(desk)).order.id
    others = [(await stage.place(desk)).order.id for _ in range(2)]
    await stage.rest()
    ids, owner = [others[0], moving, others[1]], desk.orders.owner
    until = "select extract(epoch from lease_until - now()) from orders where id = $1"

    async with stage.pools.write.transaction() as committing, asyncio.timeout(60):
        await committing.execute("select from orders where id = $1 for update", moving)
        async with stage.pools.write.connection() as c:
            await write.renew(c, ids, owner=owner, lease_s=100_000)
            left = [await c.fetchval(until, order_id) for order_id in ids]
        for order_id in others:  # what a commit may want next: nobody holds it
            await committing.execute("select from orders where id = $1 for update", order_id)

    assert [lease > 50_000 for lease in left] == [True, False, True]


async def test_that_connections_cut_by_the_server_lose_nothing(stage: Stage, database: str) -> None:
    desk = stage.desk()
    await stage.place(desk)
    await stage.rest()
    c = await asyncpg.connect(database)
    await c.execute(
        "select pg_terminate_backend(pid) from pg_stat_activity"
        " where datname = current_database() and pid <> pg_backend_pid()"
    )
    await c.close()

    async with await connect(database, write_max=1, read_max=1) as fresh:
        stage.pools = fresh
        assert await stage.run_until(stage.all_ended, within_s=60)
        assert [order.status for order in await stage.stored()] == [S.CONFIRMED]


async def test_that_a_loop_that_breaks_is_begun_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    look, breaks = stage.chain.look, iter([True, False])

    async def breaking(transactions: Sequence[Transaction]) -> list[Sighting]:
        if next(breaks, False):
            raise ZeroDivisionError
        return await look(transactions)

    monkeypatch.setattr(stage.chain, "look", breaking)
    desk = stage.desk()
    await stage.place(desk)

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert desk.orders.halted == 1


class _Away:
    def connection(self) -> "_Away":
        raise Unavailable("the database is away", code="database.unavailable")

    transaction = connection


def _done(task: asyncio.Task[None]) -> Callable[[], Awaitable[bool]]:
    async def is_done() -> bool:
        return task.done()

    return is_done
