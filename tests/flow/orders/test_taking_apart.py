"""Promise: orders taken in one process and executed in another fill once, whoever of them dies."""

from collections.abc import AsyncIterator
from dataclasses import replace
from decimal import Decimal
from random import Random

import pytest

from quantdesk.engines.orders.engine import TOPIC, Orders
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.engines.orders.recount import RECOUNT_S
from quantdesk.engines.orders.taking import Taking, Working
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.chain import Plan
from quantdesk.testing.killing import Cut
from quantdesk.testing.stage import Desk, Stage, Wish
from quantdesk.testing.sweep import Scenario, cuts_of, tell

pytestmark = pytest.mark.anyio
S = OrderStatus
SEED = 20_261_122
RUNS = 50
WISH = Wish(key="once")
LATE = {1: Plan(lands_after_s=1.5)}


@pytest.fixture
async def pools(database: str) -> AsyncIterator[Pools]:
    """Open enough connections for several processes, of which the frozen give nothing back."""
    async with await connect(database, write_max=24, read_max=24) as opened:
        yield opened


def process(stage: Stage, kind: type[Orders], cut: Cut | None = None) -> Desk:
    """Start a process of a role; whatever it is, it hears the others and they hear it."""
    stage.kind = kind
    desk = Stage.desk(stage, cut)
    for other in stage.desks:
        if other is not desk:
            link(desk, other)
            link(other, desk)
    return desk


def link(one: Desk, other: Desk) -> None:
    """Let one process hear another."""
    if isinstance(one.orders, Taking | Working):
        other.orders._bus.listen(TOPIC, one.orders.heard)


def roles(stage: Stage, *, cut: type[Orders], beside: type[Orders]) -> None:
    """Let the story's processes be of one role, beside one of the other that is never cut."""
    partner = process(stage, beside)
    place = stage.place

    def desk(at: Cut | None = None, _rules: object = None) -> Desk:
        return process(stage, cut, at)

    setattr(stage, "desk", desk)  # noqa: B010 - the stage's next processes are of this role
    if beside is Taking:
        setattr(stage, "place", lambda _desk, wish: place(partner, wish))  # noqa: B010


TAKER_CUT = Scenario(
    name="the taker is cut", wishes=(WISH,), orders_max=1,
    before=lambda stage: roles(stage, cut=Taking, beside=Working),
)  # fmt: skip
WORKER_CUT = Scenario(
    name="the worker is cut", wishes=(WISH,), plans=LATE, orders_max=1,
    before=lambda stage: roles(stage, cut=Working, beside=Taking),
)  # fmt: skip


@pytest.mark.parametrize("story", [TAKER_CUT, WORKER_CUT], ids=lambda story: story.name)
async def test_that_no_cut_of_either_fills_twice_or_loses_an_order(
    pools: Pools, story: Scenario
) -> None:
    whole = await tell(pools, story, (), day=1)
    assert whole.violations == []
    cuts = cuts_of(whole)
    chosen = Random(SEED).sample(cuts, min(RUNS, len(cuts)))

    told = [await tell(pools, story, (cut,), day=day) for day, cut in enumerate(chosen, 2)]

    assert [(one.cuts, one.violations) for one in told if one.violations] == []
    assert sum(one.struck for one in told) >= len(chosen) // 2


async def test_that_a_worker_that_hears_of_an_order_has_it_before_it_would_look(
    stage: Stage,
) -> None:
    taker, worker = process(stage, Taking), process(stage, Working)
    await stage.rest()
    began = stage.clock.monotonic()
    await stage.place(taker)
    await stage.rest()

    (order,) = await stage.stored()

    assert order.status in {S.SUBMITTED, S.CONFIRMED}
    assert stage.clock.monotonic() == began, "no poll was waited for"
    assert await stage.run_until(stage.all_ended, within_s=5)
    assert [event.version for event in taker.told] == [1]
    assert {event.version for event in worker.told} == {1, 2, 3, 4, 5}
    assert len(taker.orders.usage) == len(worker.orders.usage) == 0


async def test_that_a_lost_word_costs_a_second_at_most(stage: Stage) -> None:
    taker = process(stage, Taking)
    stage.kind = Working
    stage.desk()  # hears nobody, nobody hears it
    await stage.rest()
    began = stage.clock.monotonic()
    await stage.place(taker)

    async def is_led() -> bool:
        return (await stage.stored())[0].status is not S.PENDING

    assert await stage.run_until(is_led, within_s=5)
    assert stage.clock.monotonic() - began <= 1.0
    assert await stage.run_until(stage.all_ended, within_s=5)


async def test_that_an_end_that_was_not_heard_stops_counting_all_the_same(stage: Stage) -> None:
    taker = process(stage, Taking)
    assert isinstance(taker.orders, Taking)
    stage.kind = Working
    stage.desk()
    await stage.place(taker)
    assert await stage.run_until(stage.all_ended, within_s=5)
    assert len(taker.orders.usage) == 1
    await taker.orders.step()
    assert len(taker.orders.usage) == 1, "not every pass asks for all"

    await stage.run_for(RECOUNT_S)
    await taker.orders.step()

    assert len(taker.orders.usage) == 0


async def test_that_what_one_takes_counts_at_the_other_until_it_ends(stage: Stage) -> None:
    first, second = process(stage, Taking), process(stage, Taking)
    assert isinstance(second.orders, Taking)
    placed = await stage.place(first)
    await stage.rest()
    await second.orders.step()
    usage = second.orders.usage
    assert usage.of(stage.account_id, now_ms=stage.clock.now_ms()) == (1, Decimal(100))

    await first.orders.cancel(stage.account_id, placed.order.id)
    await stage.rest()

    assert usage.of(stage.account_id, now_ms=stage.clock.now_ms()) == (0, Decimal(0))


async def test_that_what_was_missed_is_counted_once_the_bus_says_so(stage: Stage) -> None:
    stage.kind = Taking
    first, second = stage.desk(), stage.desk()  # neither hears the other
    assert isinstance(second.orders, Taking)
    await stage.rest()
    await stage.place(first)
    await second.orders.step()
    assert len(second.orders.usage) == 0

    second.orders.missed(stage.clock.now_ms())
    await second.orders.step()

    assert len(second.orders.usage) == 1


async def test_that_a_worker_lets_go_of_what_another_process_cancels(stage: Stage) -> None:
    taker, worker = process(stage, Taking), process(stage, Working)
    placed = await stage.place(taker, replace(WISH, limit_price=Decimal(1)))
    await stage.rest()
    assert list(worker.orders._running) == [placed.order.id]

    cancelled = await taker.orders.cancel(stage.account_id, placed.order.id)
    await stage.rest()

    assert cancelled.status is S.CANCELLED
    assert not worker.orders._running
    assert len(worker.orders.usage) == 0
    assert stage.chain.signatures(placed.order.id) == []


async def test_that_a_taker_leads_nothing_however_long_nobody_else_does(stage: Stage) -> None:
    taker = process(stage, Taking)
    await stage.place(taker)
    await stage.run_for(60)

    (order,) = await stage.stored()

    assert (order.status, order.version) == (S.PENDING, 1)
    assert not taker.orders._running
    assert stage.chain.signatures(order.id) == []
