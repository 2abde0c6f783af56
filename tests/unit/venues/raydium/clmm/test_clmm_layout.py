"""CLMM accounts are read as the program writes them, or refused by name."""

import struct
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
from tests.oracles.raydium import clmm_pools as pools

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.raydium.clmm import bitmap, layout
from quantdesk.venues.raydium.clmm.layout import Tick
from quantdesk.venues.raydium.clmm.ticks import sqrt_price_at

_DYNAMIC = (30, 600, 5_000, 4_000, 350_000, -3, 7, 8, 1_799_999_000)
_NUMBERS = replace(
    pools.of_positions([(-3, 6, 10**12), (-70, 2, 5)], tick=-61, orders={2: 77}),
    fee_on=2,
    dynamic=_DYNAMIC,
)
_FINE = pools.of_positions([(-1_000_000, 2_000_000, 9), (-200_000, 1, 5)], spacing=1, tick=5)


def _pool(data: bytes) -> layout.Pool:
    return layout.pool(pools.state(pools.ADDRESS, data))


def _array(data: bytes, start: int) -> layout.TickArray:
    return layout.tick_array(
        pools.state("there", data), pool_address=pools.ADDRESS, start=start, spacing=60
    )


_READERS: Mapping[str, Callable[[AccountState], object]] = {
    "pool": layout.pool,
    "config": layout.config,
    "array": lambda state: layout.tick_array(
        state, pool_address=pools.ADDRESS, start=0, spacing=60
    ),
    "extension": lambda state: layout.extension(state, pool_address=pools.ADDRESS),
}


def _changed(data: bytes, offset: int, form: str, *values: int) -> bytes:
    copy = bytearray(data)
    struct.pack_into(form, copy, offset, *values)
    return bytes(copy)


def test_that_a_pool_is_read() -> None:
    pool = _pool(pools.pool_data(_NUMBERS))
    assert (pool.config, pool.mints, pool.vaults) == (pools.CONFIG, pools.MINTS, pools.VAULTS)
    assert (pool.observation, pool.decimals) == (pools.OBSERVATION, (9, 6))
    assert (pool.tick_spacing, pool.array_ticks, pool.tick) == (60, 3_600, -61)
    assert (pool.liquidity, pool.sqrt_price) == (10**12, _NUMBERS.sqrt_price)
    assert (pool.fee_on, pool.swaps_disabled) == (2, False)
    assert pool.open_time_s == pools.NOW_S - 1_000_000
    assert pool.dynamic_fee == layout.DynamicFee(*_DYNAMIC)


def test_that_a_pool_of_the_older_program_has_a_plain_fee() -> None:
    pool = _pool(pools.pool_data(replace(_NUMBERS, fee_on=0, dynamic=None)))
    assert (pool.fee_on, pool.dynamic_fee) == (0, None)


@pytest.mark.parametrize(("status", "disabled"), [(0, False), (16, True), (47, False), (255, True)])
def test_that_only_one_bit_of_the_status_stops_swaps(status: int, *, disabled: bool) -> None:
    pool = _pool(pools.pool_data(replace(_NUMBERS, status=status)))
    assert pool.swaps_disabled is disabled


def test_that_a_config_is_read() -> None:
    state = pools.state(pools.CONFIG, pools.config_data(_NUMBERS))
    assert layout.config(state) == layout.Config(trade=2_500, protocol=120_000, fund=40_000)


def test_that_the_initialized_ticks_of_an_array_are_read() -> None:
    found = _array(pools.array_data(_NUMBERS, -3_600), -3_600)
    only = Tick(-300, sqrt_price_at(-300), liquidity_net=10**12, orders=0)
    assert found == layout.TickArray(pools.ADDRESS, -3_600, (only,))
    above = _array(pools.array_data(_NUMBERS, 0), 0)
    assert [(one.number, one.liquidity_net, one.orders) for one in above.ticks] == [
        (0, 0, 77),
        (60, -(10**12), 0),
    ]


def test_that_arrays_are_named_by_the_bitmaps_wherever_they_lie() -> None:
    wanted = [-443_640, -30_780, -30_720, -60, 0, 30_660, 30_720, 61_440, 443_580]
    numbers = replace(
        _FINE, ticks={start + (50 if start < -443_000 else 0): (0, 1, 0, 0) for start in wanted}
    )
    pool = _pool(pools.pool_data(numbers))
    extension = layout.extension(
        pools.state("there", pools.extension_data(numbers)), pool_address=pools.ADDRESS
    )
    below = bitmap.nearest(pool, extension, down=True, count=99)
    above = bitmap.nearest(pool, extension, down=False, count=99)
    assert below == tuple(start for start in reversed(wanted) if start <= 0)
    assert above == tuple(start for start in wanted if start >= 0)
    assert bitmap.nearest(pool, extension, down=True, count=2) == below[:2]
    assert bitmap.nearest(pool, None, down=True, count=99) == (0, -60, -30_720)
    assert bitmap.nearest(pool, None, down=False, count=99) == (0, 30_660)


@pytest.mark.parametrize(
    ("spacing", "tick", "count", "needed"),
    [
        (1, 0, 1, False),
        (1, 0, 2, True),
        (1, 40_000, 1, True),
        (14, 0, 2, True),
        (15, 0, 2, False),
        (60, 400_000, 9, False),
    ],
)
def test_that_the_extension_is_needed_where_the_pools_own_map_ends(
    spacing: int, tick: int, count: int, *, needed: bool
) -> None:
    numbers = pools.of_positions([(0, 1, 1)], spacing=spacing, tick=tick)
    pool = _pool(pools.pool_data(numbers))
    assert bitmap.may_need_extension(pool, count=count) is needed


def test_that_addresses_are_those_of_mainnet() -> None:
    # A SOL-USDC pool: the arrays as the chain holds them, the extension as the SDK derives it.
    pool = "3ucNos4NbumPLZNWztqGHNFFgkHeRMBQAVemeeomsUxv"
    array = "8uQkkUtz4hq2QRUbTTXmNX9ry8ye5QuoeqT76TdvAco6"
    assert layout.tick_array_address(pool, -24_600) == array
    assert layout.extension_address(pool) == "4NFvUKqknMpoe6CWTzK758B8ojVLzURL5pC6MtiaJ8TQ"


@pytest.mark.parametrize("kind", _READERS)
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        ("gone", "account.missing"),
        ("owner", "account.foreign"),
        ("short", "account.unreadable"),
        ("long", "account.unreadable"),
        ("discriminator", "account.unreadable"),
    ],
)
def test_that_what_is_no_account_of_its_kind_is_named(kind: str, damage: str, code: str) -> None:
    data = {
        "pool": pools.pool_data(_NUMBERS),
        "config": pools.config_data(_NUMBERS),
        "array": pools.array_data(_NUMBERS, 0),
        "extension": pools.extension_data(_NUMBERS),
    }[kind]
    damaged = {
        "gone": b"",
        "short": data[:-1],
        "long": data + b"\0",
        "discriminator": bytes(8) + data[8:],
    }.get(damage, data)
    owner = pools.key(99) if damage == "owner" else layout.PROGRAM
    state = pools.state("there", damaged, owner=owner)
    with pytest.raises(Corrupt) as corrupt:
        _READERS[kind](state)
    assert corrupt.value.code == code


@pytest.mark.parametrize(
    ("offset", "form", "value"),
    [
        (235, "<H", 0),  # tick spacing
        (269, "<i", -60),  # a tick above the price
        (269, "<i", -62),  # and one below it
        (269, "<i", 443_636),
        (269, "<i", -443_637),
        (261, "<Q", 1 << 63),  # a price past all ticks
    ],
)
def test_that_a_pool_that_makes_no_sense_is_unreadable(offset: int, form: str, value: int) -> None:
    with pytest.raises(Corrupt) as corrupt:
        _pool(_changed(pools.pool_data(_NUMBERS), offset, form, value))
    assert corrupt.value.code == "account.unreadable"


def test_that_a_price_fallen_to_a_tick_counts_as_below_it() -> None:
    numbers = replace(_NUMBERS, tick=-61, sqrt_price=sqrt_price_at(-60))
    assert _pool(pools.pool_data(numbers)).tick == -61


@pytest.mark.parametrize(("offset", "value"), [(47, 10**6), (43, 960_001), (53, 880_001)])
def test_that_fees_beyond_the_whole_are_unreadable(offset: int, value: int) -> None:
    data = _changed(pools.config_data(_NUMBERS), offset, "<I", value)
    with pytest.raises(Corrupt) as corrupt:
        layout.config(pools.state(pools.CONFIG, data))
    assert corrupt.value.code == "account.unreadable"


@pytest.mark.parametrize(
    ("offset", "form", "values"), [(44, "<i", (1,)), (168, "<Q", (2**64 - 76,))]
)
def test_that_ticks_out_of_place_or_overfull_are_unreadable(
    offset: int, form: str, values: tuple[int, ...]
) -> None:
    data = _changed(pools.array_data(_NUMBERS, 0), offset, form, *values)
    data = _changed(data, 176, "<Q", 100)
    with pytest.raises(Corrupt) as corrupt:
        _array(data, 0)
    assert corrupt.value.code == "account.unreadable"


def test_that_an_array_or_map_of_another_pool_is_foreign() -> None:
    data = pools.array_data(_NUMBERS, 0)
    for foreign, start in ((data, 3_600), (data[:8] + bytes(32) + data[40:], 0)):
        with pytest.raises(Corrupt) as corrupt:
            _array(foreign, start)
        assert corrupt.value.code == "account.foreign"
    extension = pools.extension_data(_NUMBERS)
    with pytest.raises(Corrupt) as corrupt:
        layout.extension(
            pools.state("there", extension[:8] + bytes(32) + extension[40:]),
            pool_address=pools.ADDRESS,
        )
    assert corrupt.value.code == "account.foreign"
