"""Pools for the vectors: a few numbers → the account bytes of a DLMM pair and its bin arrays.

The oracle is given these bytes; the tests rebuild them from the numbers the vectors carry.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from quantdesk.core.assets import Asset
from quantdesk.core.markets import Market
from quantdesk.localnet.accounts import GenesisAccount
from quantdesk.venues.meteora.dlmm import layout
from quantdesk.venues.meteora.dlmm.swap import Pool, price_of_bin

MARKET = Market(
    Asset("X", 6, str(Pubkey.from_bytes(bytes([1]) * 32))),
    Asset("Y", 6, str(Pubkey.from_bytes(bytes([2]) * 32))),
)
UPDATED_S = 1_800_000_000
"""When the last swap was; vectors say how much later theirs is."""

TOKENS = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
RESERVE = 1 << 62
"""What each reserve holds: more than the bins account for."""

_NO_KEY = bytes(32)
_OBSERVATIONS = bytes(16) + (100).to_bytes(8, "little") + bytes(100 * 32)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One pool in numbers; `below` and `above` say how many bins are filled on either side."""

    seed: int
    bin_step: int
    active_id: int
    below: int
    above: int
    bits: int
    """Amounts per bin, in token Y, have up to this many bits."""
    gap: int = 0
    """Every bin at this distance modulus is empty; 0 for none."""
    hole: int = 0
    """This many whole bin arrays, next to the active one, are empty on both sides."""
    base_factor: int = 10_000
    base_power: int = 0
    filter_s: int = 30
    decay_s: int = 600
    reduction: int = 5_000
    control: int = 40_000
    accumulator_max: int = 350_000
    share: int = 1_000
    only_y: int = 0
    orders: int = 0
    accumulator: int = 0
    reference: int = 0
    index_offset: int = 0
    """Index reference minus the active bin."""


def numbers(fields: Mapping[str, Any]) -> Numbers:
    """Return the pool a vector names."""
    return Numbers(**fields)


def address(pool: Numbers) -> tuple[str, int]:
    """Return the pair's address and bump seed."""
    return layout.pair_address(
        MARKET.base.mint,
        MARKET.quote.mint,
        bin_step=pool.bin_step,
        base_factor=pool.base_factor,
    )


def accounts(pool: Numbers) -> tuple[bytes, dict[int, bytes]]:
    """Return the pair's bytes and those of its bin arrays by index."""
    filled = _filled(pool)
    indexes = sorted({layout.array_index(bin_id) for bin_id in filled})
    return _pair(pool, indexes), {index: _array(pool, index, filled) for index in indexes}


def decoded(pool: Numbers) -> Pool:
    """Return what our decoder reads from those bytes."""
    pair, arrays = accounts(pool)
    return Pool(
        pair=layout.decode_pair(pair),
        arrays={index: layout.decode_bin_array(data) for index, data in arrays.items()},
    )


def genesis(pool: Numbers) -> list[GenesisAccount]:
    """Return all accounts of the pool, reserves and oracle too."""
    pair_data, arrays = accounts(pool)
    pair, (own, _) = layout.decode_pair(pair_data), address(pool)
    reserves = [(pair.reserve_x, pair.mint_x), (pair.reserve_y, pair.mint_y)]
    key = Pubkey.from_string(own)
    return [
        GenesisAccount(own, layout.PROGRAM, pair_data),
        *(
            GenesisAccount(reserve, TOKENS, token_account(mint, key, RESERVE))
            for reserve, mint in reserves
        ),
        GenesisAccount(pair.oracle, layout.PROGRAM, layout.ORACLE_DISCRIMINATOR + _OBSERVATIONS),
        *(
            GenesisAccount(layout.bin_array_address(own, index), layout.PROGRAM, data)
            for index, data in arrays.items()
        ),
    ]


def token_account(mint: str, owner: Pubkey, amount: int) -> bytes:
    """Return the bytes of an ordinary token account."""
    head = bytes(Pubkey.from_string(mint)) + bytes(owner) + amount.to_bytes(8, "little")
    return head + bytes(36) + b"\x01" + bytes(56)


def _pair(pool: Numbers, indexes: list[int]) -> bytes:
    bitmap = sum(1 << (index + layout.BITMAP_HALF) for index in indexes)
    own, bump = address(pool)
    mints = (MARKET.base.mint, MARKET.quote.mint)
    reserves = [layout.reserve_address(own, mint) for mint in mints]
    limit = 443_636 // pool.bin_step
    oracle = bytes(Pubkey.from_string(layout.oracle_address(own)))
    return layout.PAIR.pack(
        layout.PAIR_DISCRIMINATOR,
        *(pool.base_factor, pool.filter_s, pool.decay_s, pool.reduction),
        *(pool.control, pool.accumulator_max, -limit, limit),
        *(pool.share, pool.base_power, 2 if pool.orders else 1, pool.only_y),
        *(pool.accumulator, pool.reference, pool.active_id + pool.index_offset, UPDATED_S),
        *(bump, pool.bin_step.to_bytes(2, "little"), 0, pool.active_id, pool.bin_step),
        *(0, 1, pool.base_factor.to_bytes(2, "little"), 0, 0),
        *(bytes(Pubkey.from_string(key)) for key in (*mints, *reserves)),
        *(0, 0, _NO_KEY, _NO_KEY),
        *(oracle, bitmap.to_bytes(128, "little"), 0),
        *(_NO_KEY, _NO_KEY, 0, 0, _NO_KEY, 0, 0, 0),
    )


def _filled(pool: Numbers) -> dict[int, bytes]:
    random_ = random.Random(pool.seed)
    own = layout.array_index(pool.active_id)
    filled = {}
    for bin_id in range(pool.active_id - pool.below, pool.active_id + pool.above + 1):
        distance, array = bin_id - pool.active_id, layout.array_index(bin_id)
        worth = (random_.getrandbits(pool.bits) + 1, random_.getrandbits(pool.bits) + 1)
        if (pool.gap and distance % pool.gap == 0) or 0 < abs(array - own) <= pool.hole:
            continue
        filled[bin_id] = _bin(pool, bin_id, worth)
    return filled


def _bin(pool: Numbers, bin_id: int, worth: tuple[int, int]) -> bytes:
    price, distance = price_of_bin(bin_id, pool.bin_step), bin_id - pool.active_id
    own, order = (max(1, (amount << 64) // price) if distance > 0 else amount for amount in worth)
    amount_x = max(1, (worth[1] << 64) // price) if distance == 0 else own if distance > 0 else 0
    amount_y = own if distance <= 0 else 0
    return layout.BIN.pack(
        *(amount_x, amount_y, price.to_bytes(16, "little")),
        (price * amount_x + (amount_y << 64)).to_bytes(16, "little"),
        *((order // 2, order, order - order // 2) if pool.orders else (0, 0, 0)),
        *(0, int(distance > 0)),
    )


def _array(pool: Numbers, index: int, filled: Mapping[int, bytes]) -> bytes:
    head = layout.BIN_ARRAY_HEAD.pack(
        layout.BIN_ARRAY_DISCRIMINATOR, index, 2, bytes(Pubkey.from_string(address(pool)[0]))
    )
    first = index * layout.BINS_PER_ARRAY
    empty = bytes(layout.BIN.size)
    return head + b"".join(
        filled.get(bin_id, empty) for bin_id in range(first, first + layout.BINS_PER_ARRAY)
    )
