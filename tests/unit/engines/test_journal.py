"""Promise: moves are committed together, told only once true, and never stand on a lost one."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from quantdesk.core.errors import Corrupt, Unavailable
from quantdesk.core.markets import Side
from quantdesk.engines.orders.journal import Journal, LeaseLost
from quantdesk.engines.orders.model import NewOrder, Order, OrderEvent, OrderStatus, Step
from quantdesk.testing.clock import ManualClock

S = OrderStatus
Answer = Callable[[Sequence[Step]], Awaitable[dict[UUID, UUID]]]


def _order(number: int = 1, version: int = 1) -> Order:
    return Order(
        id=UUID(int=number), mode="paper", account_id=UUID(int=99), pair="SOL-USDC",
        side=Side.BUY, base_raw=1, slippage_bps=50, notional_usd=Decimal(1), created_ms=0,
        updated_ms=0, version=version,
    )  # fmt: skip


def _new(order: Order) -> NewOrder:
    return NewOrder(order, UUID(int=7), {})


class _Store:
    """Commits when told to; `answers` overrides what the next commits say."""

    def __init__(self) -> None:
        self.batches: list[list[Step]] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.answers: list[BaseException | dict[UUID, UUID] | None] = []

    async def commit(self, steps: Sequence[Step]) -> dict[UUID, UUID]:
        self.batches.append(list(steps))
        await self.gate.wait()
        answer = self.answers.pop(0) if self.answers else None
        if isinstance(answer, BaseException):
            raise answer
        return {step.order.id: step.order.id for step in steps} if answer is None else answer


class _Desk:
    def __init__(self) -> None:
        self.store, self.clock = _Store(), ManualClock()
        self.told: list[OrderEvent] = []
        self.journal = Journal(commit=self.store.commit, publish=self.told.extend, clock=self.clock)


def _play(story: Callable[[_Desk], Coroutine[Any, Any, None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story(_Desk())

    asyncio.run(bounded())


async def _turns() -> None:
    for _ in range(6):
        await asyncio.sleep(0)


def test_that_moves_of_one_order_become_one_step() -> None:
    async def story(desk: _Desk) -> None:
        order = _order()
        stored = desk.journal.create(_new(order))
        order = order.moved(S.ROUTING, at_ms=1)
        desk.journal.move(order)
        order = order.moved(S.BUILDING, at_ms=1)
        last = desk.journal.move(order)
        assert await stored == order.id
        await last
        ((step,),) = desk.store.batches
        assert (step.version_from, step.order.version) == (0, 3)
        assert [event.version for event in step.events] == [1, 2, 3]
        assert [event.status for event in desk.told] == [S.PENDING, S.ROUTING, S.BUILDING]

    _play(story)


def test_that_only_one_step_of_an_order_is_under_way() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.gate.clear()
        order, other = _order(1), _order(2)
        first = desk.journal.move(order.moved(S.ROUTING, at_ms=1))
        await _turns()
        order = order.moved(S.ROUTING, at_ms=1).moved(S.BUILDING, at_ms=2)
        second = desk.journal.move(order)
        third = desk.journal.move(other.moved(S.ROUTING, at_ms=1))
        await _turns()
        assert [[s.order.id.int for s in steps] for steps in desk.store.batches] == [[1]]
        desk.store.gate.set()
        await asyncio.gather(first, second, third)
        ids = [sorted(s.order.id.int for s in steps) for steps in desk.store.batches]
        assert ids == [[1], [1, 2]]
        assert [s.version_from for s in desk.store.batches[1] if s.order.id.int == 1] == [2]

    _play(story)


def test_that_nothing_is_told_before_it_is_committed() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.gate.clear()
        done = desk.journal.move(_order().moved(S.ROUTING, at_ms=1))
        await _turns()
        assert desk.told == []
        desk.store.gate.set()
        await done
        assert [event.version for event in desk.told] == [2]

    _play(story)


def test_that_a_lost_order_is_told_to_its_leader_and_to_nobody_else() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.answers = [{UUID(int=2): UUID(int=2)}]
        lost = desk.journal.move(_order(1).moved(S.ROUTING, at_ms=1))
        kept = desk.journal.move(_order(2).moved(S.ROUTING, at_ms=1))
        await kept
        with pytest.raises(LeaseLost):
            await lost
        assert [event.order_id.int for event in desk.told] == [2]

    _play(story)


def test_that_no_move_stands_on_one_that_was_lost_unseen() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.answers = [{}]
        order = _order().moved(S.ROUTING, at_ms=1)
        desk.journal.move(order)  # nobody waits for it
        await _turns()
        with pytest.raises(LeaseLost):
            await desk.journal.move(order.moved(S.BUILDING, at_ms=2))
        assert len(desk.store.batches) == 1, "the second was not even tried"

        desk.journal.forget(order.id)
        await desk.journal.move(_order().moved(S.ROUTING, at_ms=3))

    _play(story)


def test_that_a_move_held_behind_a_lost_one_is_lost_with_it() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.gate.clear()
        desk.store.answers = [{}]
        order = _order().moved(S.ROUTING, at_ms=1)
        desk.journal.move(order)
        await _turns()
        held = desk.journal.move(order.moved(S.BUILDING, at_ms=2))
        desk.store.gate.set()
        with pytest.raises(LeaseLost):
            await held
        assert len(desk.store.batches) == 1

    _play(story)


def test_that_moves_wait_for_the_database_and_new_orders_are_refused() -> None:
    async def story(desk: _Desk) -> None:
        away = Unavailable("away", code="database.unavailable")
        desk.store.answers = [away, away]
        moved = desk.journal.move(_order(1).moved(S.ROUTING, at_ms=1))
        fresh = desk.journal.create(_new(_order(2)))
        with pytest.raises(Unavailable):
            await fresh
        assert desk.journal.waiting_for_database
        assert not moved.done()
        await desk.clock.advance(1.0)
        await moved
        assert not desk.journal.waiting_for_database
        assert [event.order_id.int for event in desk.told] == [1]

    _play(story)


def test_that_one_who_stopped_waiting_does_not_hold_up_the_others() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.gate.clear()
        gone = desk.journal.move(_order(1).moved(S.ROUTING, at_ms=1))
        stays = desk.journal.move(_order(2).moved(S.ROUTING, at_ms=1))
        await _turns()
        gone.cancel()
        desk.store.gate.set()
        await stays

    _play(story)


def test_that_one_that_cannot_be_stored_takes_no_other_with_it() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.answers = [ZeroDivisionError(), None, ZeroDivisionError(), None]
        good, bad, fine = (
            desk.journal.move(_order(n).moved(S.ROUTING, at_ms=1)) for n in (1, 2, 3)
        )
        await asyncio.gather(good, fine)
        with pytest.raises(Corrupt):
            await bad
        assert [event.order_id.int for event in desk.told] == [1, 3]

    _play(story)


def test_that_what_gathered_behind_a_failed_batch_is_still_committed() -> None:
    async def story(desk: _Desk) -> None:
        desk.store.gate.clear()
        desk.store.answers = [ZeroDivisionError()]
        bad = desk.journal.move(_order(1).moved(S.ROUTING, at_ms=1))
        await _turns()
        good = desk.journal.move(_order(2).moved(S.ROUTING, at_ms=1))
        desk.store.gate.set()
        with pytest.raises(Corrupt):
            await bad
        await good

    _play(story)
