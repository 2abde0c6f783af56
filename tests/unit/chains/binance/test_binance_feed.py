"""Promise: books come in as states that are in sync, and whatever breaks begins anew."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from structlog.testing import capture_logs
from tests.unit.chains.binance.world import POST, World, order, trade, world

from quantdesk.chains.binance import HmacKey, LiveBooks, Reports
from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import market
from quantdesk.testing.binance import LOST, SECRET, Bad
from quantdesk.testing.binance_exchange import Symbol
from quantdesk.venues.binance import Binance as Venue

pytestmark = pytest.mark.anyio
BOOK = "binance:book:SOLUSDC"
VENUE = Venue([market("SOL-USDC"), market("BTC-USDC")])


@dataclass
class Following:
    """What a stream has told so far."""

    w: World
    live: LiveBooks
    states: list[AccountState] = field(default_factory=list)
    told: asyncio.Event = field(default_factory=asyncio.Event)

    def book(self, address: str = BOOK) -> tuple[int, dict[str, list[list[str]]]]:
        """Return the latest state of a book."""
        state = next(s for s in reversed(self.states) if s.address == address)
        return state.slot, json.loads(state.data)

    async def until(self, met: Callable[[], bool]) -> None:
        """Return once the stream has told something."""
        async with asyncio.timeout(60):
            while not met():
                self.told.clear()
                await self.told.wait()

    async def until_slot(self, slot: int) -> None:
        """Return once the book has come as far."""
        await self.until(lambda: any(s.address == BOOK and s.slot >= slot for s in self.states))


@asynccontextmanager
async def following(w: World, *, lists_btc: bool = True) -> AsyncIterator[Following]:
    if lists_btc:
        w.server.list(Symbol("BTC", "USDC", bids={Decimal(60_000): Decimal(1)}))
    live = LiveBooks(
        url=w.server.ws_url, client=await w.client(), clock=w.clock, jitter=lambda: 0.0,
        silence_s=3_600,
    )  # fmt: skip
    made = Following(w, live)

    async def listen() -> None:
        async with aclosing(live.stream(VENUE.accounts)) as states:
            async for state in states:
                made.states.append(state)
                made.told.set()

    task = asyncio.create_task(listen())
    await w.server.opened(streams=1)
    try:
        yield made
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _synced(f: Following) -> None:
    """Stir the books until both are in sync."""
    for number in range(100):
        for symbol in f.w.exchange.symbols:
            await f.w.server.change(symbol, "b", "1", str(number + 1))
        for _ in range(20):
            await asyncio.sleep(0)
        if any(state.address == BOOK for state in f.states):
            return
    pytest.fail("no book in sync")


async def test_that_a_stream_tells_everything_a_venue_asks_for() -> None:
    async with world() as w, following(w) as f:
        await _synced(f)
        await f.until(lambda: {s.address for s in f.states} == set(VENUE.accounts()))
        venue = Venue([market("SOL-USDC")])
        for state in f.states:
            venue.update(state, seen_ms=w.clock.now_ms())
        sol = market("SOL-USDC")
        (pool,) = venue.pools(frozenset((sol.base.mint, sol.quote.mint)), now_ms=w.clock.now_ms())

        assert pool.exact_out(sol.quote.mint, 10**10).paid == 1_501_750_110
        assert f.live.connections == 1


async def test_that_changes_come_through() -> None:
    async with world() as w, following(w) as f:
        await _synced(f)
        await w.server.change("SOLUSDC", "a", "150.00", "7")
        await f.until_slot(w.exchange.symbols["SOLUSDC"].update_id)

        assert f.book()[1]["asks"][0] == ["150.00", "7"]


async def test_that_a_skipped_update_begins_anew_with_another_snapshot() -> None:
    async with world() as w, following(w) as f:
        await _synced(f)
        w.exchange.symbols["SOLUSDC"].bids[Decimal("149.99")] = Decimal(1)
        await w.server.change("SOLUSDC", "b", "149.98", "5", skip=3)
        await w.clock.asleep(1)
        await w.clock.advance(1)
        await w.server.opened(streams=2)
        f.states.clear()
        await _synced(f)

        assert f.book()[1]["bids"][:2] == [
            ["149.99000000", "1.00000000"],
            ["149.98000000", "5.00000000"],
        ]
        assert f.live.drops == 1


@pytest.mark.parametrize("said", ["shutdown", "garbage", "hang up"])
async def test_that_a_stream_that_ends_is_opened_again(said: str) -> None:
    async with world() as w, following(w) as f:
        await _synced(f)
        if said == "shutdown":
            await w.server.say("solusdc@depth@100ms", {"e": "serverShutdown", "E": 1})
        elif said == "garbage":
            await w.server.say(
                "solusdc@depth@100ms", {"e": "depthUpdate", "s": "SOLUSDC", "U": "x"}
            )
        else:
            await w.server.hang_up()
        async with asyncio.timeout(60):
            await w.clock.asleep(1)
        assert f.live.connections == 0
        await w.clock.advance(1)
        f.states.clear()
        await w.server.opened(streams=1)
        await _synced(f)

        assert f.live.connections == 1


async def test_that_a_question_that_fails_is_asked_again() -> None:
    async with world() as w:
        w.server.bad("GET /api/v3/depth", Bad(status=500, body=b""))
        async with following(w) as f:
            for number in range(50):
                await w.server.change("SOLUSDC", "b", "1", str(number + 1))
                if w.clock.sleepers:
                    break
                await asyncio.sleep(0.001)
            await w.clock.asleep(1)
            await w.clock.advance(1)
            await w.server.opened(streams=2)
            await _synced(f)

            assert f.live.drops == 1


async def test_that_books_that_cannot_be_read_are_asked_for_ever_more_rarely() -> None:
    async with world() as w:
        w.server.bad("GET /api/v3/depth", *[Bad(status=500, body=b"")] * 9)
        waits = []
        async with following(w) as f:
            for drop in range(1, 6):
                for number in range(200):
                    await w.server.change("SOLUSDC", "b", "1", str(number + 1))
                    if f.live.drops == drop and w.clock.sleepers:
                        break
                    await asyncio.sleep(0.001)
                began = w.clock.monotonic()
                while w.clock.sleepers:
                    await w.clock.advance(0.25)
                waits.append(w.clock.monotonic() - began)
                await w.server.opened(streams=drop + 1)

        assert waits == [0.25, 0.5, 1, 2, 4]


async def test_that_a_pair_the_exchange_does_not_list_keeps_no_other_from_being_followed() -> None:
    async with world() as w, following(w, lists_btc=False) as f:
        await _synced(f)
        (missing,) = (s for s in f.states if s.address == "binance:rules:BTCUSDC")

        assert (missing.data, missing.owner) == (b"", "")
        assert {s.address.rpartition(":")[2] for s in f.states if s.data} == {"SOLUSDC"}
        assert f.live.drops == 0


async def test_that_a_quiet_book_is_told_again_while_its_socket_lives() -> None:
    async with world() as w, following(w) as f:
        await _synced(f)
        slot, _ = f.book()
        f.states.clear()
        await w.clock.advance(2)
        await w.server.change("BTCUSDC", "b", "1", "9")
        await f.until_slot(slot)

        assert f.book()[0] == slot


async def test_that_reports_wake_the_chain_and_only_that() -> None:
    async with world() as w:
        desk, woken = await w.desk(), asyncio.Event()

        def wake(client_order_id: str) -> None:
            desk.wake(client_order_id)
            woken.set()

        reports = Reports(
            url=f"{w.server.ws_url}/ws-api/v3", client=await w.client(), clock=w.clock, wake=wake
        )
        task = asyncio.create_task(reports.run())
        await w.server.opened(listeners=1)
        w.server.bad(POST, LOST)
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        (asleep,) = await desk.look([made])
        await w.server.report()
        async with asyncio.timeout(60):
            await woken.wait()
        (awake,) = await desk.look([made])
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert (asleep.fate.value, awake.fate.value) == ("UNSEEN", "LANDED")


async def test_that_a_subscription_that_ends_is_made_again() -> None:
    async with world() as w:
        w.server.bad("GET /api/v3/time", Bad(status=500, body=b""))
        reports = Reports(
            url=f"{w.server.ws_url}/ws-api/v3", client=await w.client(), clock=w.clock,
            wake=lambda _: None,
        )  # fmt: skip
        task = asyncio.create_task(reports.run())
        await w.clock.asleep(1)
        await w.clock.advance(60)
        await w.server.opened(listeners=1)
        await w.server.hang_up()
        await w.clock.asleep(1)
        await w.clock.advance(60)
        await w.server.opened(listeners=1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@pytest.mark.parametrize("event", ["eventStreamTerminated", "serverShutdown"])
async def test_that_a_stream_the_exchange_ends_is_subscribed_to_again(event: str) -> None:
    async with world() as w:
        reports = Reports(
            url=f"{w.server.ws_url}/ws-api/v3", client=await w.client(), clock=w.clock,
            wake=lambda _: None,
        )  # fmt: skip
        task = asyncio.create_task(reports.run())
        await w.server.opened(listeners=1)
        w.exchange.reports.append({"e": event, "E": 1})
        await w.server.report()
        await w.clock.asleep(1)
        ended = reports.connections
        await w.clock.advance(60)
        await w.server.opened(listeners=2)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

        assert ended == 0


async def test_that_a_clock_set_anew_costs_one_subscription() -> None:
    async with world() as w:
        client = await w.client()
        await client.server_ms()
        w.exchange.skew_ms = 600_000
        reports = Reports(
            url=f"{w.server.ws_url}/ws-api/v3", client=client, clock=w.clock, wake=lambda _: None
        )
        with capture_logs() as logged:
            task = asyncio.create_task(reports.run())
            await w.clock.asleep(1)
            await w.clock.advance(60)
            await w.server.opened(listeners=1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        (dropped,) = logged
        assert dropped["why"].endswith("outside of the recvWindow. (-1021)")


async def test_that_a_refused_subscription_says_what_the_exchange_said() -> None:
    async with world() as w:
        key = HmacKey(api_key="x" * 64, secret=SECRET)
        reports = Reports(
            url=f"{w.server.ws_url}/ws-api/v3", client=await w.client(key=key), clock=w.clock,
            wake=lambda _: None,
        )  # fmt: skip
        with capture_logs() as logged:
            task = asyncio.create_task(reports.run())
            await w.clock.asleep(1)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        (dropped,) = logged
        said = "Binance says: Invalid API-key, IP, or permissions for action. (-2015)"
        assert (dropped["event"], dropped["why"]) == ("reports.dropped", said)
