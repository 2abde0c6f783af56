"""Promise: every confirmed order is counted once, whoever counts and whatever dies meanwhile."""

import asyncio
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest
from tests.flow.orders.books import SPLIT, Trade, World

from quantdesk.core.markets import Side
from quantdesk.engines.portfolio import store
from quantdesk.engines.portfolio.ledger import PASS_MAX, PASS_S, Portfolio
from quantdesk.engines.portfolio.model import Book
from quantdesk.store.migrate import migrate, shipped
from quantdesk.store.pool import Connection, connect
from quantdesk.testing.stage import MODE, Stage

pytestmark = pytest.mark.anyio
SOL, USDC = 10**9, 10**6
BUY, SELL = Side.BUY, Side.SELL


class Died(Exception):
    """The process that counts ends here."""


@pytest.fixture
def world(stage: Stage) -> World:
    return World(stage)


def portfolio(world: World) -> Portfolio:
    return Portfolio(mode=MODE, pools=world.stage.pools, clock=world.stage.clock)


async def trade(world: World, side: Side, base: int, quote: int, pair: str = "SOL-USDC") -> UUID:
    await world.stage.run_for(1)
    return await world.fill(
        Trade(pair=pair, side=side, base_raw=base * SOL, landed_raw=quote * USDC)
    )


async def book(world: World, of: Portfolio, pair: str = "SOL-USDC") -> Book:
    books, pending = await of.books(world.stage.account_id)
    assert pending == 0
    return books[pair]


async def test_that_whoever_saw_an_order_confirmed_finds_its_fill(world: World) -> None:
    kept = portfolio(world)
    await trade(world, BUY, 2, 200)
    first = await book(world, kept)
    await trade(world, SELL, 1, 130)
    second = await book(world, kept)

    assert (first.fills, first.position_raw, first.cost_raw) == (1, 2 * SOL, 200 * USDC)
    assert (second.fills, second.position_raw, second.realized_raw) == (2, SOL, 30 * USDC)
    assert second.network_fee_lamports == 10_000
    assert second.last_ms - second.first_ms == 1_000


async def test_that_fills_are_told_newest_first_with_what_each_realized(world: World) -> None:
    kept = portfolio(world)
    bought = await trade(world, BUY, 1, 100)
    sold = await trade(world, SELL, 3, 330)
    await world.stage.run_for(1)
    split = await world.fill(SPLIT)

    found = await kept.page(world.stage.account_id, pair=None, before=None, limit=10)

    assert [entry.fill.order_id for entry in found] == [split, sold, bought]
    assert found[0].venues == ("raydium", "meteora")
    assert found[1].gain.realized_raw == 10 * USDC
    assert (found[1].gain.unknown_base_raw, found[1].gain.unknown_quote_raw) == (
        2 * SOL,
        220 * USDC,
    )
    orders = {order.id: order for order in await world.stage.stored()}
    for entry in found:
        assert entry.tx_hash == orders[entry.fill.order_id].tx_hash
        assert entry.fill.at_ms == orders[entry.fill.order_id].updated_ms


async def test_that_pages_miss_and_repeat_nothing(world: World) -> None:
    kept = portfolio(world)
    # Two at a time share a moment: the order's id tells them apart.
    for number in range(7):
        if number % 2:
            await world.stage.run_for(1)
        await world.fill(Trade(pair="SOL-USDC" if number % 3 else "BTC-USDC"))
    whole = await kept.page(world.stage.account_id, pair=None, before=None, limit=100)

    seen: list[UUID] = []
    before: store.Place | None = None
    while page := await kept.page(world.stage.account_id, pair=None, before=before, limit=3):
        seen += [entry.fill.order_id for entry in page]
        before = (page[-1].fill.at_ms, page[-1].fill.order_id)
    btc = await kept.page(world.stage.account_id, pair="BTC-USDC", before=None, limit=100)

    assert len(whole) == 7
    assert seen == [entry.fill.order_id for entry in whole]
    assert {entry.fill.pair for entry in btc} == {"BTC-USDC"}
    assert len(btc) == 3


async def test_that_accounts_and_modes_are_kept_apart(world: World) -> None:
    kept = portfolio(world)
    await trade(world, BUY, 1, 100)
    other = world.stage.new_id()
    await world.fill(Trade(account_id=other, landed_raw=7 * USDC))

    mine, _ = await kept.books(world.stage.account_id)
    theirs, _ = await kept.books(other)
    elsewhere = Portfolio(mode="mainnet", pools=world.stage.pools, clock=world.stage.clock)

    assert mine["SOL-USDC"].cost_raw == 100 * USDC
    assert theirs["SOL-USDC"].cost_raw == 7 * USDC
    assert (await elsewhere.books(other))[0] == {}
    assert [
        entry.fill.account_id for entry in await kept.page(other, pair=None, before=None, limit=10)
    ] == [other]


async def test_that_several_who_count_at_once_count_each_fill_once(world: World) -> None:
    several = [portfolio(world) for _ in range(4)]
    for number in range(20):
        await world.fill(Trade(side=SELL if number % 3 == 2 else BUY))

    await asyncio.gather(*(each.step() for each in several for _ in range(3)))

    assert sum(each.fills for each in several) == 20
    assert (await book(world, several[0])).fills == 20


async def test_that_a_death_in_the_middle_of_counting_undoes_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = portfolio(world)
    await trade(world, BUY, 1, 100)
    real = store.enter

    async def cut(c: Connection, *told: object) -> None:
        await real(c, *told)  # type: ignore[arg-type]
        raise Died

    monkeypatch.setattr(store, "enter", cut)
    with pytest.raises(Died):
        await kept.step()
    monkeypatch.undo()

    after = await book(world, kept)
    assert (after.fills, after.cost_raw) == (1, 100 * USDC)


async def test_that_a_pass_is_bounded_and_takes_them_in_the_order_they_filled(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.engines.portfolio.ledger.PASS_MAX", 3)
    kept = portfolio(world)
    # Bought before it is sold: counted in any other order, something would be of unknown cost.
    for side in (BUY, SELL) * 4:
        await trade(world, side, 1, 100)

    assert await kept.step()
    async with world.stage.pools.read.connection() as c:
        assert await store.pending(c) == 5
    while await kept.step():
        pass

    after = await book(world, kept)
    assert (after.fills, after.unknown_base_raw) == (8, 0)
    assert PASS_MAX == 500


async def test_that_it_counts_in_the_background_and_lets_orders_go_first(world: World) -> None:
    kept = portfolio(world)
    task = asyncio.get_running_loop().create_task(kept.run())
    await world.fill()
    await world.stage.run_for(PASS_S)
    while not kept.fills:
        await world.stage.clock.sleep(0)
    task.cancel()

    assert kept.fills == 1
    assert kept.pause_s(more=False) == PASS_S
    quiet = kept.pause_s(more=True)
    kept.hear(1_000)
    assert kept.pause_s(more=True) > 10 * quiet
    assert kept.pause_s(more=True) == quiet


async def test_that_orders_of_before_are_counted_too(empty_database: str) -> None:
    before = [step for step in shipped() if step.number < 15]
    await migrate(empty_database, before)
    async with await connect(empty_database, write_max=2, read_max=2) as pools:
        world = World(Stage(pools))
        await _as_before(empty_database, world)
        await migrate(empty_database)
        after = await book(world, portfolio(world))
        await world.stage.clear()

    assert (after.fills, after.realized_raw, after.unknown_base_raw) == (2, 10 * USDC, 0)


async def _as_before(url: str, world: World) -> None:
    """Fill two orders as a desk did that had no portfolio: it noted nothing for one.

    Nor for what later desks know of an order, which today's statements name.
    """
    owner = await asyncpg.connect(url)
    try:
        await owner.execute("create table portfolio_unread (order_id uuid)")
        await owner.execute("grant insert on portfolio_unread to public")
        await owner.execute("alter table orders add column priority text")
        await trade(world, BUY, 1, 100)
        await trade(world, SELL, 1, 110)
        await owner.execute("alter table orders drop column priority")
        await owner.execute("drop table portfolio_unread")
    finally:
        await owner.close()


async def test_that_fees_in_a_third_asset_are_kept(world: World) -> None:
    kept = portfolio(world)
    for fee in ("0.0005", "0.00000001"):
        await world.fill(Trade(receipt={"otherFees": {"BNB": fee}}))

    found = await kept.page(world.stage.account_id, pair=None, before=None, limit=2)

    assert {entry.fill.other_fees["BNB"] for entry in found} == {
        Decimal("0.0005"),
        Decimal("0.00000001"),
    }
    assert (await book(world, kept)).other_fees == {"BNB": Decimal("0.00050001")}
