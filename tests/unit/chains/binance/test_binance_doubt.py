"""Promise: on Binance an order fills at most once, wherever the desk dies and whatever is lost."""

import asyncio
from decimal import Decimal

import pytest
from tests.unit.chains.binance.world import FIND, POST, World, order, trade, world

from quantdesk.chains.binance.fate import SETTLE_MS
from quantdesk.chains.port import Fate
from quantdesk.core.errors import Unavailable
from quantdesk.testing.binance import CUT, LOST, TIMEOUT, Bad
from quantdesk.testing.binance_exchange import Order

pytestmark = pytest.mark.anyio


def filled(w: World) -> list[Decimal]:
    return [each.executed for each in w.exchange.orders if each.executed]


async def test_that_bytes_are_posted_once_though_the_exchange_would_take_them_twice() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        for _ in range(5):
            await desk.send(made)

        assert len(w.server.posted) == 1
        assert len(filled(w)) == 1


async def test_that_two_sends_at_once_post_once() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        await asyncio.gather(*(desk.send(made) for _ in range(5)))

        assert len(w.server.posted) == 1


async def test_that_a_lost_answer_is_looked_for_and_never_posted_again() -> None:
    async with world() as w:
        w.server.bad(POST, LOST)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        sighting = await w.settled(desk, made)

        assert sighting.fate is Fate.LANDED
        assert (len(w.server.posted), len(filled(w))) == (1, 1)


@pytest.mark.parametrize(
    "bad",
    [
        Bad(takes=True, status=500, body={"code": -1000, "msg": "unknown"}),
        Bad(takes=True, status=502, body=b"<html>"),
        Bad(takes=True, status=504, body=TIMEOUT),
        Bad(takes=True, status=400, body=TIMEOUT),
        Bad(takes=True, status=400, body={"code": -1006, "msg": "unexpected"}),
        Bad(takes=True, status=200, body=b"{"),
        Bad(takes=True, status=200, body={"symbol": "BTCUSDC"}),
        Bad(takes=True, status=400, body=b"<html>"),
        Bad(takes=True, status=307, body=b"", location="/api/v3/order"),
    ],
    ids=lambda bad: f"{bad.status}{str(bad.body)[:14]}",
)
async def test_that_an_answer_that_says_nothing_concludes_nothing(bad: Bad) -> None:
    async with world() as w:
        w.server.bad(POST, bad)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        sighting = await w.settled(desk, made)

        assert sighting.fate is Fate.LANDED
        assert len(filled(w)) == 1


async def test_that_a_request_lost_on_its_way_is_dead_only_after_everything_allows_it() -> None:
    async with world() as w:
        w.server.bad(POST, CUT)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        await w.clock.advance(3 + SETTLE_MS / 1000 - 2)
        (early,) = await desk.look([made])
        sighting = await w.settled(desk, made, within_s=30)

        assert early.fate is Fate.UNSEEN
        assert sighting.fate is Fate.DEAD
        assert w.clock.now_ms() > made.last_valid_height + SETTLE_MS
        assert len(w.server.posted) == 1  # not even by the HTTP client on its own
        assert not filled(w)


async def test_that_an_order_stuck_in_the_exchange_is_not_taken_for_dead() -> None:
    async with world() as w:
        w.server.bad(POST, Bad(queues=True, status=504, body=TIMEOUT))
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        await w.clock.advance(40)
        (waiting,) = await desk.look([made])
        w.server.drain()
        sighting = await w.settled(desk, made)

        assert (waiting.fate, sighting.fate) == (Fate.UNSEEN, Fate.LANDED)


async def test_that_an_order_told_of_late_is_not_taken_for_dead() -> None:
    async with world() as w:
        w.server.bad(POST, LOST)
        w.exchange.told_after_ms = 50_000
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        sighting = await w.settled(desk, made)

        assert sighting.fate is Fate.LANDED


async def test_that_a_firewall_in_between_is_no_word_of_the_exchange() -> None:
    async with world() as w:
        w.server.bad(POST, Bad(takes=True, status=403, body=b"<html>", retry_after="5"))
        w.exchange.told_after_ms = 50_000
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable) as blocked:
            await desk.send(made)
        await w.clock.advance(6)
        sighting = await w.settled(desk, made)

        assert blocked.value.code == "exchange.busy"
        assert sighting.fate is Fate.LANDED


async def test_that_an_order_is_not_dead_while_a_list_or_a_trade_or_a_report_knows_it() -> None:
    missing = Bad(status=400, body={"code": -2013, "msg": "Order does not exist."})
    async with world() as w:
        w.server.bad(POST, LOST)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        await w.clock.advance(SETTLE_MS / 1000 + 10)
        w.server.bad(FIND, missing)
        (listed,) = await desk.look([made])
        await w.clock.advance(10)
        w.server.bad(FIND, missing)
        w.server.bad("GET /api/v3/allOrders", Bad(status=200, body=[]))
        (traded,) = await desk.look([made])
        await w.clock.advance(10)
        w.server.bad(FIND, missing)
        w.server.bad("GET /api/v3/allOrders", Bad(status=200, body=[]))
        w.server.bad("GET /api/v3/myTrades", Bad(status=200, body=[]))
        desk.wake(made.signature)
        (reported,) = await desk.look([made])

        assert [listed.fate, traded.fate, reported.fate] == [Fate.UNSEEN] * 3
        assert (await w.settled(desk, made)).fate is Fate.LANDED


@pytest.mark.parametrize("strangers", [1, 30])
async def test_that_orders_of_others_that_filled_meanwhile_keep_none_in_doubt_for_ever(
    strangers: int,
) -> None:
    async with world() as w:
        for number in range(strangers):
            w.exchange.orders.append(_resting(w, number))
        await w.clock.advance(3_600)
        w.server.bad(POST, CUT)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        for each in w.exchange.orders:
            w.exchange.trades.append((w.exchange.now_ms, _trade_of(w, each)))
        sighting = await w.settled(desk, made)

        assert sighting.fate is Fate.DEAD
        assert w.server.asked[FIND] < 100


def _resting(w: World, number: int) -> Order:
    """Return an order that somebody else placed with the same account, long before it fills."""
    return Order(
        number + 1, f"web_{number}", "SOLUSDC", "BUY", "GTC", Decimal(149), Decimal(1),
        w.exchange.now_ms, executed=Decimal(1), notional=Decimal(149), status="FILLED",
    )  # fmt: skip


def _trade_of(w: World, of: Order) -> dict[str, object]:
    return {
        "symbol": of.symbol, "id": of.id, "orderId": of.id, "qty": "1", "quoteQty": "149",
        "commission": "0", "commissionAsset": "BNB", "time": w.exchange.now_ms,
    }  # fmt: skip


@pytest.mark.parametrize("skew_ms", [-90_000, 0, 90_000])
async def test_that_only_the_exchanges_own_time_counts(skew_ms: int) -> None:
    async with world(skew_ms=skew_ms) as w:
        w.server.bad(POST, CUT)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        sighting = await w.settled(desk, made)

        assert abs(made.last_valid_height - 3_000 - (w.exchange.now_ms - 70_000)) < 15_000
        assert sighting.fate is Fate.DEAD


async def test_killed_after_prepare_nothing_is_ever_ordered() -> None:
    async with world() as w:
        made = await (await w.desk()).prepare(trade(), order())
        reborn = await w.desk()
        sighting = await w.settled(reborn, made)

        assert sighting.fate is Fate.DEAD
        assert not w.server.posted


async def test_killed_after_the_answer_was_lost_the_next_desk_finds_the_order() -> None:
    async with world() as w:
        w.server.bad(POST, LOST)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        reborn = await w.desk()
        await reborn.send(made)
        sighting = await w.settled(reborn, made)
        receipt = await reborn.receipt(trade(), made)

        assert sighting.fate is Fate.LANDED
        assert receipt.base_raw == 10_000_989_000
        assert len(w.server.posted) == 1


async def test_killed_in_the_middle_of_the_post_it_is_not_posted_again() -> None:
    async with world() as w:
        hold = asyncio.Event()
        w.server.bad(POST, Bad(until=hold))
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        sending = asyncio.ensure_future(desk.send(made))
        await w.server.came(POST)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        hold.set()
        await desk.send(made)

        assert len(w.server.posted) == 1


async def test_that_a_desk_that_slept_too_long_cannot_order_beside_its_successor() -> None:
    async with world() as w:
        sleeper = await w.desk()
        first = await sleeper.prepare(trade(), order())
        successor = await w.desk()
        assert (await w.settled(successor, first)).fate is Fate.DEAD
        second = await successor.prepare(trade(attempt=2), order())
        await successor.send(second)
        await sleeper.send(first)  # wakes up

        assert len(filled(w)) == 1
        assert not w.exchange.doubled


async def test_that_bytes_out_of_time_are_refused_by_the_exchange_itself() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        w.exchange.skew_ms += 10_000  # unknown to the desk
        with pytest.raises(Unavailable) as late:
            await desk.send(made)
        sighting = await w.settled(desk, made)

        assert late.value.code == "exchange.clock"
        assert sighting.fate is Fate.DEAD
        assert not filled(w)


async def test_that_a_duplicate_is_taken_for_sent() -> None:
    async with world() as w:
        said = {"code": -2010, "msg": "Duplicate order sent."}
        w.server.bad(POST, Bad(takes=True, status=400, body=said))
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        await desk.send(made)

        assert (await w.settled(desk, made)).fate is Fate.LANDED


@pytest.mark.parametrize(
    ("code", "msg", "told"),
    [
        (-2010, "Account has insufficient balance for requested action.", "funds.insufficient"),
        (-2010, "Market is closed.", "pool.gone"),
        (-1013, "Filter failure: PERCENT_PRICE_BY_SIDE", "price.band"),
        (-1015, "Too many new orders.", "exchange.busy"),
        (-2015, "Invalid API-key, IP, or permissions for action.", "exchange.unauthorized"),
        (-2010, "This symbol is restricted for this account.", "exchange.refused"),
    ],
)  # fmt: skip
async def test_that_a_refused_post_ends_with_its_reason_once_its_time_is_over(
    code: int, msg: str, told: str
) -> None:
    async with world() as w:
        w.server.bad(POST, Bad(status=400, body={"code": code, "msg": msg}))
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        (early,) = await desk.look([made])
        sighting = await w.settled(desk, made, within_s=15)

        assert early.fate is Fate.UNSEEN
        assert (sighting.fate, sighting.code) == (Fate.DEAD, told)
        assert w.clock.now_ms() > made.last_valid_height


async def test_that_another_accounts_key_concludes_nothing() -> None:
    async with world() as w:
        w.server.bad(POST, LOST)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        w.exchange.uid += 1
        w.exchange.orders.clear()
        w.exchange.trades.clear()
        reborn = await w.desk()
        await w.clock.advance(SETTLE_MS / 1000 + 10)
        with pytest.raises(Unavailable) as foreign:
            await reborn.look([made])

        assert foreign.value.code == "exchange.other_account"


async def test_that_silence_is_told_and_nothing_is_concluded() -> None:
    async with world() as w:
        w.server.bad(POST, CUT)
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        with pytest.raises(Unavailable):
            await desk.send(made)
        await w.clock.advance(1)
        w.server.bad(FIND, Bad(status=504, body=TIMEOUT), Bad(status=503, body=b""))
        for _ in range(2):
            with pytest.raises(Unavailable):
                await desk.look([made])
            await w.clock.advance(10)


async def test_that_without_a_connection_the_bytes_can_still_be_posted() -> None:
    async with world() as w:
        desk = await w.desk()
        made = await desk.prepare(trade(), order())
        desk._client.budget.barred(429, "1", now_s=w.clock.monotonic())
        with pytest.raises(Unavailable) as busy:
            await desk.send(made)
        await w.clock.advance(1.1)
        await desk.send(made)

        assert busy.value.code == "exchange.busy"
        assert len(filled(w)) == 1
