"""The maker brings pools to the board's price by bounded swaps, and survives their failure."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.chains.port import Instruction
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.markets import MARKETS, Market, Side
from quantdesk.core.money import BPS
from quantdesk.core.prices import Reading
from quantdesk.ingest.board import Board
from quantdesk.localnet.maker import SIZE_STEPS, Maker, Terms, corrections
from quantdesk.testing.clock import ManualClock
from quantdesk.venues.port import Quote, Swap, Venue

SOL = MARKETS["SOL-USDC"]
FEE_BPS = 25


@dataclass
class _Product:
    """A venue of constant-product pools: {name: [base, quote]} in base units."""

    pools: dict[str, list[int]]
    market: Market = SOL
    slot: int = 1
    name: str = "product"
    asked: list[int] = field(default_factory=list)

    def accounts(self) -> tuple[str, ...]:
        return tuple(self.pools)

    def update(self, address: str, data: bytes, *, slot: int, seen_ms: int) -> None:
        raise AssertionError("pools move by `take`")

    def instructions(self, swap: Swap) -> list[Instruction]:
        raise AssertionError("the maker's callback builds these")

    def quotes(self, market: Market, side: Side, base_raw: int, *, now_ms: int) -> list[Quote]:
        if market != self.market:
            raise Unavailable("no pool", code="pool.gone")
        self.asked.append(base_raw)
        offers = [self._quote(name, side, base_raw, now_ms) for name in self.pools]
        found = [quote for quote in offers if quote is not None]
        if not found:
            raise Refused("too much", code="liquidity.insufficient")
        return found

    def take(self, quote: Quote) -> None:
        pool = self.pools[quote.pool]
        sign = 1 if quote.side is Side.SELL else -1
        pool[0], pool[1] = (
            pool[0] + sign * quote.base_raw,
            pool[0] * pool[1] // (pool[0] + sign * quote.base_raw),
        )
        self.slot += 1

    def mid(self, name: str) -> Decimal:
        base, quote = self.pools[name]
        digits = self.market.base.decimals - self.market.quote.decimals
        return (Decimal(quote) / base).scaleb(digits)

    def _quote(self, name: str, side: Side, base_raw: int, now_ms: int) -> Quote | None:
        base, quote = self.pools[name]
        if side is Side.BUY and base_raw >= base:
            return None
        after = base + base_raw if side is Side.SELL else base - base_raw
        free = abs(quote - quote * base // after)
        sign = -1 if side is Side.SELL else 1
        quote_raw = free * (BPS + sign * FEE_BPS) // BPS
        return Quote(
            venue=self.name, pool=name, market=self.market, side=side, base_raw=base_raw,
            quote_raw=quote_raw, price=Decimal(quote_raw) / base_raw, mid=self.mid(name),
            fee_bps=Decimal(FEE_BPS), impact_bps=Decimal(base_raw) * BPS / after,
            slot=self.slot, seen_ms=now_ms,
        )  # fmt: skip


def pool(price: str, sol: int = 10_000) -> list[int]:
    return [sol * 10**9, int(sol * Decimal(price) * 10**6)]


def found(venue: _Product, target: str, terms: Terms | None = None) -> list[Quote]:
    offers = partial(venue.quotes, SOL, now_ms=0)
    return corrections(
        offers,
        market=SOL,
        target=Decimal(target),
        terms=terms or Terms(notional_max=Decimal(10**7)),
    )


def off_bps(venue: _Product, name: str, target: str) -> Decimal:
    return abs(venue.mid(name) - Decimal(target)) * BPS / Decimal(target)


@given(
    st.decimals("100", "200", places=3), st.decimals("100", "200", places=3),
    st.integers(1000, 10**6),
)  # fmt: skip
def test_that_one_swap_brings_a_pool_to_its_target(
    price: Decimal, target: Decimal, sol: int
) -> None:
    venue = _Product({"a": pool(str(price), sol)})
    before = off_bps(venue, "a", str(target))
    terms = Terms(notional_max=Decimal(10**9))
    quotes = found(venue, str(target), terms)
    if before < 5:
        assert quotes == []
        return
    for quote in quotes:
        assert quote.side is (Side.BUY if price < target else Side.SELL)
        venue.take(quote)
    # A step is 10,000 USD here: what is left is less than two of them move the pool.
    left = off_bps(venue, "a", str(target))
    assert left <= 2 * 2 * BPS * (terms.notional_max / SIZE_STEPS) / (sol * min(price, target))


def test_that_a_fine_step_leaves_a_pool_within_a_tenth_of_a_basis_point() -> None:
    for target in ("150.2", "149.7", "180", "90"):
        venue = _Product({"a": pool("150")})
        (quote,) = found(venue, target, Terms(notional_max=Decimal(2_000_000)))
        venue.take(quote)
        assert off_bps(venue, "a", target) < Decimal("0.5")


def test_that_a_pool_that_is_near_is_left_alone() -> None:
    venue = _Product({"a": pool("150")})
    assert found(venue, "150.07") == []
    assert found(venue, "149.93") == []
    assert len(found(venue, "150.08")) == 1
    assert len(found(venue, "149.92")) == 1


def test_that_a_swap_is_bounded_and_repeating_it_arrives() -> None:
    venue, terms = _Product({"a": pool("100", 100_000)}), Terms(notional_max=Decimal(100_000))
    sizes = []
    while quotes := found(venue, "150", terms):
        sizes.append(quotes[0].base_raw * 150 // 10**9)
        venue.take(quotes[0])
        assert len(sizes) < 100
    assert max(sizes) <= 100_000
    assert len(sizes) > 10
    assert off_bps(venue, "a", "150") < 5


def test_that_every_pool_of_a_venue_is_judged_by_itself() -> None:
    venue = _Product({"low": pool("140"), "right": pool("150"), "high": pool("160", 50)})
    sides = {quote.pool: quote.side for quote in found(venue, "150")}
    assert sides == {"low": Side.BUY, "high": Side.SELL}


def test_that_a_target_beyond_what_a_pool_holds_takes_no_more_than_it_can_fill() -> None:
    venue = _Product({"a": pool("150", 10)})
    (quote,) = found(venue, "1000000", Terms(notional_max=Decimal(10**8)))
    assert quote.base_raw < 10 * 10**9


def test_that_a_decision_asks_a_bounded_number_of_quotes() -> None:
    venue = _Product({"a": pool("150")})
    found(venue, "151")
    assert len(venue.asked) <= 40


@dataclass
class _Desk:
    clock: ManualClock
    board: Board
    venue: _Product
    maker: Maker
    taken: list[Quote]
    faults: list[Exception]
    hold: asyncio.Event

    def say(self, price: str, symbol: str = "SOL") -> None:
        now_ms = self.clock.now_ms()
        self.board.take(Reading("here", symbol, Decimal(price), Decimal(0), now_ms), now_ms)


def play(scene: Callable[[_Desk], Awaitable[None]], venue: _Product, **terms: int) -> None:
    async def run() -> None:
        clock, board, hold = ManualClock(), Board(), asyncio.Event()
        taken: list[Quote] = []
        faults: list[Exception] = []
        hold.set()

        async def swap(quote: Quote) -> None:
            taken.append(quote)
            await hold.wait()
            if faults:
                raise faults.pop(0)
            venue.take(quote)

        port: Venue = venue
        maker = Maker(
            venues=[port], board=board, swap=swap, clock=clock, chance=lambda: 0.0,
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
        assert not board._changes

    asyncio.run(run())


def test_that_pools_follow_the_board() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        for second in range(60):
            price = str(150 + second % 7 * Decimal("0.3"))
            desk.say(price)
            await desk.clock.advance(1)
            assert off_bps(desk.venue, "a", price) < 5
            desk.say("1", "USDC")
        assert desk.maker.counts["swaps"] == len(desk.taken) > 50

    play(scene, _Product({"a": pool("150")}))


def test_that_the_stablecoins_own_price_counts() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("150")
        desk.say("0.75", "USDC")
        for _ in range(20):
            await desk.clock.advance(1)
            desk.say("150")
            desk.say("0.75", "USDC")
        assert off_bps(desk.venue, "a", "200") < 5

    play(scene, _Product({"a": pool("150")}))


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

    play(scene, _Product({"a": pool("150")}))


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

    play(scene, _Product({"a": pool("150")}))


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

    play(scene, _Product({"a": pool("150")}))


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

    play(scene, _Product({name: pool("150") for name in "abcde"}), in_flight_max=2)


def test_that_a_pool_whose_swap_failed_rests_ever_longer() -> None:
    async def scene(desk: _Desk) -> None:
        desk.faults += [Unavailable("no chain", code="rpc.unavailable")] * 3
        desk.say("1", "USDC")
        for tries, rest_s in enumerate([0.5, 1, 2], start=1):
            desk.say(str(200 + tries))
            await desk.clock.advance(rest_s - 0.01)
            assert len(desk.taken) == tries
            desk.say(str(210 + tries))
            await desk.clock.advance(0.01)
            assert len(desk.taken) == tries
        desk.say("220")
        await desk.clock.advance(0)
        assert (desk.maker.counts["failures"], desk.maker.counts["swaps"]) == (3, 1)

    play(scene, _Product({"a": pool("150")}))


def test_that_a_bug_in_the_swap_is_not_hidden() -> None:
    async def scene(desk: _Desk) -> None:
        desk.faults.append(ZeroDivisionError())
        desk.say("1", "USDC")
        desk.say("200")
        await desk.clock.advance(0)

    with pytest.raises(AssertionError):
        play(scene, _Product({"a": pool("150")}))


def test_that_a_venue_without_the_market_is_passed_over() -> None:
    async def scene(desk: _Desk) -> None:
        desk.say("1", "USDC")
        desk.say("200")
        await desk.clock.advance(0)
        assert (desk.taken, desk.maker.counts["blind"]) == ([], 1)

    play(scene, replace(_Product({"a": pool("150")}), market=MARKETS["BTC-USDC"]))
