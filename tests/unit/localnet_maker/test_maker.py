"""The maker brings pools to the board's price by bounded swaps, and survives their failure."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal

import pytest
from tests.unit.localnet_maker.product import SOL, Product, reserves

from quantdesk.core.errors import Unavailable
from quantdesk.core.markets import MARKETS
from quantdesk.core.prices import Reading
from quantdesk.ingest.board import Board
from quantdesk.localnet.maker import Correction, Maker, Terms
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.port import Venue


@dataclass
class _Desk:
    clock: ManualClock
    board: Board
    venue: Product
    maker: Maker
    taken: list[Correction]
    faults: list[Exception]
    hold: asyncio.Event

    def say(self, price: str, symbol: str = "SOL") -> None:
        now_ms = self.clock.now_ms()
        self.board.take(Reading("here", symbol, Decimal(price), Decimal(0), now_ms), now_ms)


def play(scene: Callable[[_Desk], Awaitable[None]], venue: Product, **terms: int) -> None:
    async def run() -> None:
        clock, board, hold = ManualClock(), Board(), asyncio.Event()
        taken: list[Correction] = []
        faults: list[Exception] = []
        hold.set()

        async def swap(wanted: Correction) -> None:
            taken.append(wanted)
            await hold.wait()
            if faults:
                raise faults.pop(0)
            venue.take(wanted)

        port: Venue = venue
        maker = Maker(
            venues=[port], board=board, swap=swap, clock=clock, chance=lambda: 0.5,
            terms=Terms(markets=(SOL,), **terms),  # type: ignore[arg-type]
        )  # fmt: skip
        task = asyncio.create_task(maker.run())
        await asyncio.sleep(0)
        desk = _Desk(clock, board, venue, maker, taken, faults, hold)
        try:
            await scene(desk)
            await clock.advance(0)
            assert not task.done()
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        assert not board.followed

    asyncio.run(run())


def test_that_pools_follow_the_board() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        for second in range(60):
            price = str(150 + second % 7 * Decimal("0.3"))
            desk.say(price)
            await desk.clock.advance(1)
            assert desk.venue.off_bps("a", price) < 5
            desk.say("1", "USDC")
        assert desk.maker.counts["swaps"] == len(desk.taken) > 50

    play(scene, Product({"a": reserves("150")}))


def test_that_the_stablecoins_own_price_counts() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("150")
        desk.say("0.75", "USDC")
        for _ in range(20):
            await desk.clock.advance(1)
            desk.say("150")
            desk.say("0.75", "USDC")
        assert desk.venue.off_bps("a", "200") < 5

    play(scene, Product({"a": reserves("150")}))


def test_that_nothing_is_traded_on_missing_or_stale_prices() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("200")
        await desk.clock.advance(11)
        desk.say("1", "USDC")
        await desk.clock.advance(0)
        assert (desk.taken, desk.maker.counts["blind"]) == ([], 2)
        desk.say("200")
        await desk.clock.advance(0)
        assert len(desk.taken) == 1

    play(scene, Product({"a": reserves("150")}))


def test_that_a_pool_is_not_traded_twice_on_the_same_state() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        desk.hold.clear()
        for price in ("160", "161", "162"):
            desk.say(price)
            await desk.clock.advance(0)
        assert len(desk.taken) == 1
        desk.venue.slot -= 1  # the swap lands, the venue has yet to hear of it
        desk.hold.set()
        await desk.clock.advance(1)
        desk.say("163")
        await desk.clock.advance(0)
        assert len(desk.taken) == 1
        desk.venue.slot += 1
        desk.say("164")
        await desk.clock.advance(0)
        assert len(desk.taken) == 2

    play(scene, Product({"a": reserves("150")}))


def test_that_a_state_that_never_comes_is_waited_for_five_seconds() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        desk.say("160")
        await desk.clock.advance(0)
        desk.venue.slot = 1
        await desk.clock.advance(4.9)
        desk.say("170")
        await desk.clock.advance(0)
        assert len(desk.taken) == 1
        await desk.clock.advance(0.1)
        desk.say("171")
        await desk.clock.advance(0)
        assert len(desk.taken) == 2

    play(scene, Product({"a": reserves("150")}))


def test_that_swaps_in_flight_are_bounded() -> None:
    async def scene(desk: _Desk) -> None:
        desk.hold.clear()
        desk.say("1", "USDC")
        desk.say("160")
        await desk.clock.advance(0)
        assert (len(desk.taken), desk.maker.counts["crowded"]) == (2, 3)
        desk.hold.set()
        await desk.clock.advance(0)
        desk.say("160.001")
        await desk.clock.advance(0)
        assert len(desk.taken) == 4

    play(scene, Product({name: reserves("150") for name in "abcde"}), in_flight_max=2)


def test_that_a_pool_whose_swap_failed_rests_ever_longer() -> None:
    async def scene(desk: _Desk) -> None:
        desk.faults += [Unavailable("no chain", code="rpc.unavailable")] * 3
        desk.say("1", "USDC")
        for tries, rest_s in enumerate([0.55, 1.05, 2.05], start=1):
            desk.say(str(200 + tries))
            await desk.clock.advance(rest_s - 0.01)
            assert len(desk.taken) == tries
            desk.say(str(210 + tries))
            await desk.clock.advance(0.01)
            assert len(desk.taken) == tries
        desk.say("220")
        await desk.clock.advance(0)
        assert (desk.maker.counts["failures"], desk.maker.counts["swaps"]) == (3, 1)

    play(scene, Product({"a": reserves("150")}))


def test_that_a_bug_in_the_swap_is_not_hidden() -> None:
    async def scene(desk: _Desk) -> None:
        desk.faults.append(ZeroDivisionError())
        desk.say("1", "USDC")
        desk.say("200")
        await desk.clock.advance(0)

    with pytest.raises(AssertionError):
        play(scene, Product({"a": reserves("150")}))


def test_that_a_venue_without_the_market_is_passed_over() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        desk.say("200")
        await desk.clock.advance(0)
        assert (desk.taken, desk.maker.counts["blind"]) == ([], 1)

    play(scene, replace(Product({"a": reserves("150")}), market=MARKETS["BTC-USDC"]))
