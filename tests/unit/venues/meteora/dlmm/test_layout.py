"""Accounts are read as the program writes them, or refused."""

import pytest
from tests.oracles.meteora import pools

from quantdesk.core.errors import Corrupt
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.reading import TOKEN_PROGRAM

_POOL = pools.Numbers(seed=1, bin_step=10, active_id=-71, below=80, above=3, bits=20, orders=1)
_PAIR, _ARRAYS = pools.accounts(_POOL)

# A pool of mainnet: its own addresses as the chain holds them.
_MAINNET = "EtAdVRLFH22rjWh3mcUasKFF27WtHhsaCvK27tPFFWig"


def test_reads_a_pair() -> None:
    pair = layout.decode_pair(_PAIR)

    assert (pair.active_id, pair.bin_step, pair.enabled, pair.gated) == (-71, 10, True, False)
    assert (pair.mint_x, pair.mint_y) == (pools.MARKET.base.mint, pools.MARKET.quote.mint)
    assert (pair.fees.base_factor, pair.fees.decay_period_s) == (10_000, 600)
    assert (pair.fees.bin_id_min, pair.fees.bin_id_max) == (-44_363, 44_363)
    assert pair.volatility == layout.Volatility(0, 0, -71, pools.UPDATED_S)
    assert pair.oracle == layout.oracle_address(pools.address(_POOL)[0])
    assert pair.limit_orders
    assert pair.token_programs == (TOKEN_PROGRAM, TOKEN_PROGRAM)
    assert [i for i in range(-9, 9) if layout.has_liquidity(pair, None, i)] == [-3, -2, -1]


def test_reads_seventy_bins_of_an_array() -> None:
    array = layout.decode_bin_array(_ARRAYS[-2])

    filled = [place for place, bin_ in enumerate(array.bins) if bin_.liquidity]
    assert (array.index, array.pair) == (-2, pools.address(_POOL)[0])
    assert filled == list(range(70))
    active = array.bins[-71 + 140]
    assert active.amount_x
    assert active.amount_y
    assert not active.orders_x
    assert array.bins[0].amount_x == 0


@pytest.mark.parametrize("size", [0, 7, 8, 100, 903, 905])
def test_refuses_a_pair_of_another_size(size: int) -> None:
    with pytest.raises(Corrupt):
        layout.decode_pair((_PAIR + b"\0")[:size])


@pytest.mark.parametrize("size", [0, 8, 56, 10_135, 10_137])
def test_refuses_a_bin_array_of_another_size(size: int) -> None:
    with pytest.raises(Corrupt):
        layout.decode_bin_array((_ARRAYS[-1] + b"\0")[:size])


@pytest.mark.parametrize("emptied", [16, 0], ids=["liquidity", "limit orders alone"])
def test_refuses_liquidity_without_a_price(emptied: int) -> None:
    start = layout.BIN_ARRAY_HEAD.size + 69 * layout.BIN.size
    place = start + emptied
    spoiled = _ARRAYS[-2][:place] + bytes(start + 32 - place) + _ARRAYS[-2][start + 32 :]

    with pytest.raises(Corrupt, match="without a price"):
        layout.decode_bin_array(spoiled)


def test_refuses_another_account() -> None:
    with pytest.raises(Corrupt, match="discriminator"):
        layout.decode_pair(layout.ORACLE_DISCRIMINATOR + _PAIR[8:])
    with pytest.raises(Corrupt, match="discriminator"):
        layout.decode_bin_array(layout.PAIR_DISCRIMINATOR + _ARRAYS[-1][8:])


@pytest.mark.parametrize(
    ("offset", "value", "what"),
    [
        (80, b"\0\0", "bin step 0"),
        (80, b"\x91\1", "bin step 401"),
        (35, b"\3", "function 3"),
        (36, b"\2", "fee mode 2"),
        (76, b"\xff\xff\xff\x7f", "bin 2147483647"),
        (24, b"\xff\xff\xff\x7f", "of 2147483647"),
        (32, b"\x11\x27", "share 10001"),
    ],
)
def test_refuses_parameters_no_pair_can_have(offset: int, value: bytes, what: str) -> None:
    spoiled = _PAIR[:offset] + value + _PAIR[offset + len(value) :]

    with pytest.raises(Corrupt, match=what):
        layout.decode_pair(spoiled)


@pytest.mark.parametrize(
    ("index", "bit"),
    [(512, 0), (6_655, 6_143), (-513, 6_144), (-6_656, 12_287)],
)
def test_finds_an_array_beyond_the_bitmap_in_the_extension(index: int, bit: int) -> None:
    bits = (1 << bit).to_bytes(2 * 12 * 64, "little")
    extension = layout.decode_extension(layout.EXTENSION_DISCRIMINATOR + bytes(32) + bits)
    pair = layout.decode_pair(_PAIR)

    assert layout.has_liquidity(pair, extension, index)
    assert not layout.has_liquidity(pair, extension, index - 1 if index > 512 else index + 1)
    assert layout.has_liquidity(pair, None, index) is None


def test_derives_the_addresses_of_mainnet() -> None:
    mint = "Df6yfrKC8kZE3KNkrHERKzAetSxbrWeniQfyJY4Jpump"

    assert layout.oracle_address(_MAINNET) == "Fnkg415DEx72GSPooKUWTbPS9wzKucQe4qnvFrrvcZK2"
    assert layout.reserve_address(_MAINNET, mint) == "BmW4cCRpJwwL8maFB1AoAuEQf96t64Eq5gUvXikZardM"
    assert layout.bin_array_address(_MAINNET, -1) == "E6gur9Jw8675DCR7GpJVhoSrkruRgt8EdEVqLAc5RLUt"
    assert layout.event_authority() == "D1ZN9Wj1fRSUQfCjhvnu1hqDMT7hzjzBBpi12nVniYD6"
