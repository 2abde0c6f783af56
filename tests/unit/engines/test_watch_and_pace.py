"""Promise: the same bytes are sent again until the chain speaks; starts keep their pace."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import UUID

import msgspec
import pytest

from quantdesk.chains.port import Fate, Instruction, Trade, Transaction
from quantdesk.core.assets import ASSETS
from quantdesk.core.markets import Side
from quantdesk.engines.orders.pace import Pace
from quantdesk.engines.orders.watch import Watch
from quantdesk.testing.chain import PROGRAM, Fill, Plan, ScriptedChain
from quantdesk.testing.clock import ManualClock

ORDER = UUID(int=5)


def _play(story: Coroutine[Any, Any, None]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await story

    asyncio.run(bounded())


async def _signed(chain: ScriptedChain) -> Transaction:
    trade = Trade(Side.BUY, ASSETS["SOL"], ASSETS["USDC"], 10, 20, f"qd:{ORDER}:1")
    return await chain.prepare(trade, [Instruction(PROGRAM, (), msgspec.json.encode(Fill(10, 15)))])


async def _watched(
    plan: Plan, told: Callable[[], None] = lambda: None
) -> tuple[ManualClock, ScriptedChain, Watch, asyncio.Future[Any]]:
    clock = ManualClock()
    held = {"SOL": 10**10, "USDC": 10**10}
    chain = ScriptedChain(clock=clock, balances=held, plan_of=lambda _o, _a: plan, valid_blocks=50)
    watch = Watch(chain=chain, clock=clock)
    asyncio.get_running_loop().create_task(watch.run())
    made = await _signed(chain)
    await chain.send(made)
    return clock, chain, watch, watch.follow(ORDER, made, on_silence=told)


def test_that_the_same_bytes_are_sent_again_every_two_seconds() -> None:
    async def story() -> None:
        clock, chain, watch, done = await _watched(Plan(lands_after_s=None))
        await clock.advance(1.9)
        assert len(chain.sent) == 1
        await clock.advance(0.5)
        assert len(chain.sent) == 2
        await clock.advance(6.0)
        assert 4 <= len(chain.sent) <= 5
        assert len(set(chain.sent)) == 1
        assert watch.resends == len(chain.sent) - 1
        assert not done.done()

    _play(story())


def test_that_fates_end_the_watch() -> None:
    async def story() -> None:
        for plan, fate in (
            (Plan(), Fate.LANDED),
            (Plan(reverts="slippage.exceeded"), Fate.REVERTED),
            (Plan(lands_after_s=None), Fate.DEAD),
        ):
            clock, _, watch, done = await _watched(plan)
            await clock.advance(25)
            assert (await done).fate is fate
            assert len(watch) == 0

    _play(story())


def test_that_silence_is_told_once_per_outage_after_five_seconds() -> None:
    async def story() -> None:
        told: list[float] = []
        clock, chain, watch, done = await _watched(
            Plan(lands_after_s=19.0), lambda: told.append(clock.monotonic())
        )
        chain.down("look")
        await clock.advance(4.9)
        assert told == []
        await clock.advance(3.0)
        assert len(told) == 1
        chain.up()
        await clock.advance(1.0)
        chain.down("look")
        await clock.advance(8.0)
        assert (len(told), watch.silences) == (2, 2)
        chain.up()
        await clock.advance(8.0)
        assert (await done).fate is Fate.LANDED

    _play(story())


def test_that_who_stops_watching_is_forgotten() -> None:
    async def story() -> None:
        clock, chain, watch, done = await _watched(Plan(lands_after_s=None))
        done.cancel()
        await clock.advance(10)
        assert len(watch) == 0
        assert len(chain.sent) == 1

    _play(story())


@pytest.mark.parametrize(("rate", "starts"), [(0, [0, 0, 0]), (120, [0, 0.5, 1.0])])
def test_that_starts_keep_the_rate(rate: int, starts: list[float]) -> None:
    async def story() -> None:
        clock, began = ManualClock(), []
        pace = Pace(in_flight_max=10, rate_per_minute=rate, clock=clock)

        async def one() -> None:
            await pace.start()
            began.append(clock.monotonic())

        tasks = [asyncio.create_task(one()) for _ in range(3)]
        await clock.advance(2)
        await asyncio.gather(*tasks)
        assert began == starts

    _play(story())


def test_that_a_slot_given_up_while_waiting_goes_to_the_next() -> None:
    async def story() -> None:
        clock = ManualClock()
        pace = Pace(in_flight_max=1, rate_per_minute=60, clock=clock)
        await pace.start()
        waiting = asyncio.create_task(pace.start())
        pace.finish()
        await clock.advance(0.1)
        waiting.cancel()
        await clock.advance(0.1)
        last = asyncio.create_task(pace.start())
        await clock.advance(3)
        assert last.done()

    _play(story())
