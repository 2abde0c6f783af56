"""Promise: what an order pays for speed is a term of it, kept at every attempt, by any desk."""

from collections.abc import Sequence
from decimal import Decimal

import pytest

from quantdesk.chains.port import Instruction, Priority, Trade, Transaction
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.testing.chain import Plan
from quantdesk.testing.stage import Stage, Wish

pytestmark = pytest.mark.anyio


@pytest.fixture
def asked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Priority | None]]:
    """Return what the chain is asked to prepare: attempts by their memo, with their priority."""
    prepare = stage.chain.prepare
    trades: list[tuple[str, Priority | None]] = []

    async def noted(trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
        trades.append((trade.memo.rpartition(":")[2], trade.priority))
        return await prepare(trade, instructions)

    monkeypatch.setattr(stage.chain, "prepare", noted)
    return trades


@pytest.mark.parametrize("priority", [None, *Priority])
async def test_that_an_heir_makes_the_next_attempts_at_the_order_s_own_priority(
    stage: Stage, asked: list[tuple[str, Priority | None]], priority: Priority | None
) -> None:
    fates = {1: Plan(lands_after_s=None), 2: Plan(reverts="slippage.exceeded"), 3: Plan()}
    stage.chain.plan_of = lambda _order, attempt: fates[attempt]
    first = stage.desk()
    await stage.place(first, Wish(priority=priority))
    await stage.rest()
    first.life.dead = True
    await stage.bury(first)

    stage.desk()

    assert await stage.run_until(stage.all_ended, within_s=120)
    (order,) = await stage.stored()
    assert (order.status, order.priority) == (OrderStatus.CONFIRMED, priority)
    assert asked == [(attempt, priority) for attempt in "123"]
    [events] = (await stage.events([order.id])).values()
    assert events[0].terms is not None
    assert events[0].terms.priority is priority


async def test_that_a_limit_order_keeps_it_while_it_waits_and_changes_desks(
    stage: Stage, asked: list[tuple[str, Priority | None]]
) -> None:
    first = stage.desk()
    await stage.place(first, Wish(priority=Priority.URGENT, limit_price=Decimal(99)))
    await stage.run_for(5)
    assert asked == []
    first.life.dead = True
    await stage.bury(first)
    stage.venues[0].prices["SOL-USDC"] = [(0.0, Decimal(98))]

    stage.desk()

    assert await stage.run_until(stage.all_ended, within_s=20)
    assert asked == [("1", Priority.URGENT)]
