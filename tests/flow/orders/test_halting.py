"""Promise: while trading is halted nothing new is signed; what is signed goes on to its end."""

from dataclasses import replace
from decimal import Decimal

import pytest

from quantdesk.chains.port import Transaction
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.guard.halts import Halt, Halts, Scope
from quantdesk.testing.chain import Plan
from quantdesk.testing.stage import START_MS, Desk, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus


def halted(scope: Scope = "new") -> Halt:
    """Return a halt of that scope."""
    return Halt(scope=scope, reason="a drill", at_ms=START_MS)


def desk_of(stage: Stage, halts: Halts) -> Desk:
    """Start a desk that these halts stop."""
    return stage.desk(rules=replace(stage.rules, halts=halts))


async def test_that_a_halted_order_waits_and_is_filled_once_after_the_halt(stage: Stage) -> None:
    halts = Halts()
    halts.set(halted(), {})
    desk = desk_of(stage, halts)
    await stage.place(desk)
    await stage.run_for(300)

    (waiting,) = await stage.stored()
    assert (waiting.status, waiting.waiting, waiting.version) == (S.PENDING, "halt", 2)
    assert await stage.attempts([waiting.id]) == {}

    halts.set(None, {})
    assert await stage.run_until(stage.all_ended, within_s=30)
    (order,) = await stage.stored()
    assert (order.status, order.attempt) == (S.CONFIRMED, 1)
    assert len((await stage.attempts([order.id]))[order.id]) == 1


async def test_that_a_halt_in_the_middle_of_signing_drops_what_nobody_has(stage: Stage) -> None:
    halts = Halts()
    sign = stage.chain.prepare

    async def halted_meanwhile(*asked: object) -> Transaction:
        signed = await sign(*asked)  # type: ignore[arg-type]
        halts.set(halted(), {})
        return signed

    stage.chain.prepare = halted_meanwhile  # type: ignore[method-assign,assignment]
    desk = desk_of(stage, halts)
    await stage.place(desk)
    await stage.run_for(60)

    (waiting,) = await stage.stored()
    assert (waiting.status, waiting.waiting, waiting.attempt) == (S.ROUTING, "halt", 1)
    assert waiting.execution_price is None
    assert await stage.attempts([waiting.id]) == {}
    assert not stage.chain.sent

    stage.chain.prepare = sign  # type: ignore[method-assign]
    halts.set(None, {})
    assert await stage.run_until(stage.all_ended, within_s=30)
    (order,) = await stage.stored()
    assert order.status is S.CONFIRMED


@pytest.mark.parametrize("scope", ["new", "all"])
async def test_that_what_is_signed_goes_on_to_its_end(stage: Stage, scope: Scope) -> None:
    halts = Halts()
    desk = desk_of(stage, halts)
    await stage.place(desk)

    async def submitted() -> bool:
        return (await stage.stored())[0].status is S.SUBMITTED

    assert await stage.run_until(submitted, within_s=10)
    halts.set(halted(scope), {})
    cancelled, left = await desk.orders.cancel_all()
    assert (cancelled, [order.status for order in left]) == ([], [S.SUBMITTED])

    assert await stage.run_until(stage.all_ended, within_s=30)
    (order,) = await stage.stored()
    assert order.status is S.CONFIRMED


async def test_that_no_second_attempt_is_signed_while_halted(stage: Stage) -> None:
    stage.chain.plan_of = lambda _order, attempt: Plan(
        reverts="slippage.exceeded" if attempt == 1 else ""
    )
    halts = Halts()
    desk = desk_of(stage, halts)
    await stage.place(desk)

    async def submitted() -> bool:
        return (await stage.stored())[0].status is S.SUBMITTED

    assert await stage.run_until(submitted, within_s=10)
    halts.set(halted(), {})
    await stage.run_for(120)
    (waiting,) = await stage.stored()
    assert (waiting.status, waiting.waiting, waiting.attempt) == (S.ROUTING, "halt", 2)
    assert len((await stage.attempts([waiting.id]))[waiting.id]) == 1


async def test_that_all_cancels_what_waits_and_what_comes_too_late_to_be_seen(
    stage: Stage,
) -> None:
    halts = Halts()
    desk = desk_of(stage, halts)
    resting = await stage.place(desk, Wish(limit_price=Decimal(99)))
    await stage.run_for(5)
    halts.set(halted("all"), {})
    cancelled, left = await desk.orders.cancel_all()
    assert (cancelled, left) == ([resting.order.id], [])

    # Approved before the halt, stored after the sweep: as from a process that has not heard of it.
    await stage.place(desk)
    await stage.run_for(5)
    assert [order.status for order in await stage.stored()] == [S.CANCELLED, S.CANCELLED]
    assert not stage.chain.sent
    assert len(desk.orders.usage) == 0


async def test_that_a_halted_account_stops_nobody_else(stage: Stage) -> None:
    halts = Halts()
    halts.set(None, {stage.new_id(): halted("all")})
    desk = desk_of(stage, halts)
    await stage.place(desk)
    assert await stage.run_until(stage.all_ended, within_s=30)
    assert (await stage.stored())[0].status is S.CONFIRMED

    cancelled, left = await desk.orders.cancel_all(stage.new_id())
    assert (cancelled, left) == ([], [])


async def test_that_an_order_expires_also_while_halted(stage: Stage) -> None:
    halts = Halts()
    halts.set(halted(), {})
    desk = desk_of(stage, halts)
    await stage.place(desk, Wish(limit_price=Decimal(99), expires_ms=START_MS + 20_000))
    assert await stage.run_until(stage.all_ended, within_s=60)
    (order,) = await stage.stored()
    assert order.status is S.FAILED
    assert order.error is not None
    assert order.error.code == "order.expired"
    assert "halted" in order.error.detail


async def test_that_a_desk_started_while_halted_leaves_claimed_orders_waiting(
    stage: Stage,
) -> None:
    halts = Halts()
    desk = desk_of(stage, halts)
    await stage.place(desk, Wish(limit_price=Decimal(99)))
    await stage.run_for(5)
    desk.life.dead = True
    await stage.bury(desk)

    halts.set(halted(), {})
    stage.venues[0].prices["SOL-USDC"].append((0.0, Decimal(98)))  # its price is met meanwhile
    desk_of(stage, halts)
    await stage.run_for(60)
    (waiting,) = await stage.stored()
    assert (waiting.status, waiting.waiting) == (S.PENDING, "halt")

    halts.set(None, {})
    assert await stage.run_until(stage.all_ended, within_s=30)
    assert (await stage.stored())[0].status is S.CONFIRMED
