"""What a swap leaves of a CLMM pool: its fees, ticks, limit orders, price record and event."""

from dataclasses import replace
from typing import Final

import pytest
from tests.oracles.raydium import clmm_pools as pools
from tests.programs.clmm_world import ADDRESS, MINTS, NOW_S, OBSERVATION, PURSES, World, bounded
from tests.unit.venues import minted

from quantdesk.core.assets import TOKEN_2022
from quantdesk.venues.port import Fill
from quantdesk.venues.raydium.clmm import layout, ticks
from quantdesk.venues.transfer_fee import TransferFee

_PROTOCOL, _FUND, _ONE = 120_000, 40_000, 1_000_000
_PLAIN: Final = pools.of_positions([(-300, 600, 10**15), (-2, 4, 10**15), (3, 40, 10**14)])
_RISING: Final = (30, 600, 5_000, 40_000, 350_000, 0, 0, 0, NOW_S - 1_000)


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.open(_PLAIN)
    return shared


def test_that_a_fee_is_shared_as_the_config_says(world: World) -> None:
    for paid in (0, 1):
        before = world.fees()
        done = world.sell(10**9, paid=paid)
        fee = 10**9 * 2_500 // _ONE
        after = world.fees()
        assert done.event is not None
        assert done.event.fees[paid] == fee
        assert after.protocol[paid] - before.protocol[paid] == fee * _PROTOCOL // _ONE
        assert after.fund[paid] - before.fund[paid] == fee * _FUND // _ONE
        kept = fee - fee * _PROTOCOL // _ONE - fee * _FUND // _ONE
        assert after.growth[paid] - before.growth[paid] == (kept << 64) // _PLAIN.liquidity


def test_that_the_way_over_empty_ranges_is_free(shared: World) -> None:
    shared.open(pools.of_positions([(-80, 20, 10**12), (-9, 2, 10**12)]))
    before = shared.fees()
    done = shared.sell(10**6)
    fee = 10**6 * 2_500 // _ONE
    assert done.error is None
    assert shared.fees().protocol[0] - before.protocol[0] == fee * _PROTOCOL // _ONE
    # It trades where liquidity begins.
    assert shared.pool().liquidity == 10**12
    assert ticks.sqrt_price_at(-8 * 60) < shared.pool().sqrt_price < ticks.sqrt_price_at(-7 * 60)


def test_that_crossed_ticks_know_what_grew_on_their_other_side(world: World) -> None:
    lower = -2 * _PLAIN.spacing

    def outside() -> tuple[int, int]:
        return world.tick(lower).outside

    assert outside() == (0, 0)
    edge = bounded(world.call(1 << 62), ticks.sqrt_price_at(lower))
    assert world.send(edge).error is None
    assert world.pool().tick == lower - 1
    grown = world.fees().growth
    assert outside() == grown
    world.sell(10**9)  # grows on the side the price is on now
    back = bounded(world.call(1 << 62, paid=1), ticks.sqrt_price_at(lower))
    assert world.send(bounded(back, ticks.sqrt_price_at(lower) + 1), 1).error is None
    below = world.fees().growth
    assert world.pool().liquidity == _PLAIN.liquidity
    assert below[0] > grown[0]
    assert outside()[0] == below[0] - grown[0]


def test_that_a_price_that_has_fallen_to_a_tick_stays_below_it(world: World) -> None:
    lower = -2 * _PLAIN.spacing
    root = ticks.sqrt_price_at(lower)
    exactly = world.send(bounded(world.call(1 << 62), root)).paid
    world.open(_PLAIN)
    assert world.sell(exactly + 1).error is None  # the unit more goes for the fee
    assert (world.pool().sqrt_price, world.pool().tick) == (root, lower - 1)
    assert world.pool().liquidity == _PLAIN.liquidity - 10**15


@pytest.mark.parametrize("paid", [0, 1])
def test_that_a_rising_fee_is_kept_for_the_next_swap(shared: World, paid: int) -> None:
    shared.open(replace(_PLAIN, dynamic=_RISING))
    calm = shared.dynamic()
    end = ticks.sqrt_price_at(-5 * 60 - 30 if paid == 0 else 5 * 60 + 30)
    moved = 6 if paid == 0 else 5  # groups, the price being in the first third of one
    assert shared.send(bounded(shared.call(1 << 62, paid=paid), end), paid).error is None
    expected = replace(calm, accumulator=moved * 10_000, updated_s=NOW_S)
    assert shared.dynamic() == expected
    shared.at(NOW_S + 29)  # too soon to count anew
    assert shared.sell(10**6, paid=paid).error is None
    assert shared.dynamic() == expected
    shared.at(NOW_S + 30)
    assert shared.sell(10**6, paid=paid).error is None
    here = shared.pool().tick // 60
    assert shared.dynamic() == replace(
        expected,
        group_reference=here,
        reference=moved * 5_000,
        accumulator=moved * 5_000,
        updated_s=NOW_S + 30,
    )
    shared.at(NOW_S + 30 + 600)
    assert shared.sell(10**6, paid=paid).error is None
    assert shared.dynamic() == replace(
        calm, group_reference=here, accumulator=0, updated_s=NOW_S + 630
    )


def test_that_orders_of_a_tick_are_filled_in_their_order(shared: World) -> None:
    at, ordered = -120, 10**9
    shared.open(pools.of_positions([(-300, 600, 10**12), (-2, 4, 10**12)], orders={-2: ordered}))
    root = ticks.sqrt_price_at(at)
    to_the_tick = shared.send(bounded(shared.call(1 << 62), root + 1))
    assert to_the_tick.error is None
    assert shared.tick(at) == ((0, 0), 0, ordered, 0, 0)
    assert shared.buy(ordered // 4).error is None
    left = ordered - ordered // 4
    kept = shared.tick(at)
    assert kept.phase == 1
    assert abs(kept.partly_filled - left) <= 1  # a unit may come from the way to the tick
    assert kept.orders == 0
    assert kept.unfilled_ratio == (kept.partly_filled << 64) // ordered
    # Until all of them are filled the price does not leave the tick, nor does liquidity.
    assert (shared.pool().tick, shared.pool().liquidity) == (at, 2 * 10**12)
    assert kept.outside == (0, 0)
    assert shared.buy(ordered // 4).error is None
    again = shared.tick(at)
    assert (again.phase, kept.partly_filled - again.partly_filled) == (1, ordered // 4)
    assert again.unfilled_ratio == kept.unfilled_ratio * again.partly_filled // kept.partly_filled


def test_that_an_array_whose_orders_are_filled_is_forgotten(shared: World) -> None:
    lowest = -60 * 60  # in one array with the other
    shared.open(pools.of_positions([(-300, 600, 10**12)], orders={-60: 10**9, -2: 10**9}))
    array = layout.tick_array_address(ADDRESS, lowest)
    count = layout.ARRAY_HEAD.size + layout.ARRAY_TICKS * layout.TICK.size

    def maps() -> tuple[bool, int]:
        bit = lowest // (60 * 60) + layout.MAP_ARRAYS
        return bool(shared.pool().bitmap >> bit & 1), shared.data(array)[count]

    first, second = [t.number for t in shared.seen().market.below][:2]
    assert (first, second) == (-120, lowest)
    before = maps()
    past = bounded(shared.call(1 << 62), ticks.sqrt_price_at(lowest) - (1 << 40))
    assert shared.send(past).error is None
    assert shared.pool().tick < lowest
    assert (shared.tick(lowest).orders, shared.tick(lowest).partly_filled) == (0, 0)
    assert before == (True, 2)
    assert maps() == (False, 0)


def test_that_ticks_that_have_passed_are_recorded(world: World) -> None:
    def recorded() -> tuple[int, int, int]:
        data = world.data(OBSERVATION)
        index = int.from_bytes(data[17:19], "little")
        at = 51 + 44 * index
        return index, int.from_bytes(data[at : at + 4], "little"), _signed(data[at + 4 : at + 12])

    world.sell(10)  # the tick stays: nothing to record
    assert recorded() == (0, 0, 0)
    world.sell(10**13)
    assert recorded() == (0, NOW_S, 0)
    then = world.pool().tick
    assert then < -1
    world.at(NOW_S + 14)
    world.sell(10**13)
    assert recorded() == (0, NOW_S, 0)
    held = world.pool().tick
    world.at(NOW_S + 15)
    world.sell(10**13)
    assert recorded() == (1, NOW_S + 15, 15 * held)


def _signed(data: bytes) -> int:
    return int.from_bytes(data, "little", signed=True)


def test_that_an_event_tells_the_swap(world: World) -> None:
    for paid in (0, 1):
        done = world.sell(10**9, paid=paid)
        left, event = world.pool(), done.event
        assert event is not None
        assert (event.amounts[paid], event.amounts[1 - paid]) == (10**9, done.received)
        assert event.down == (paid == 0)
        assert event.transfer_fees == (0, 0)
        assert (event.sqrt_price, event.liquidity, event.tick) == (
            left.sqrt_price,
            left.liquidity,
            left.tick,
        )


@pytest.mark.parametrize(("paid", "most"), [(0, 11), (1, 10)])
def test_that_a_rising_fee_counts_what_it_has_skipped(shared: World, paid: int, most: int) -> None:
    gap = pools.of_positions([(-2, 4, 10**12), (-60, 20, 10**12), (40, 20, 10**12)])
    shared.open(replace(gap, dynamic=_RISING))
    end = ticks.sqrt_price_at(-10 * 60 - 30 if paid == 0 else 10 * 60 + 30)
    assert shared.send(bounded(shared.call(1 << 50, paid=paid), end), paid).error is None
    assert shared.pool().liquidity == 0
    assert shared.dynamic().accumulator == most * 10_000


@pytest.mark.parametrize(("paid", "groups"), [(0, 42), (1, 41)])
def test_that_a_rising_fee_goes_on_beyond_a_gap(shared: World, paid: int, groups: int) -> None:
    gap = pools.of_positions([(-2, 4, 10**12), (-60, 20, 10**12), (40, 20, 10**12)])
    rising = replace(gap, dynamic=(*_RISING[:4], 10**6, *_RISING[5:]))
    shared.open(rising)
    end = ticks.sqrt_price_at(-41 * 60 - 30 if paid == 0 else 41 * 60 + 30)
    most = shared.send(bounded(shared.call(1 << 50, paid=paid), end), paid).paid
    assert shared.dynamic().accumulator == groups * 10_000
    shared.open(rising)
    quoted = shared.quoted(most, exact_in=True, paid=paid)
    assert isinstance(quoted, Fill)
    done = shared.sell(most, paid=paid)
    assert (done.error, done.received) == (None, quoted.received)
    assert done.event is not None
    assert done.event.fees[paid] == quoted.fee


@pytest.mark.parametrize("paid", [0, 1])
def test_that_an_event_tells_what_transfers_took(paid: int) -> None:
    world = World()
    world.open(_PLAIN)
    fees = (TransferFee(100, minted.U64_MAX), TransferFee(30, minted.U64_MAX))
    trader = str(world.trader.pubkey())
    for side, mint in enumerate(MINTS):
        world.put(mint, minted.mint(fees[side], decimals=(9, 6)[side]), TOKEN_2022)
        for address, owner in ((PURSES[side], trader), (pools.VAULTS[side], ADDRESS)):
            world.put(address, minted.account(mint, owner, 1 << 60), TOKEN_2022)

    done = world.sell(10**9, paid=paid)

    assert (done.error, done.paid) == (None, 10**9)
    assert done.event is not None
    taken = fees[paid].on(10**9)
    assert done.event.transfer_fees[paid] == taken
    assert done.event.amounts[paid] == 10**9 - taken
    sent = done.received + done.event.transfer_fees[1 - paid]
    assert done.event.transfer_fees[1 - paid] == fees[1 - paid].on(sent) > 0
    assert done.event.amounts[1 - paid] == done.received
