"""Promise: what is told reaches the audit once; what finds no room is counted, and it is said."""

import asyncio
from typing import Any, cast

import pytest
from tests.flow.access.audited import World

from quantdesk.access.audit import told
from quantdesk.access.audit.told import Told
from quantdesk.core.errors import Unavailable
from quantdesk.testing.killing import Cut, How, Life, Ports, wrapped

pytestmark = pytest.mark.anyio


def ear(world: World, *, life: Life | None = None, room: int = 10_000) -> Told:
    pools = world.pools
    if life is not None:
        ports = Ports(pools, cast("Any", None), cast("Any", None), world.clock)
        pools = wrapped(ports, life).pools
    return Told(pools=pools, clock=world.clock, new_id=world.new_id, room=room)


async def test_that_what_is_told_is_noted_soon(world: World) -> None:
    mine = ear(world)
    running = asyncio.get_running_loop().create_task(mine.run())
    for _ in range(3):
        mine.tell(world.act("request.refused", code="request.forbidden"))
    await world.clock.asleep(1)
    await world.clock.advance(told.GATHER_S)
    while len(mine):  # noqa: ASYNC110 - a turn, not a time
        await asyncio.sleep(0)
    running.cancel()
    await world.keep(0)
    assert (await world.actions()).count("request.refused") == 3


async def test_that_more_than_a_batch_is_noted_whole(world: World) -> None:
    mine = ear(world)
    for _ in range(told.BATCH + 1):
        mine.tell(world.act("request.refused"))
    await mine.flush()
    assert len(mine) == 1
    await mine.flush()
    await world.keep(0)
    assert (await world.actions()).count("request.refused") == told.BATCH + 1


async def test_that_what_finds_no_room_is_counted_and_said_once(world: World) -> None:
    mine = ear(world, room=5)
    for _ in range(12):
        mine.tell(world.act("request.refused"))
    assert (len(mine), mine.dropped) == (5, 7)
    await mine.flush()
    await mine.flush()
    await world.keep(0)
    assert (await world.actions())[1:] == ["request.refused"] * 5 + ["audit.dropped"]
    async with world.pools.read.connection() as c:
        said = await c.fetchval(
            "select body -> 'after' ->> 'acts' from audit where body ->> 'action' = 'audit.dropped'"
        )
    assert said == "7"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", [1, 2])
async def test_that_a_lost_answer_loses_and_repeats_nothing(
    world: World,
    at: int,
    after: bool,  # noqa: FBT001
) -> None:
    life = Life(Cut(at, after, How.LOSE))
    mine = ear(world, life=life)
    mine.tell(world.act("request.refused"))
    with pytest.raises(Unavailable):
        await mine.flush()
    assert len(mine) == 1
    await world.keep(0)  # the keeper may take what was noted before it is told again
    await mine.flush()
    await world.keep(0)
    assert life.struck
    assert (await world.actions()).count("request.refused") == 1
