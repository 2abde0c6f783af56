"""Promise: a process without a key knows whose wallet signs, and two wallets never sign at once."""

import asyncio
from dataclasses import replace
from uuid import UUID

import pytest

from quantdesk.app.signing import Announcements, Announcing
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.engines.orders.signing import Signing
from quantdesk.store.pool import Pools
from quantdesk.testing.steps import SteppedClock

pytestmark = pytest.mark.anyio
FIRST = Signing("first", "http://127.0.0.1:1", "ws://127.0.0.1:2", ("table",), {"SOL": 10**18})
OTHER = replace(FIRST, wallet="other")


def says(pools: Pools, number: int, told: Signing, mode: str = "devnet") -> Announcing:
    """Return what speaks for a worker."""
    return Announcing(
        pools=pools,
        mode=mode,
        worker=UUID(int=number),
        told=lambda: told,
        clock=SteppedClock(now_ms=0),
    )


async def test_that_what_is_announced_is_read_as_it_was_said(pools: Pools) -> None:
    hears = Announcements(pools=pools, mode="devnet", clock=SteppedClock(now_ms=0))
    with pytest.raises(Unavailable) as absent:
        await hears.look()
    await says(pools, 1, FIRST).say()

    assert absent.value.code == "worker.absent"
    assert await hears.look() == FIRST
    assert hears.balances() == {"SOL": 10**18}
    assert await hears.probe() == "signs for first"
    other_mode = Announcements(pools=pools, mode="mainnet", clock=SteppedClock(now_ms=0))
    with pytest.raises(Unavailable):
        await other_mode.look()


async def test_that_another_wallet_waits_until_nobody_speaks_for_the_first(pools: Pools) -> None:
    first, second, third = (says(pools, n, t) for n, t in ((1, FIRST), (2, FIRST), (3, OTHER)))
    await first.say()
    await second.say()  # the same wallet: they share its orders
    with pytest.raises(Refused) as refused:
        await third.say()
    assert refused.value.code == "worker.other"

    await first.leave()  # the second spoke last: it is still there
    with pytest.raises(Refused):
        await third.say()
    await second.leave()
    hears = Announcements(pools=pools, mode="devnet", clock=SteppedClock(now_ms=0))
    await hears.look()
    with pytest.raises(Unavailable) as silent:
        await hears.probe()
    assert silent.value.code == "worker.silent"

    await third.say()

    assert (await hears.look()).wallet == "other"


async def test_that_who_stands_on_another_wallet_hears_that_it_is_gone(pools: Pools) -> None:
    clock = SteppedClock(now_ms=0)
    speaks = says(pools, 1, FIRST)
    await speaks.say()
    hears = Announcements(pools=pools, mode="devnet", clock=clock)
    await hears.look()
    moved = asyncio.create_task(hears.moved())
    await says(pools, 1, replace(FIRST, balances={"SOL": 1})).say()
    await hears.read()
    await asyncio.sleep(0)
    assert not moved.done(), "money comes and goes"
    assert hears.balances() == {"SOL": 1}

    await says(pools, 1, replace(FIRST, ws="ws://127.0.0.1:3")).say()
    await hears.read()

    with pytest.raises(Unavailable) as gone:
        await moved
    assert gone.value.code == "worker.moved"
