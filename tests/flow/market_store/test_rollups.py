"""Promise: what the store adds up from minutes is what memory adds up, to the last digit."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from tests.flow.market_store.rows import BTC, NOW_MS, minutes, store

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.ticks import Frame, Trade
from quantdesk.ingest.candles.candles import Candles
from quantdesk.ingest.candles.exact import DECIMALS, scaled, unscaled
from quantdesk.ingest.candles.window import Window, fold, volume_text
from quantdesk.ingest.store import partitions, read, rollups
from quantdesk.ingest.store.periods import candles_of, period_of
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio
MINUTE_MS = 60_000
DAY_MS = 86_400_000
START_MS = NOW_MS - NOW_MS % DAY_MS - DAY_MS
_TARGETS = list(rollups.TARGETS)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(now_ms=NOW_MS)


async def _rolled(pools: Pools, *, from_ms: int, to_ms: int) -> int:
    periods = {period_of(candles_of(name), ms) for name in _TARGETS for ms in (from_ms, to_ms)}
    async with pools.write.transaction() as c:
        await partitions.create(c, periods)
        return await rollups.roll_up(c, BTC, from_ms=from_ms, to_ms=to_ms, now_ms=NOW_MS)


async def _stored(pools: Pools, interval: str) -> list[Candle]:
    async with pools.read.connection() as c:
        return await read.candles(c, BTC, interval, from_ms=0, to_ms=NOW_MS, limit=5_000)


def _said(candle: Candle) -> Candle:
    return msgspec.structs.replace(candle, revision=0, origin="trades", reconciled=False)


@pytest.mark.parametrize("seed", range(3))
async def test_minutes_of_real_trading_add_up_as_in_memory(
    seed: int, pools: Pools, clock: ManualClock
) -> None:
    chance, told = Random(seed), dict[tuple[str, int], Candle]()
    candles = Candles()
    candles.on_candle(lambda one: told.update({(one.interval, one.open_ms): one}))
    at_ms, number, price = START_MS, 0, 6_000_000
    while at_ms < START_MS + DAY_MS // 4 + 10_000:
        number += 1
        price += chance.randint(-500, 500)
        size = f"{chance.randint(1, 10**9)}e-8" if seed else f"{chance.random():.8f}"
        trade = Trade(
            "BTC", "USDT", f"{price / 100:.2f}", size, number, at_ms, chance.random() < 0.5
        )
        candles.trade(trade, Frame("binance", "ws", (at_ms + 30) * 1_000_000, b""))
        at_ms += chance.choice((50, 900, 30_000, 200_000))
    base = [one for (interval, _), one in told.items() if interval == "1m"]
    assert any(one.flat for one in base)
    await store(pools, clock, base)

    await _rolled(pools, from_ms=START_MS, to_ms=START_MS + 5 * INTERVALS["1h"])
    for interval in ("5m", "15m", "1h"):
        live = [_said(one) for (name, _), one in sorted(told.items()) if name == interval]
        stored = await _stored(pools, interval)
        assert len(stored) == 5 * INTERVALS["1h"] // INTERVALS[interval]
        assert stored == live[: len(stored)]


@pytest.mark.parametrize("seed", range(4))
async def test_minutes_of_any_origin_add_up_by_the_same_rule(
    seed: int, pools: Pools, clock: ManualClock
) -> None:
    chance = Random(seed)
    windows = [_window(chance, START_MS + number * MINUTE_MS) for number in range(1_440)]
    held = [one for one in windows if seed < 2 or chance.random() < 0.98]
    await store(pools, clock, [_candle(one, "1m") for one in held])
    await _rolled(pools, from_ms=START_MS, to_ms=START_MS + DAY_MS)

    for interval in _TARGETS:
        assert await _stored(pools, interval) == _folded(held, interval)


def _window(chance: Random, open_ms: int) -> Window:
    price = scaled("100")
    if chance.random() < 0.3:
        return Window(open_ms, price, price, price, price, gap=chance.random() < 0.01)
    moves = [price + scaled(f"{chance.randint(0, 999)}.5") for _ in range(3)]
    window = Window(open_ms, moves[0], max(moves), min(moves), moves[-1], chance.randint(1, 10**30))
    if chance.random() < 0.02:
        return msgspec.structs.replace(window, quote_volume=-1, taker_buy_volume=-1)
    window.quote_volume, window.taker_buy_volume = chance.randint(1, 10**50), chance.randint(0, 9)
    window.trades = chance.randint(1, 50)
    window.first_id = open_ms
    window.last_id = open_ms + chance.randint(0, 59)
    return window


def _folded(parts: Sequence[Window], interval: str) -> list[Candle]:
    length_ms = INTERVALS[interval]
    found = []
    for open_ms in range(START_MS, START_MS + DAY_MS, length_ms):
        inside = [part for part in parts if open_ms <= part.open_ms < open_ms + length_ms]
        whole = fold(open_ms, inside, None)
        if whole is not None:
            whole.gap |= len(inside) < length_ms // MINUTE_MS
            found.append(_candle(whole, interval))
    return found


def _candle(window: Window, interval: str) -> Candle:
    return Candle(
        *BTC, interval, window.open_ms, unscaled(window.open), unscaled(window.high),
        unscaled(window.low), unscaled(window.close), unscaled(window.volume),
        volume_text(window.quote_volume, decimals=2 * DECIMALS),
        volume_text(window.taker_buy_volume), window.trades, window.first_id, window.last_id,
        closed=True, flat=window.is_flat, gap=window.gap,
    )  # fmt: skip


async def test_adding_up_again_changes_nothing(pools: Pools, clock: ManualClock) -> None:
    await store(pools, clock, minutes(120, from_ms=START_MS))
    first = await _rolled(pools, from_ms=START_MS, to_ms=START_MS + 60 * MINUTE_MS)
    before = {name: await _stored(pools, name) for name in _TARGETS}
    again = await _rolled(pools, from_ms=START_MS, to_ms=START_MS + 60 * MINUTE_MS)
    assert (first, again) == (12 + 4 + 1 + 1 + 1, 0)
    assert {name: await _stored(pools, name) for name in _TARGETS} == before
    assert [one.gap for one in before["1h"]] == [False]
    assert [one.gap for one in before["4h"] + before["1d"]] == [True, True]


async def test_a_window_that_has_not_ended_is_left_to_memory(
    pools: Pools, clock: ManualClock
) -> None:
    await store(pools, clock, minutes(7, from_ms=NOW_MS - 7 * MINUTE_MS))
    await _rolled(pools, from_ms=NOW_MS - 7 * MINUTE_MS, to_ms=NOW_MS)
    assert [one.open_ms for one in await _stored(pools, "5m")] == [
        NOW_MS - 10 * MINUTE_MS, NOW_MS - 5 * MINUTE_MS,
    ]  # fmt: skip
    assert not await _stored(pools, "1d")


async def test_a_whole_one_takes_the_place_of_one_counted_in_part_and_of_no_other(
    pools: Pools, clock: ManualClock
) -> None:
    base = minutes(10, from_ms=START_MS)
    part = msgspec.structs.replace(base[0], interval="5m", gap=True, revision=2, volume="1")
    own = msgspec.structs.replace(base[5], interval="5m", close="101")
    await store(pools, clock, [*base, part, own])
    await _rolled(pools, from_ms=START_MS, to_ms=START_MS + 10 * MINUTE_MS)
    first, second = await _stored(pools, "5m")
    assert (first.gap, first.revision, first.volume, first.trades) == (False, 3, "12.5", 15)
    assert second == own
