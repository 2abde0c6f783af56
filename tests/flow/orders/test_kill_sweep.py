"""Promise: wherever the process dies, freezes or is lied to, no order fills twice, none is lost.

A small share of what `python -m benches.kill_sweep` runs; and the sweep itself is held to account:
each planted fault, of the kinds that make desks fill twice, must be found.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from random import Random

import pytest
from benches.kill_sweep import sweep

from quantdesk.chains.port import Fate, Instruction, Sighting, Trade, Transaction
from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.store import write
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.killing import Cut, How
from quantdesk.testing.stage import Stage
from quantdesk.testing.stories import STORIES
from quantdesk.testing.sweep import Scenario, cuts_of, tell

pytestmark = pytest.mark.anyio

BY_NAME = {story.name: story for story in STORIES}
SEED = 20_261_121
RUNS = 160


@pytest.fixture
async def pools(database: str) -> AsyncIterator[Pools]:
    """Open enough connections for several desks, of which the frozen give nothing back."""
    async with await connect(database, write_max=24, read_max=24) as opened:
        yield opened


async def test_that_no_cut_makes_a_duplicate_or_loses_an_order(pools: Pools) -> None:
    said: list[str] = []

    rows = await sweep(pools, STORIES, runs=RUNS, seed=SEED, say=said.append)

    assert not said
    assert sum(row.runs for row in rows.values()) == RUNS
    assert all(row.clean for row in rows.values())


async def test_that_every_cut_of_the_happy_story_ends_confirmed(pools: Pools) -> None:
    whole = await tell(pools, BY_NAME["happy"], (), day=1)
    kills = cuts_of(whole, hows=(How.KILL,))

    told = [
        await tell(pools, BY_NAME["happy"], (cut,), day=day) for day, cut in enumerate(kills, 2)
    ]

    assert [violation for one in told for violation in one.violations] == []
    # The last few effects race with the story's end and may come too late to be cut.
    assert sum(one.struck for one in told) >= len(kills) - 4


async def test_that_a_cut_strikes_where_it_is_told_to(pools: Pools) -> None:
    whole = await tell(pools, BY_NAME["happy"], (), day=1)
    send = whole.effects.index("chain:send") + 1

    before = await tell(pools, BY_NAME["happy"], (Cut(send, after=False, how=How.KILL),), day=2)

    assert (before.struck, before.violations) == (1, [])


async def _found(pools: Pools, story: Scenario, *, runs: int = 60) -> str:
    whole = await tell(pools, story, (), day=1)
    cuts = Random(SEED).sample(cuts_of(whole), runs)
    told = [await tell(pools, story, (cut,), day=day) for day, cut in enumerate(cuts, 2)]
    return "; ".join(violation for one in [whole, *told] for violation in one.violations)


async def test_that_a_desk_that_sends_before_it_commits_is_found(pools: Pools) -> None:
    def sends_while_signing(stage: Stage) -> None:
        prepare = stage.chain.prepare

        async def hasty(trade: Trade, instructions: Sequence[Instruction]) -> Transaction:
            transaction = await prepare(trade, instructions)
            await stage.chain.send(transaction)
            return transaction

        setattr(stage.chain, "prepare", hasty)  # noqa: B010 - the fault to be found

    found = await _found(pools, replace(BY_NAME["happy"], before=sends_while_signing))

    assert "sent before it was committed" in found
    assert "may still fill" in found
    assert "filled beside" in found


async def test_that_a_desk_that_signs_again_on_silence_is_found(pools: Pools) -> None:
    def takes_silence_for_death(stage: Stage) -> None:
        look = stage.chain.look
        stage.chain.fail("look", times=3)

        async def rash(transactions: Sequence[Transaction]) -> list[Sighting]:
            try:
                return await look(transactions)
            except Unavailable:
                return [Sighting(Fate.DEAD)] * len(transactions)

        setattr(stage.chain, "look", rash)  # noqa: B010 - the fault to be found

    found = await _found(pools, replace(BY_NAME["lands late"], before=takes_silence_for_death))

    assert "may still fill" in found
    assert "filled beside" in found


async def test_that_a_desk_that_moves_orders_without_comparing_is_found(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = "o.version = u.was and o.lease_owner = $4"
    assert compared in write._COMMIT
    monkeypatch.setattr(write, "_COMMIT", write._COMMIT.replace(compared, "$4::uuid is not null"))
    async with pools.write.transaction() as c:
        await c.execute("set local role none")  # as the owner of the tables
        # The second wall: without these keys nothing but the comparison stops the slower desk.
        await c.execute("alter table order_events drop constraint order_events_pkey")
        await c.execute("alter table order_attempts drop constraint order_attempts_pkey")

    found = await _found(pools, BY_NAME["dead, then filled"], runs=80)

    assert "versions [" in found
    assert "may still fill" in found
