"""Our Raydium CPMM, run by the real VM, does to the unit what the venue's integers say.

So a quote is what a swap pays; and whatever is asked of it, the pool is never poorer for it.
"""

import base64
import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.programs.raydium_world import (
    CREATOR_FEES,
    CREATOR_MODE,
    FUND_FEES,
    NOW_S,
    OBSERVATION_DATA,
    OPEN_TIME,
    PROTOCOL_FEES,
    STATUS,
    Outcome,
    World,
)

from quantdesk.core.errors import Refused
from quantdesk.venues.raydium.cpmm.curve import (
    RATE_ONE,
    FeeRates,
    Reserves,
    Trade,
    exact_input,
    exact_output,
)

_VECTORS: Final = Path(__file__).parents[1] / "vectors" / "raydium_cpmm.json"
_U64: Final = (1 << 64) - 1
_PLAIN: Final = FeeRates(2_500, 0, 120_000, 40_000, creator_on_input=True)
_PANIC: Final = "ProgramFailedToComplete"


@pytest.fixture(scope="module")
def shared() -> World:
    return World()


@pytest.fixture
def world(shared: World) -> World:
    shared.reset()
    return shared


def _agree(world: World, trade: Trade | None, done: Outcome, before: tuple[int, ...]) -> None:
    """Whether program and Python say the same, down to what is owed to whom."""
    if trade is None:
        assert done.error is not None
        assert world.amounts() == before
        return
    assert (done.error, done.paid, done.received) == (None, trade.input_raw, trade.output_raw)
    protocol, _, fund, _, *creator = world.owed()
    assert (protocol, fund, sum(creator)) == (trade.protocol_fee, trade.fund_fee, trade.creator_fee)
    after = world.amounts()
    assert sum(before[::2]) == sum(after[::2])
    assert sum(before[1::2]) == sum(after[1::2])


def _asked(
    world: World, question: tuple[bool, int, Reserves, FeeRates]
) -> tuple[Trade | None, Outcome, tuple[int, ...]]:
    exact_in, amount, reserves, rates = question
    world.reset()
    world.charge(rates, input_token=0)
    world.fill(reserves.input_raw, reserves.output_raw)
    world.fund(_U64 - reserves.input_raw, 0)
    before = world.amounts()
    done = world.sell(amount) if exact_in else world.buy(amount)
    try:
        trade = (exact_input if exact_in else exact_output)(amount, reserves, rates)
    except Refused:
        return None, done, before
    # What nobody can hold cannot be paid, whatever the curve says.
    return (trade if trade.input_raw <= before[0] else None), done, before


def test_that_the_program_meets_a_sample_of_the_sdk_vectors(shared: World) -> None:
    rows: list[list[Any]] = json.loads(_VECTORS.read_text())[::4]
    filled = 0
    for exact_in, amount, held_in, held_out, (trade_fee, *shares), on_input, _ in rows:
        creator, protocol, fund = shares
        rates = FeeRates(trade_fee, creator, protocol, fund, creator_on_input=on_input)
        question = (exact_in, int(amount), Reserves(int(held_in), int(held_out)), rates)
        trade, done, before = _asked(shared, question)
        _agree(shared, trade, done, before)
        filled += trade is not None
    assert filled >= len(rows) // 2


_AMOUNTS = st.integers(1, 1 << 62) | st.integers(1, 1_000) | st.integers(1, 1 << 40)


@st.composite
def _questions(draw: st.DrawFn) -> tuple[bool, int, Reserves, FeeRates]:
    trade = draw(st.integers(0, RATE_ONE - 1) | st.just(2_500))
    creator = draw(st.integers(0, RATE_ONE - 1 - trade) | st.just(0))
    protocol = draw(st.integers(0, RATE_ONE))
    rates = FeeRates(
        trade, creator, protocol, draw(st.integers(0, RATE_ONE - protocol)), draw(st.booleans())
    )
    return draw(st.booleans()), draw(_AMOUNTS), Reserves(draw(_AMOUNTS), draw(_AMOUNTS)), rates


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_questions())
def test_that_program_and_python_agree_on_anything(
    shared: World, question: tuple[bool, int, Reserves, FeeRates]
) -> None:
    trade, done, before = _asked(shared, question)
    _agree(shared, trade, done, before)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.booleans(), st.integers(0, 1), st.integers(1, 10**11)), min_size=2, max_size=12
    )
)
def test_that_no_sequence_of_swaps_takes_value_from_the_pool(
    shared: World, swaps: list[tuple[bool, int, int]]
) -> None:
    shared.reset()
    for exact_in, token, amount in swaps:
        x, y = _reserves(shared)
        done = (shared.sell if exact_in else shared.buy)(amount, input_token=token)
        x_after, y_after = _reserves(shared)
        assert x_after * y_after >= x * y
        if done.error is None:
            assert done.paid > 0
            assert done.received > 0


def _reserves(world: World) -> tuple[int, int]:
    _, _, *vaults = world.amounts()
    owed = world.owed()
    return vaults[0] - sum(owed[::2]), vaults[1] - sum(owed[1::2])


def test_that_fees_owed_are_no_part_of_the_next_price(world: World) -> None:
    world.fill(10**12, 10**12)
    first = world.sell(10**9)
    trade = exact_input(10**9, Reserves(10**12, 10**12), _PLAIN)
    kept = trade.trade_fee - trade.protocol_fee - trade.fund_fee
    moved = Reserves(10**12 + trade.curve_input + kept, 10**12 - trade.curve_output)
    assert first.received == trade.output_raw
    assert world.sell(10**9).received == exact_input(10**9, moved, _PLAIN).output_raw


def test_that_a_swap_works_the_other_way_too(world: World) -> None:
    world.fill(10**12, 3 * 10**12)
    sold = world.sell(10**9, input_token=1)
    trade = exact_input(10**9, Reserves(3 * 10**12, 10**12), _PLAIN)
    assert (sold.paid, sold.received) == (10**9, trade.output_raw)
    assert world.owed() == (0, trade.protocol_fee, 0, trade.fund_fee, 0, 0)


@pytest.mark.parametrize(
    ("mode", "input_token", "owed_at"),
    [(0, 0, 4), (0, 1, 5), (1, 0, 4), (1, 1, 4), (2, 0, 5), (2, 1, 5)],
)
def test_that_the_creator_is_owed_in_the_token_the_pool_names(
    world: World, mode: int, input_token: int, owed_at: int
) -> None:
    world.charge(FeeRates(2_500, 500, 0, 0, creator_on_input=True), input_token=0)
    world.patch(world.pool_address, CREATOR_MODE, "<BB", mode, 1)
    assert world.sell(10**6, input_token=input_token).error is None
    owed = world.owed()
    assert [index for index, amount in enumerate(owed) if amount] == [owed_at]


def test_that_the_creator_gets_nothing_where_the_fee_is_off(world: World) -> None:
    world.charge(FeeRates(2_500, 500, 0, 0, creator_on_input=True), input_token=0)
    world.patch(world.pool_address, CREATOR_MODE, "<BB", 0, 0)
    received = world.sell(10**6).received
    assert world.owed() == (0, 0, 0, 0, 0, 0)
    world.reset()
    assert received == world.sell(10**6).received


def test_that_the_minimum_received_is_honored_to_the_unit(world: World) -> None:
    received = world.sell(10**6).received
    world.reset()
    assert world.sell(10**6, received + 1).error == 6005
    assert world.sell(10**6, received).received == received


def test_that_the_maximum_paid_is_honored_to_the_unit(world: World) -> None:
    paid = world.buy(10**6).paid
    world.reset()
    assert world.buy(10**6, paid - 1).error == 6005
    assert world.buy(10**6, paid).paid == paid


def test_that_a_trader_without_the_tokens_is_refused_by_the_token_program(world: World) -> None:
    world.fund(10**6 - 1, 0)
    assert world.sell(10**6).error == 1
    assert world.owed() == (0, 0, 0, 0, 0, 0)


def _pool(offset: int, form: str, *values: int) -> Callable[[World], None]:
    return lambda world: world.patch(world.pool_address, offset, form, *values)


def _owe_too_much(world: World) -> None:
    world.patch(world.pool_address, PROTOCOL_FEES, "<Q", _U64)
    world.patch(world.pool_address, CREATOR_FEES, "<Q", 1)


@pytest.mark.parametrize(
    ("prepare", "error"),
    [
        (_pool(STATUS, "<B", 0b100), 6000),
        (_pool(OPEN_TIME, "<Q", NOW_S + 1), 6000),
        (_pool(STATUS, "<B", 0b011), None),
        (_pool(OPEN_TIME, "<Q", NOW_S), None),
        (_pool(PROTOCOL_FEES, "<Q", _U64), 6012),
        (_pool(FUND_FEES, "<QQ", 0, 10**12 + 1), 6012),
        (_owe_too_much, 6011),
        (_pool(CREATOR_MODE, "<B", 3), 6013),
        (lambda world: world.fill(0, 10**9), _PANIC),
        (lambda world: world.fill(10**9, 0), _PANIC),
    ],
)
def test_that_a_pool_that_cannot_trade_says_why(
    world: World, prepare: Callable[[World], None], error: int | str | None
) -> None:
    prepare(world)
    before = world.amounts()
    assert world.sell(10**6).error == error
    assert (world.amounts() == before) == (error is not None)


@pytest.mark.parametrize(
    ("amount", "vaults", "error"),
    [
        (_U64, (10**12, 10**12), 1),  # nobody holds that much
        (1 << 62, ((1 << 64) - 2, 10**12), 14),  # the vault would overflow: the token program's
    ],
)
def test_that_a_sale_past_64_bits_is_refused(
    world: World, amount: int, vaults: tuple[int, int], error: int
) -> None:
    world.fill(*vaults)
    assert world.sell(amount).error in {error, _PANIC, 2506}
    assert world.amounts()[2:] == vaults


def test_that_fees_owed_never_pass_64_bits(world: World) -> None:
    world.charge(_PLAIN, input_token=0)
    world.patch(world.pool_address, PROTOCOL_FEES, "<Q", _U64 - 100)
    world.fill(_U64 - 1, 10**12)
    assert world.sell(10**6).error == _PANIC


@pytest.mark.parametrize("amount", [10**12, 10**12 + 1, _U64])
def test_that_the_whole_reserve_cannot_be_bought(world: World, amount: int) -> None:
    world.fill(10**12, 10**12)
    assert world.buy(amount).error == _PANIC


def test_that_a_price_past_64_bits_is_refused(world: World) -> None:
    world.fill(1 << 63, 10**6)
    assert world.buy(10**6 - 1).error == _PANIC


@pytest.mark.parametrize("swap", [World.sell, World.buy])
def test_that_a_swap_of_nothing_is_refused(
    world: World, swap: Callable[[World, int], Outcome]
) -> None:
    assert swap(world, 0).error == 2505


def test_that_too_little_to_buy_anything_is_refused(world: World) -> None:
    assert world.sell(1).error == 2505


def test_that_indexers_find_the_swap_in_the_log(world: World) -> None:
    world.fill(10**12, 2 * 10**12)
    done = world.sell(10**9)
    trade = exact_input(10**9, Reserves(10**12, 2 * 10**12), _PLAIN)
    logged = next(line for line in done.logs if line.startswith("Program data: "))
    event = base64.b64decode(logged.removeprefix("Program data: "))
    assert event[:40] == bytes.fromhex("40c6cde8260871e2") + bytes(world.pool_address)
    assert struct.unpack_from("<6QB", event, 40) == (
        *(10**12, 2 * 10**12, trade.input_raw, trade.output_raw),
        *(0, 0, 1),
    )
    assert event[89:153] == bytes(world.mints[0]) + bytes(world.mints[1])
    assert struct.unpack_from("<QQB", event, 153) == (trade.trade_fee, 0, 1)
    assert len(event) == 170


def _observations(world: World) -> tuple[int, list[tuple[int, int, int]]]:
    data = world.data(world.observation)
    (index,) = struct.unpack_from("<H", data, 9)
    entries = []
    for number in range(index + 1):
        start = OBSERVATION_DATA + 40 * number
        (at,) = struct.unpack_from("<Q", data, start)
        prices = [int.from_bytes(data[start + i : start + i + 16], "little") for i in (8, 24)]
        entries.append((at, prices[0], prices[1]))
    return index, entries


def test_that_prices_are_observed_over_time(world: World) -> None:
    sums, expected = (0, 0), [(NOW_S, 0, 0)]
    previous = NOW_S
    world.sell(10**3)
    for seconds in (0, 4, 14, 15, 31, 31, 60):
        x, y = _reserves(world)
        world.at(NOW_S + seconds)
        assert world.sell(10**3).error is None
        elapsed = NOW_S + seconds - previous
        if not elapsed:
            continue
        sums = (sums[0] + (y << 32) // x * elapsed, sums[1] + (x << 32) // y * elapsed)
        previous += elapsed
        if previous - expected[-1][0] >= 15:
            expected.append((previous, *sums))
        else:
            expected[-1] = (expected[-1][0], *sums)
    assert _observations(world) == (len(expected) - 1, expected)
    assert len(expected) == 4


def test_that_the_hundredth_observation_is_followed_by_the_first(world: World) -> None:
    world.patch(world.observation, 8, "<BH", 1, 99)
    world.patch(world.observation, OBSERVATION_DATA + 99 * 40, "<Q", NOW_S - 20)
    world.sell(10**3)
    assert _observations(world)[0] == 0
    assert _observations(world)[1][0][0] == NOW_S


def test_that_an_observation_outside_the_ring_is_refused(world: World) -> None:
    world.patch(world.observation, 8, "<BH", 1, 100)
    assert world.sell(10**3).error == _PANIC


def test_that_the_pool_notes_the_epoch(world: World) -> None:
    world.at(NOW_S, epoch=812)
    world.sell(10**3)
    assert struct.unpack_from("<Q", world.data(world.pool_address), 381) == (812,)


def test_that_a_swap_stays_within_a_budget_of_compute(world: World) -> None:
    world.charge(FeeRates(2_500, 500, 120_000, 40_000, creator_on_input=False), input_token=0)
    world.fill(1 << 61, 1 << 61)
    world.sell(1 << 20)
    assert max(world.sell(1 << 50).compute_units, world.buy(1 << 50).compute_units) < 40_000
