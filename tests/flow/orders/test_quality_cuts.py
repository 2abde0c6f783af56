"""Promise: killed, lied to or doubled, the ledger loses no fill, doubles none and bends none."""

import asyncio
from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from typing import cast

import pytest
from tests.flow.orders.books import NAMES, SPLIT, Trade, World, said

from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.quality.ledger import Ledger
from quantdesk.store.pool import ReadPool, WritePool
from quantdesk.testing.killing import Cut, How, Life
from quantdesk.testing.stage import Stage

pytestmark = pytest.mark.anyio


@pytest.fixture
def world(stage: Stage) -> World:
    return World(stage)


@pytest.mark.parametrize("how", [How.KILL, How.LOSE])
async def test_that_no_cut_loses_doubles_or_changes_a_row(
    world: World, stage: Stage, how: How
) -> None:
    whole = await _told(world, None)
    effects = len(whole.effects)
    wanted = await _books(world, whole)
    assert effects > 8
    assert len(wanted) == 3

    for number in range(1, effects + 1):
        for after in (False, True):
            cut = await _told(world, Cut(number, after, how))
            assert cut.life.struck, f"effect {number} was not reached"
            assert await _books(world, cut) == wanted, (number, after, cut.effects)


class _Told:
    """A story of two fills: one ledger that is cut, and the one that takes over."""

    def __init__(self, life: Life) -> None:
        self.life = life
        self.began_ms = 0
        self.effects: list[str] = []


async def _told(world: World, cut: Cut | None) -> _Told:
    told = _Told(Life(cut))
    stage = world.stage
    told.began_ms = stage.clock.now_ms()
    ledger, heir = world.ledger(told.life), world.ledger()
    world.say("SOL", 100)
    for trade in (SPLIT, Trade()):
        await world.fill(trade, ledger=ledger)
        heir.look()  # its desk runs beside the first one
    for second in range(12):
        world.say("SOL", 100 + second)
        world.say("USDC", 1)
        for one in (ledger, heir):
            one.look()
        await _step(stage, ledger, told.life)
        await stage.run_for(1)
    told.effects = list(told.life.effects)
    while await heir.step():
        pass
    return told


async def _step(stage: Stage, ledger: Ledger, life: Life) -> None:
    """Make a pass unless dead; one that dies in it hangs for good and is let go."""
    if life.dead:
        return
    stepping = asyncio.create_task(_patient(ledger))
    while not stepping.done() and not life.hanging:
        await stage.clock.sleep(0)
    stepping.cancel()
    await asyncio.wait((stepping,))


async def _patient(ledger: Ledger) -> None:
    with suppress(Unavailable):
        await ledger.step()


async def _books(world: World, told: _Told) -> list[tuple[object, ...]]:
    found = await world.entries(world.ledger(), since_ms=told.began_ms)
    assert await world.unread() == []
    return [
        (e.venue, e.leg, e.landed_raw, e.landed_ms - told.began_ms, tuple(said(e).items()))
        for e in sorted(found, key=lambda e: (e.order_id, e.leg))
    ]


async def test_that_two_ledgers_keep_one_book(world: World) -> None:
    first, second = world.ledger(), world.ledger()
    world.say("SOL", 100)
    for _ in range(20):
        await world.fill(SPLIT, ledger=first)
    second.look()

    await asyncio.gather(first.step(), second.step())

    found = await world.entries(first)
    assert len(found) == 40
    assert {said(entry)["landing"] for entry in found} == {Decimal(100)}


@pytest.mark.parametrize("effect", ["db:with", "db:update"])
async def test_that_a_ledger_that_slept_overwrites_nothing(world: World, effect: str) -> None:
    life = Life()
    sleeper, other = world.ledger(life), world.ledger()
    world.say("SOL", 100)
    sleeper.look()
    await sleeper.step()
    await world.fill(SPLIT, ledger=sleeper)
    other.look()
    # It reads what is unread and enters that; or reads what is unread, what is due, and writes.
    steps = 2
    if effect == "db:update":
        await sleeper.step()
        await world.stage.run_for(10)
        _look(world, sleeper, price=999)
        steps = 3
    life.cut = Cut(len(life.effects) + steps, after=False, how=How.FREEZE)
    asleep = asyncio.create_task(sleeper.step())
    while not life.frozen:
        await world.stage.clock.sleep(0)
    assert life.effects[-1] == effect

    if effect == "db:with":
        await other.step()
        await world.stage.run_for(10)
    _look(world, other, price=101)
    await other.step()
    before = await world.entries(other)
    life.thaw()
    await asleep

    assert [said(entry)["markout_10s"] for entry in before] == [Decimal(101)] * 2
    assert await world.entries(other) == before
    assert await world.unread() == []


def _look(world: World, ledger: Ledger, *, price: int) -> None:
    world.say("USDC", 1)
    world.say("SOL", price)
    ledger.look()


async def test_that_what_nobody_looked_at_is_missing_and_not_wrong(world: World) -> None:
    world.say("SOL", 100)
    await world.fill()
    await world.stage.run_for(30)  # no ledger runs: its desk was killed with the fill

    heir = world.ledger()
    await world.live(heir, 275, price=107)

    (entry,) = await world.entries(heir)
    assert said(entry) == {
        "landing": "late", "markout_10s": "late",
        "markout_1m": Decimal(107), "markout_5m": Decimal(107),
    }  # fmt: skip


async def test_that_a_fill_that_a_later_desk_learned_of_is_not_marked_by_the_hour_it_came_back(
    world: World,
) -> None:
    heir = world.ledger()
    await world.live(heir, 2, price=150)  # its board, long after the fill
    await world.fill(Trade(learned_after_ms=45_000), ledger=heir)
    await world.live(heir, 260, price=107)

    (entry,) = await world.entries(heir)
    assert said(entry) == {
        "landing": "late", "markout_10s": "late",
        "markout_1m": Decimal(107), "markout_5m": Decimal(107),
    }  # fmt: skip
    assert entry.marks[2].at_ms is not None
    assert 60_000 <= entry.marks[2].at_ms - entry.landed_ms <= 61_000


class _Behind:
    """A clock that was set back."""

    def __init__(self, clock: Clock, by_ms: int) -> None:
        self._clock = clock
        self._by_ms = by_ms

    def now_ms(self) -> int:
        return self._clock.now_ms() - self._by_ms


@pytest.mark.parametrize("heard", ["before", "after", "by another"])
async def test_that_a_clock_set_back_leaves_no_price_of_another_moment(
    world: World, heard: str
) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    await world.fill(ledger=ledger)
    if heard != "after":
        await world.live(ledger, 4, price=100)
    if heard == "by another":
        ledger = world.ledger()
    ledger._clock = cast("Clock", _Behind(world.stage.clock, 30_000))
    await world.live(ledger, 75, price=500)

    (entry,) = await world.entries(ledger)
    known = {} if heard == "after" else {"landing": Decimal(100)}
    assert said(entry) == dict.fromkeys(NAMES, "clock.jumped") | known
    assert entry.next_due_ms is None


async def test_that_without_the_database_a_markout_keeps_its_moment(world: World) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    await world.fill(ledger=ledger)
    pools = ledger._pools
    away = _Away()
    ledger._pools = replace(pools, write=cast("WritePool", away), read=cast("ReadPool", away))
    for price in (101, 102):
        for _ in range(10):
            await world.stage.run_for(1)
            world.say("SOL", price)
            world.say("USDC", 1)
            ledger.look()
            with pytest.raises(Unavailable):
                await ledger.step()
    ledger._pools = pools
    while await ledger.step():
        pass

    (entry,) = await world.entries(ledger)
    assert said(entry) == {"landing": Decimal(100), "markout_10s": Decimal(101)}
    assert entry.marks[1].at_ms == entry.landed_ms + 10_000


class _Away:
    def connection(self) -> "_Away":
        raise Unavailable("the database is away", code="database.unavailable")

    transaction = connection
