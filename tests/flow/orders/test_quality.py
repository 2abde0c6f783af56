"""Promise: every fill is in the ledger once, with true prices or the reason why one is missing."""

import asyncio
from decimal import Decimal
from statistics import mean as mean_of
from statistics import variance

import pytest
from tests.flow.orders.books import AGE_MS_MAX, SPLIT, Trade, World, leg, said

from quantdesk.core.markets import Side
from quantdesk.engines.orders.engine import TOPIC
from quantdesk.engines.orders.quality.bias import cost_bps, markout_bps
from quantdesk.engines.orders.quality.ledger import PASS_S
from quantdesk.engines.orders.quality.model import HORIZONS, Entry
from quantdesk.testing.chain import Plan
from quantdesk.testing.stage import Stage, Wish

pytestmark = pytest.mark.anyio
NAMES = [horizon.name for horizon in HORIZONS]


@pytest.fixture
def world(stage: Stage) -> World:
    return World(stage)


async def test_that_a_fill_is_followed_from_its_quote_to_five_minutes_later(world: World) -> None:
    stage, ledger = world.stage, world.ledger()
    stage.chain.plan_of = lambda _order, _attempt: Plan(worse_bps=30)
    desk = stage.desk()
    desk.orders._bus.listen(TOPIC, ledger.take)
    world.say("SOL", 101)
    placed = await stage.place(desk, Wish(side=Side.BUY))
    assert await stage.run_until(stage.all_ended, within_s=20)
    await ledger.step()
    (order,) = await stage.stored()

    (entry,) = await world.entries(ledger)
    assert (entry.order_id, entry.leg, entry.legs) == (placed.order.id, 0, 1)
    assert (entry.pair, entry.side, entry.venue) == ("SOL-USDC", Side.BUY, "scripted")
    assert (entry.quoted_price, entry.landed_price) == (Decimal(100), Decimal("100.3"))
    assert entry.landed_ms == order.updated_ms
    assert said(entry) == {"landing": Decimal(101)}

    for until_s, price, known in ((11, 102, 2), (61, 103, 3), (301, 104, 4)):
        past_s = (stage.clock.now_ms() - entry.landed_ms) / 1000
        await world.live(ledger, until_s - past_s, price=price)
        (entry,) = await world.entries(ledger)
        assert len(entry.marks) == known
        assert entry.marks[-1].price == price
        assert entry.marks[-1].source == "told"
    assert said(entry) == dict(zip(NAMES, map(Decimal, (101, 102, 103, 104)), strict=True))
    for horizon, mark in zip(HORIZONS, entry.marks, strict=True):
        assert mark.at_ms is not None
        assert 0 <= mark.at_ms - entry.landed_ms - horizon.after_ms <= 1_000
    assert entry.next_due_ms is None


async def test_that_the_board_of_the_decision_comes_from_the_approval(world: World) -> None:
    now_ms = world.stage.clock.now_ms()
    told = {"source": "told", "ageMs": 40}
    prices = [{**told, "value": "101.5"}, {**told, "value": "1.0", "ageMs": 90}]
    ledger = world.ledger()

    await world.fill(Trade(prices=prices))
    await world.fill(Trade())
    await ledger.step()

    second, first = await world.entries(ledger)
    assert (first.decision.price, first.decision.at_ms) == (Decimal("101.5"), now_ms)
    assert (first.decision.age_ms, first.decision.source) == (90, "told")
    assert second.decision.missing == "unrecorded"


async def test_that_the_legs_of_a_split_add_up_to_what_the_order_moved(world: World) -> None:
    ledger = world.ledger()
    await world.fill(SPLIT)
    await ledger.step()

    meteora, raydium = await world.entries(ledger)

    assert [meteora.venue, raydium.venue] == ["meteora", "raydium"]
    assert [raydium.leg, meteora.leg, raydium.legs, meteora.legs] == [0, 1, 2, 2]
    assert (raydium.base_raw, meteora.base_raw) == (600_000_000, 400_000_000)
    assert (raydium.quoted_raw, meteora.quoted_raw) == (60_000_000, 40_100_000)
    assert raydium.landed_base_raw + meteora.landed_base_raw == SPLIT.base_raw
    assert raydium.landed_raw + meteora.landed_raw == SPLIT.landed_raw
    assert (raydium.simulated_raw or 0) + (meteora.simulated_raw or 0) == 100_200_001
    for entry in (raydium, meteora):
        cost = cost_bps(entry.side, entry.quoted_price, entry.landed_price)
        assert cost is not None
        assert abs(cost - Decimal("19.98")) < Decimal("0.01")


async def test_that_a_look_too_late_is_not_taken_for_the_moment(world: World) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    await world.fill(ledger=ledger)
    await world.live(ledger, 9, price=100)
    await world.stage.run_for(4)  # a long pause over the tenth second
    await world.live(ledger, 60, price=105)

    (entry,) = await world.entries(ledger)
    assert said(entry) == {
        "landing": Decimal(100), "markout_10s": "late", "markout_1m": Decimal(105),
    }  # fmt: skip


async def test_that_a_stale_board_gives_no_price(world: World) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    await world.stage.run_for(AGE_MS_MAX / 1000 + 1)
    await world.fill(ledger=ledger)
    await world.live(ledger, 20)
    world.say("SOL", 100)

    (entry,) = await world.entries(ledger)
    assert said(entry) == {"landing": "price.stale"}


async def test_that_a_price_that_comes_back_in_time_counts_with_its_own_time(world: World) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    await world.stage.run_for(AGE_MS_MAX / 1000 + 1)
    await world.fill(ledger=ledger)
    await world.live(ledger, 1)
    await world.live(ledger, 1, price=99)

    (entry,) = await world.entries(ledger)
    assert entry.marks[0].price == 99
    assert entry.marks[0].at_ms == entry.landed_ms + 2_000


async def test_that_an_order_it_cannot_read_stops_no_other(world: World) -> None:
    ledger = world.ledger()
    await world.fill(Trade(legs=[{"venue": "raydium", "pool": "p", "share": 1}]))
    await world.fill(Trade(legs=[leg("raydium", "1", "many")]))
    good = await world.fill()
    await ledger.step()
    await ledger.step()

    assert [entry.order_id for entry in await world.entries(ledger)] == [good]
    problems = await world.unread()
    assert len(problems) == 2
    assert all("its route cannot be read" in str(problem) for problem in problems)
    assert ledger.unreadable == 2


async def test_that_a_backlog_is_taken_in_pass_by_pass(world: World) -> None:
    ledger = world.ledger()
    for _ in range(120):
        await world.fill()

    passes = 1
    while await ledger.step():
        passes += 1

    assert passes == 3
    assert len(await world.entries(ledger)) == 120


async def test_that_rows_that_wait_for_a_price_hold_up_no_others(world: World) -> None:
    ledger = world.ledger()
    for _ in range(250):  # more than a pass looks at, and nobody says a price of BTC
        await world.fill(Trade(pair="BTC-USDC", legs=[leg("raydium", "10", "500000")]))
    world.say("SOL", 100)
    order_id = await world.fill(ledger=ledger)
    for _ in range(8):
        await ledger.step()
    await world.stage.run_for(10)
    world.say("SOL", 101)
    ledger.look()
    for _ in range(3):
        await ledger.step()

    by_id = {entry.order_id: entry for entry in await world.entries(ledger)}
    assert said(by_id[order_id]) == {"landing": Decimal(100), "markout_10s": Decimal(101)}
    assert len([entry for entry in by_id.values() if entry.marks]) == 1


async def test_that_the_database_averages_what_the_formulas_say(world: World) -> None:
    ledger = world.ledger()
    world.say("SOL", 100)
    for number in range(30):
        side = Side.BUY if number % 2 else Side.SELL
        simulation = {"quoteRaw": 100_050_000 + number}
        trade = Trade(side=side, landed_raw=100_000_000 + 7_000 * number, simulation=simulation)
        await world.fill(trade, ledger=ledger)
    await world.fill(SPLIT, ledger=ledger)
    await world.live(ledger, 11, price=99)

    rows = [row for row in await world.entries(ledger) if row.legs == 1]
    single = await ledger.tallies(world.wanted(venue="raydium", pair="SOL-USDC"))
    landed = [_known(cost_bps(r.side, r.quoted_price, r.landed_price)) for r in rows]
    simulated = [_known(cost_bps(r.side, r.quoted_price, r.simulated_price)) for r in rows]
    later = [_known(markout_bps(r.side, r.landed_price, r.marks[1].price)) for r in rows]
    (tally,) = single
    split = next(r for r in await world.entries(ledger) if r.legs > 1 and r.venue == "raydium")
    landed.append(_known(cost_bps(split.side, split.quoted_price, split.landed_price)))
    simulated.append(_known(cost_bps(split.side, split.quoted_price, split.simulated_price)))
    later.append(_known(markout_bps(split.side, split.landed_price, split.marks[1].price)))

    assert (tally.group.fills, tally.split) == (31, 1)
    assert _near(tally.group.mean_bps, landed)
    assert _near(tally.simulated_bps, simulated)
    assert _near(tally.markout_bps[0], later)
    assert tally.markout_bps[1:] == (None, None)
    stderr = (variance(landed) / len(landed)).sqrt()
    assert abs((tally.group.stderr_bps or Decimal(0)) - stderr) < Decimal("0.001")


def _known(cost: Decimal | None) -> Decimal:
    assert cost is not None
    return cost


def _near(mean: Decimal | None, costs: list[Decimal]) -> bool:
    return mean is not None and abs(mean - mean_of(costs)) < Decimal("0.001")


async def test_that_a_venue_is_judged_by_enough_whole_fills_alone(world: World) -> None:
    ledger = world.ledger()
    for number in range(19):
        await world.fill(Trade(landed_raw=100_050_000 + 1_000 * number))
    await world.fill(SPLIT)
    await ledger.step()
    await world.live(ledger, 61)
    assert ledger.bias.bps("raydium", "SOL-USDC") == 0
    await world.fill(
        Trade(landed_raw=200_000_000)
    )  # broken: counts for a hundred, not ten thousand
    await world.live(ledger, 61)

    bias = ledger.bias.bps("raydium", "SOL-USDC")
    assert bias == pytest.approx(Decimal((19 * 5.9 + 100) / 20), abs=Decimal("0.01"))
    assert ledger.bias.bps("meteora", "SOL-USDC") == 0
    assert ledger.bias.bps("raydium", "BTC-USDC") == 0


async def test_that_what_a_lot_brings_beyond_the_order_is_no_better_fill(world: World) -> None:
    """One SOL of an exchange that keeps a thousandth takes 1.002, which bring 1.000998."""
    ledger = world.ledger()
    for number in range(24):
        legs = [leg("binance", "1", "100.2")]
        await world.fill(Trade(legs=legs, landed_raw=100_200_000 + number, over_raw=998_000))
    await ledger.step()
    await world.live(ledger, 61)

    (tally,) = await ledger.tallies(world.wanted())
    assert abs(ledger.bias.bps("binance", "SOL-USDC")) < Decimal("0.01")
    assert tally.group.mean_bps == pytest.approx(Decimal("-9.97"), abs=Decimal("0.01"))


async def test_that_a_fee_in_another_asset_is_told_and_teaches_nothing(world: World) -> None:
    ledger = world.ledger()
    for number in range(25):
        cheap = Trade(landed_raw=99_900_000 + number, receipt={"otherFees": {"BNB": "0.00030000"}})
        await world.fill(cheap)
    await ledger.step()
    await world.live(ledger, 61)

    found = await world.entries(ledger)
    (tally,) = await ledger.tallies(world.wanted())

    assert {str(entry.other_fees["BNB"]) for entry in found} == {"0.00030000"}
    assert (tally.group.fills, tally.fee_apart) == (25, 25)
    assert ledger.bias.bps("raydium", "SOL-USDC") == 0, "without its fee it looks 10 bps better"
    for number in range(25):
        await world.fill(Trade(landed_raw=100_050_000 + number))
    await world.live(ledger, 61)
    assert ledger.bias.bps("raydium", "SOL-USDC") == pytest.approx(Decimal(5), abs=Decimal("0.1"))


async def test_that_pages_miss_and_repeat_nothing(world: World) -> None:
    ledger = world.ledger()
    for number in range(9):
        await world.fill(SPLIT if number % 3 else Trade(side=Side.SELL))
        if number % 2:
            await world.stage.run_for(1)
    await world.fill(Trade(account_id=world.stage.new_id()))
    await ledger.step()
    whole = await world.entries(ledger)

    seen: list[Entry] = []
    for _ in range(6):
        last = seen[-1] if seen else None
        before = last and (last.landed_ms, last.order_id, last.leg)
        seen += await world.entries(ledger, before=before, limit=4)

    assert seen == whole
    assert len({(entry.order_id, entry.leg) for entry in seen}) == 15
    assert [e.landed_ms for e in seen] == sorted((e.landed_ms for e in seen), reverse=True)


async def test_that_entries_are_found_by_pair_venue_and_time(world: World) -> None:
    ledger = world.ledger()
    await world.fill(Trade(pair="BTC-USDC", legs=[leg("meteora", "10", "500000")]))
    await world.stage.run_for(1)
    late_ms = world.stage.clock.now_ms()
    await world.fill(SPLIT)
    await ledger.step()

    def venues(found: list[Entry]) -> list[str]:
        return [entry.venue for entry in found]

    assert venues(await world.entries(ledger, pair="BTC-USDC")) == ["meteora"]
    assert venues(await world.entries(ledger, venue="raydium")) == ["raydium"]
    assert venues(await world.entries(ledger, since_ms=late_ms)) == ["meteora", "raydium"]
    assert await world.entries(ledger, since_ms=late_ms + 1) == []
    assert await world.entries(ledger, mode="paper") == []


async def test_that_the_loops_keep_the_books_by_themselves(world: World) -> None:
    ledger = world.ledger()
    running = asyncio.create_task(ledger.run())
    world.say("SOL", 100)
    await world.fill(ledger=ledger)
    found: list[Entry] = []
    for second in range(200):
        await world.stage.run_for(1)
        world.say("USDC", 1)
        world.say("SOL", 100 + second)
        found = await world.entries(ledger)
        if found and len(found[0].marks) == 2:
            break
    running.cancel()
    await asyncio.wait((running,))

    assert running.cancelled()
    (entry,) = found
    landing, later = entry.marks
    assert landing.price == 100
    assert 10_000 <= (later.at_ms or 0) - entry.landed_ms <= 12_000


async def test_that_the_books_wait_while_orders_crowd_in_and_catch_up_after(world: World) -> None:
    ledger = world.ledger()
    ledger.take(world.crowd(60))

    assert ledger.pause_s(more=True) == PASS_S, "orders go first"
    assert ledger.pause_s(more=True) < PASS_S / 10, "and what was left is taken in at once"
    assert ledger.pause_s(more=False) == PASS_S
