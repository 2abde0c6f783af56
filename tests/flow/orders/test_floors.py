"""Promise: an order goes to the floor that nets most, and is brought to its end by it alone."""

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
from tests.flow.orders.books import Trade, World, leg
from tests.flow.orders.rivals import (
    AggregatorWorld,
    ExchangeWorld,
    aggregator_world,
    exchange_world,
)

from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market, Side
from quantdesk.engines.orders.model import Attempt, Order, OrderStatus
from quantdesk.engines.orders.quality.bias import BIAS_BPS_MAX
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.binance import CUT, LOST, Bad
from quantdesk.testing.jupiter import LOST as LANDED_UNTOLD
from quantdesk.testing.killing import Cut, How
from quantdesk.testing.stage import Desk, Stage, Wish

pytestmark = pytest.mark.anyio
S = OrderStatus
BUY = Wish()
SELL = Wish(side=Side.SELL)
CHEAP, DEAR = ("98", "99"), ("101", "102")
"""Quotes of the exchange; pools trade at 100, and its own fee is 10 bps."""
AFTERMATH_S = 10.0
"""Longer than any bytes stay valid: whatever could still fill has filled by then."""


@pytest.fixture
async def pools(database: str) -> AsyncIterator[Pools]:
    """Open enough connections for the desks that die."""
    async with await connect(database, write_max=16, read_max=16) as opened:
        yield opened


async def _ended(stage: Stage, wish: Wish, desk: Desk | None = None) -> tuple[Order, Attempt]:
    await stage.place(desk or stage.desk(), wish)
    assert await stage.run_until(stage.all_ended, within_s=30)
    order = (await stage.stored())[-1]
    return order, (await stage.attempts([order.id]))[order.id][-1]


@pytest.mark.parametrize(
    ("wish", "quotes", "floor"),
    [
        (BUY, CHEAP, "binance"),
        (BUY, DEAR, "pools"),
        (SELL, DEAR, "binance"),
        (SELL, CHEAP, "pools"),
        (BUY, ("98", "99.95"), "pools"),  # cheaper, until the exchange takes its fee
    ],
)
async def test_that_an_order_goes_where_it_nets_most(
    pools: Pools, wish: Wish, quotes: tuple[str, str], floor: str
) -> None:
    async with exchange_world(pools) as world:
        world.quote(*quotes)
        order, attempt = await _ended(world.stage, wish)

        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)
        assert attempt.route["floor"] == floor
        assert len(world.server.posted) == (floor == "binance")
        others = [a for a in attempt.route["alternatives"] if a["kind"] == "floor"]
        assert [other["name"] for other in others] == [{"binance": "pools"}.get(floor, "binance")]
        assert Decimal(others[0]["worseBps"]) > 0
        venues = {row["venue"] for row in attempt.route["quotes"]}
        assert venues == {"scripted", "binance"}


async def test_that_an_exchange_that_boasts_is_found_out(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote("98", "99.7")  # below the 100 of the pools, also with the exchange's fee
        books = World(world.stage)
        ledger = books.ledger()
        _, before = await _ended(world.stage, BUY)
        for number in range(24):
            legs = [leg("binance", "1", "99.8")]
            await books.fill(Trade(legs=legs, landed_raw=100_000_000 + 5_000 * number))
        await ledger.step()
        await books.live(ledger, 61)
        world.stage.bias = ledger.bias.bps

        order, after = await _ended(world.stage, BUY, world.stage.desk())

        assert ledger.bias.bps("binance", "SOL-USDC") == BIAS_BPS_MAX
        assert (before.route["floor"], after.route["floor"]) == ("binance", "pools")
        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)
        assert "past fills say it lands better" in after.route["reason"]
        (other,) = (a for a in after.route["alternatives"] if a["name"] == "binance")
        assert Decimal(other["net"]) < 100 < Decimal(other["lands"])


async def test_that_realized_amounts_and_fees_are_the_floors_own(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        world.server.exchange.bnb_price = Decimal(500)
        world.server.exchange.fund(BNB="1")
        order, attempt = await _ended(world.stage, BUY)

        assert order.filled is not None
        assert order.filled.network_fee_lamports == 0
        assert attempt.receipt is not None
        assert set(attempt.receipt["otherFees"]) == {"BNB"}
        assert Decimal(attempt.receipt["otherFees"]["BNB"]) > 0


async def test_that_the_next_floor_takes_what_the_best_does_not_sign(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        world.server.exchange.held["USDC"] = Decimal(10)
        order, attempt = await _ended(world.stage, BUY)

        assert (order.status, attempt.route["floor"]) == (S.CONFIRMED, "pools")
        assert (order.attempt, world.fills(order.id)) == (1, 1)
        refused = [a for a in attempt.route["alternatives"] if a["name"] == "binance"]
        assert [one["error"]["code"] for one in refused] == ["funds.insufficient"]


async def test_that_a_floor_past_the_band_is_left_out(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)

        def check(_: Market, price: Decimal) -> None:
            if price < Decimal(100):
                raise Refused("too good to be true", code="price.band")

        world.stage.check_price = check
        _, attempt = await _ended(world.stage, BUY)

        assert attempt.route["floor"] == "pools"
        assert not world.server.posted


async def test_that_an_exchange_that_is_away_costs_no_order(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        world.server.exchange.symbols["SOLUSDC"].status = "BREAK"
        order, attempt = await _ended(world.stage, BUY)

        assert (order.status, attempt.route["floor"]) == (S.CONFIRMED, "pools")
        [away] = [a for a in attempt.route["alternatives"] if a["name"] == "binance"]
        assert away["error"]["code"] == "pool.disabled"


async def test_that_a_firewalls_ban_sends_orders_elsewhere_until_it_is_over(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        desk = world.stage.desk()
        blocked = Bad(status=403, body=b"<html>Request blocked")
        world.server.bad("POST /api/v3/order/test", blocked)
        first, _ = await _ended(world.stage, BUY, desk)
        asked = world.server.asked.total()
        second, attempt = await _ended(world.stage, BUY, desk)

        assert (first.status, second.status) == (S.CONFIRMED, S.CONFIRMED)
        assert (second.attempt, attempt.route["floor"]) == (1, "pools")
        assert world.server.asked.total() == asked, "nothing is asked of it"
        (away,) = [a for a in attempt.route["alternatives"] if a["name"] == "binance"]
        assert away["error"]["code"] == "exchange.busy"
        assert "firewall" in away["error"]["detail"]

        await world.stage.run_for(301)
        third, attempt = await _ended(world.stage, BUY, desk)
        assert (third.status, attempt.route["floor"]) == (S.CONFIRMED, "binance")


@pytest.mark.parametrize(
    "words",
    [
        "This symbol is restricted for this account.",
        "Account has insufficient balance for requested action.",
    ],
)
async def test_that_what_the_exchange_refuses_after_all_is_traded_elsewhere(
    pools: Pools, words: str
) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        posted, refused = "POST /api/v3/order", {"code": -2010, "msg": words}
        world.server.bad(posted, *[Bad(status=400, body=refused)] * 3)
        desk = world.stage.desk()
        placed = await world.stage.place(desk, BUY)

        async def asked() -> bool:
            return bool(world.server.posted)

        assert await world.stage.run_until(asked, within_s=30)
        if "balance" in words:
            world.server.exchange.held["USDC"] = Decimal(1)  # another order took it
        assert await world.stage.run_until(world.stage.all_ended, within_s=60)

        [order] = await world.stage.stored()
        attempts = (await world.stage.attempts([placed.order.id]))[placed.order.id]
        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)
        assert [one.route["floor"] for one in attempts] == ["binance", "pools"]
        assert len(world.server.posted) == 1


async def test_that_a_limit_is_met_by_whichever_floor_meets_it(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        world.quote(*DEAR)
        desk = world.stage.desk()
        await world.stage.place(desk, Wish(limit_price=Decimal("99.5")))
        await world.stage.run_for(5)
        [resting] = await world.stage.stored()
        assert (resting.status, resting.waiting) == (S.PENDING, "price")

        world.quote(*CHEAP)
        assert await world.stage.run_until(world.stage.all_ended, within_s=30)

        [order] = await world.stage.stored()
        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)
        assert len(world.server.posted) == 1


async def _killed(world: ExchangeWorld | AggregatorWorld, wish: Wish, cut: Cut | None) -> Desk:
    """Tell a story with a desk that dies at the cut and one that takes over; return the first."""
    stage = world.stage
    dying = stage.desk(cut)
    trader = asyncio.ensure_future(stage.place(dying, wish))

    async def over() -> bool:
        return dying.life.dead or (trader.done() and await stage.all_ended())

    assert await stage.run_until(over, within_s=120)
    if dying.life.dead:
        trader.cancel()
        await asyncio.wait((trader,))
        await stage.bury(dying)
        stage.desk()
        assert await stage.run_until(stage.all_ended, within_s=200)
    await stage.run_for(AFTERMATH_S)
    return dying


async def test_that_a_kill_anywhere_leaves_one_fill_on_the_floor_that_was_stored(
    pools: Pools,
) -> None:
    async with exchange_world(pools, day=1) as world:
        world.quote(*CHEAP)
        effects = (await _killed(world, BUY, None)).life.effects
    sent = effects.index("chain:send") + 1
    assert effects[: sent - 1].count("chain:prepare") == 1

    struck = 0
    for day, (at, after) in enumerate(
        ((at, after) for at in range(1, len(effects) + 1) for after in (False, True)), 2
    ):
        async with exchange_world(pools, day=day) as world:
            world.quote(*CHEAP)
            struck += (await _killed(world, BUY, Cut(at, after=after, how=How.KILL))).life.dead
            for order in await world.stage.stored():
                attempts = (await world.stage.attempts([order.id]))[order.id]
                told = f"killed {'after' if after else 'before'} {effects[at - 1]}"
                assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1), told
                assert {one.route["floor"] for one in attempts} == {"binance"}, told
                assert not world.server.exchange.doubled, told
                assert not world.stage.chain.signatures(order.id), told
    assert struck >= 2 * sent, "every cut up to the send, at least, must have struck"


@pytest.mark.parametrize("day", [CUT, LOST], ids=["request lost", "answer lost"])
async def test_that_a_lost_message_to_the_exchange_is_one_fill(pools: Pools, day: Bad) -> None:
    async with exchange_world(pools) as world:
        world.quote(*CHEAP)
        world.server.bad("POST /api/v3/order", day)
        await world.stage.place(world.stage.desk(), BUY)
        assert await world.stage.run_until(world.stage.all_ended, within_s=200)

        [order] = await world.stage.stored()
        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)


async def test_that_another_floor_never_settles_what_one_has_sent(pools: Pools) -> None:
    """The exchange becomes the worse one, while what was committed for it is open."""
    async with exchange_world(pools) as world:
        stage = world.stage
        world.quote(*CHEAP)
        world.server.bad("POST /api/v3/order", LOST)
        dying = stage.desk()
        placed = await stage.place(dying, BUY)

        async def posted() -> bool:
            return bool(world.server.posted)

        assert await stage.run_until(posted, within_s=30)
        dying.life.dead = True
        world.quote(*DEAR)
        await stage.bury(dying)
        stage.desk()
        assert await stage.run_until(stage.all_ended, within_s=200)

        assert world.fills(placed.order.id) == 1
        assert not stage.chain.signatures(placed.order.id)
        [attempt] = (await stage.attempts([placed.order.id]))[placed.order.id]
        assert attempt.route["floor"] == "binance"


async def test_that_an_order_waits_for_its_floor_to_be_opened_again(pools: Pools) -> None:
    async with exchange_world(pools) as world:
        stage = world.stage
        world.quote(*CHEAP)
        world.server.bad("POST /api/v3/order", LOST)
        dying = stage.desk()
        placed = await stage.place(dying, BUY)

        async def posted() -> bool:
            return bool(world.server.posted)

        assert await stage.run_until(posted, within_s=30)
        dying.life.dead = True
        await stage.bury(dying)

        stage.rivals_of = lambda _life: {}
        without = stage.desk()
        await stage.run_for(200)
        [waiting] = await stage.stored()
        assert (waiting.status, waiting.outcome) == (S.SUBMITTED, "unknown")
        assert world.fills(placed.order.id) == 1

        without.life.dead = True
        await stage.bury(without)
        stage.rivals_of = world.rivals
        stage.desk()
        assert await stage.run_until(stage.all_ended, within_s=60)
        [order] = await stage.stored()
        assert (order.status, world.fills(order.id)) == (S.CONFIRMED, 1)


@pytest.mark.parametrize(
    ("wish", "price", "floor"),
    [(SELL, 0.101, "jupiter"), (SELL, 0.099, "pools"), (BUY, 0.2, "pools")],
)
async def test_that_jupiter_takes_the_sales_it_brings_more_for(
    pools: Pools, wish: Wish, price: float, floor: str
) -> None:
    async with aggregator_world(pools) as world:
        world.server.price = price
        order, attempt = await _ended(world.stage, wish)

        assert (order.status, attempt.route["floor"]) == (S.CONFIRMED, floor)
        assert len(world.ledger.fills) == (floor == "jupiter")
        assert len(world.stage.chain.fills.get(str(order.id), [])) == (floor == "pools")


async def test_that_a_jupiter_that_is_away_costs_no_order(pools: Pools) -> None:
    async with aggregator_world(pools) as world:
        world.server.price = 0.2
        world.server.rate_max = 0
        order, attempt = await _ended(world.stage, SELL)

        assert (order.status, attempt.route["floor"]) == (S.CONFIRMED, "pools")
        [away] = [a for a in attempt.route["alternatives"] if a["kind"] == "floor"]
        assert away["error"]["code"] == "jupiter.busy"


async def test_that_a_kill_around_jupiters_send_leaves_one_fill(pools: Pools) -> None:
    async with aggregator_world(pools, day=1) as world:
        world.server.price = 0.101
        effects = (await _killed(world, SELL, None)).life.effects
    assert "chain:send" in effects

    for day, (at, after) in enumerate(
        ((at, after) for at in range(1, len(effects) + 1) for after in (False, True)), 2
    ):
        async with aggregator_world(pools, day=day) as world:
            world.server.price = 0.101
            world.server.bad(LANDED_UNTOLD)
            await _killed(world, SELL, Cut(at, after=after, how=How.KILL))
            for order in await world.stage.stored():
                told = f"killed {'after' if after else 'before'} {effects[at - 1]}"
                assert order.status is S.CONFIRMED, told
                assert len(world.ledger.fills) == 1, told
                assert not world.stage.chain.signatures(order.id), told
