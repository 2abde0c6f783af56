"""Accounts of the Meteora DLMM program: bytes → nouns, and the addresses derived from a pair.

All numbers are little endian; the structures are C-packed behind an 8-byte Anchor discriminator.
Layouts: https://github.com/MeteoraAg/dlmm-sdk/blob/main/idls/dlmm.json

    pair        904 bytes    fee parameters, volatility, active bin, mints, reserves, bitmap
    bin array   10,136 bytes 70 bins, those of ids `70 * index` to `70 * index + 69`
    extension   1,576 bytes  which bin arrays beyond the pair's own bitmap hold liquidity

A bin's price is token Y base units per token X base unit as Q64.64.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.core.errors import Corrupt
from quantdesk.core.money import BPS
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

PROGRAM: Final = "LBUZKhRxPF3XUpBCjp4YzTKgLccjZhTSDM9YuVaPwxo"
_PROGRAM: Final = Pubkey.from_string(PROGRAM)

BINS_PER_ARRAY: Final = 70
BITMAP_HALF: Final = 512
"""The pair's own bitmap covers bin arrays -512 to 511."""
EXTENSION_MAPS: Final = 12
"""The extension adds this many maps of 512 arrays on either side."""

PAIR_DISCRIMINATOR: Final = bytes((33, 11, 49, 98, 181, 101, 177, 13))
BIN_ARRAY_DISCRIMINATOR: Final = bytes((92, 142, 92, 220, 5, 148, 70, 181))
ORACLE_DISCRIMINATOR: Final = bytes((139, 194, 131, 179, 140, 179, 229, 244))
EXTENSION_DISCRIMINATOR: Final = bytes((80, 111, 124, 113, 55, 237, 18, 5))

PAIR: Final = struct.Struct(
    "<8s"
    "4H 2I 2i H 3B 3x"  # what the fee is made of
    "2I i 4x q 8x"  # how volatile the pair is
    "B 2s B i H 2B 2s 2B"  # bump, seeds, type, active bin, status, activation
    "32s 32s 32s 32s"  # mints and reserves
    "2Q 32x"  # protocol fees owed
    "32s 112x 32s 112x"  # rewards: only the mints matter to a swap
    "32s 128s q 32x"  # oracle, bitmap
    "32s 32s 2Q 16x 32s 3B 21x"  # activation, creator, token programs
)
BIN_ARRAY_HEAD: Final = struct.Struct("<8s q B 7x 32s")
BIN: Final = struct.Struct("<2Q 16s 16s 32x 32x 3Q I B 3x")
EXTENSION_HEAD: Final = struct.Struct("<8s 32s")

BIN_ARRAY_SIZE: Final = BIN_ARRAY_HEAD.size + BINS_PER_ARRAY * BIN.size
EXTENSION_SIZE: Final = EXTENSION_HEAD.size + 2 * EXTENSION_MAPS * BITMAP_HALF // 8

_ENABLED: Final = 0
_GATED_TYPES: Final = frozenset({1, 2})  # pairs that open at an activation point
_NO_KEY: Final = bytes(32)
_LIMIT_ORDERS: Final = {0: None, 1: False, 2: True}  # 0: yes, unless the pair pays rewards
_FEE_MODES: Final = {0: False, 1: True}
_TOKEN_PROGRAMS: Final = {0: TOKEN_PROGRAM, 1: TOKEN_2022}
_BIN_STEP_MAX: Final = 400
_BIN_ID_LIMIT: Final = 443_636  # where prices of 1 bps steps leave Q64.64


@dataclass(frozen=True, slots=True)
class FeeParameters:
    """What the fee of a pair is made of; rates are in 10^-9, times in seconds."""

    base_factor: int
    filter_period_s: int
    decay_period_s: int
    reduction_bps: int
    variable_control: int
    accumulator_max: int
    bin_id_min: int
    bin_id_max: int
    protocol_share_bps: int
    base_power: int
    only_y: bool
    """True when the fee is always taken in token Y, else it is taken from what is paid in."""


@dataclass(frozen=True, slots=True)
class Volatility:
    """How far the price has moved lately, in bins times 10,000."""

    accumulator: int
    reference: int
    index_reference: int
    updated_s: int


@dataclass(frozen=True, slots=True)
class Pair:
    """A DLMM pool: addresses are base58; bitmap has a bit (`index + 512`) per filled bin array."""

    fees: FeeParameters
    volatility: Volatility
    active_id: int
    bin_step: int
    enabled: bool
    gated: bool
    opens_by_time: bool
    activation_point: int
    mint_x: str
    mint_y: str
    reserve_x: str
    reserve_y: str
    token_programs: tuple[str, str]
    limit_orders: bool
    oracle: str
    bitmap: int


@dataclass(frozen=True, slots=True)
class Bin:
    """Liquidity at one price, in base units; `orders` are the limit orders selling `orders_x`."""

    amount_x: int
    amount_y: int
    price: int
    liquidity: int
    orders_open: int
    orders_processed: int
    orders_x: bool


@dataclass(frozen=True, slots=True)
class BinArray:
    """Seventy neighboring bins."""

    index: int
    pair: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """Bin arrays beyond the pair's own bitmap, one bit each, nearest first on either side."""

    pair: str
    above: int
    below: int


def decode_pair(data: bytes) -> Pair:
    """Return the pair an account holds; raise `Corrupt` when the bytes are not one."""
    _expect(data, PAIR_DISCRIMINATOR, PAIR.size, "pair")
    (_, base_factor, filter_s, decay_s, reduction, control, accumulator_max, id_min, id_max,
     share, power, function, mode, accumulator, reference, index_reference, updated,
     _bump, _step_seed, kind, active_id, bin_step, status, _, _, activation_type, _,
     mint_x, mint_y, reserve_x, reserve_y, _owed_x, _owed_y, reward_1, reward_2,
     oracle, bitmap, _, _, _, activation_point, _, _creator, flag_x, flag_y, _,
     ) = PAIR.unpack(data)  # fmt: skip
    if not 0 < bin_step <= _BIN_STEP_MAX or function not in _LIMIT_ORDERS or mode not in _FEE_MODES:
        raise _unreadable(f"pair with bin step {bin_step}, function {function}, fee mode {mode}")
    if not -_BIN_ID_LIMIT <= id_min <= active_id <= id_max <= _BIN_ID_LIMIT or share > BPS:
        raise _unreadable(
            f"pair with bin {active_id} of {id_min} to {id_max}, protocol share {share}"
        )
    if not {flag_x, flag_y} <= _TOKEN_PROGRAMS.keys():
        raise _unreadable(f"pair with token programs {flag_x} and {flag_y}")
    pays_rewards = reward_1 != _NO_KEY or reward_2 != _NO_KEY
    limit_orders = _LIMIT_ORDERS[function]
    return Pair(
        fees=FeeParameters(
            base_factor=base_factor,
            filter_period_s=filter_s,
            decay_period_s=decay_s,
            reduction_bps=reduction,
            variable_control=control,
            accumulator_max=accumulator_max,
            bin_id_min=id_min,
            bin_id_max=id_max,
            protocol_share_bps=share,
            base_power=power,
            only_y=_FEE_MODES[mode],
        ),
        volatility=Volatility(accumulator, reference, index_reference, updated),
        active_id=active_id,
        bin_step=bin_step,
        enabled=status == _ENABLED,
        gated=kind in _GATED_TYPES,
        opens_by_time=activation_type == 1,
        activation_point=activation_point,
        mint_x=_base58(mint_x),
        mint_y=_base58(mint_y),
        reserve_x=_base58(reserve_x),
        reserve_y=_base58(reserve_y),
        token_programs=(_TOKEN_PROGRAMS[flag_x], _TOKEN_PROGRAMS[flag_y]),
        limit_orders=not pays_rewards if limit_orders is None else limit_orders,
        oracle=_base58(oracle),
        bitmap=int.from_bytes(bitmap, "little"),
    )


def decode_bin_array(data: bytes) -> BinArray:
    """Return the bin array an account holds; raise `Corrupt` when the bytes are not one."""
    _expect(data, BIN_ARRAY_DISCRIMINATOR, BIN_ARRAY_SIZE, "bin array")
    _, index, _version, pair = BIN_ARRAY_HEAD.unpack_from(data)
    bins = tuple(
        Bin(
            amount_x=x,
            amount_y=y,
            price=int.from_bytes(price, "little"),
            liquidity=int.from_bytes(liquidity, "little"),
            orders_open=orders_open,
            orders_processed=orders_processed,
            orders_x=bool(asks),
        )
        for x, y, price, liquidity, orders_open, _, orders_processed, _, asks in BIN.iter_unpack(
            memoryview(data)[BIN_ARRAY_HEAD.size :]
        )
    )
    if any(not bin_.price and _holds(bin_) for bin_ in bins):
        raise _unreadable(f"bin array {index} of {_base58(pair)} has liquidity without a price")
    return BinArray(index, _base58(pair), bins)


def _holds(bin_: Bin) -> bool:
    return bool(bin_.amount_x or bin_.amount_y or bin_.orders_open or bin_.orders_processed)


def decode_extension(data: bytes) -> Extension:
    """Return the bitmap extension an account holds; raise `Corrupt` when the bytes are not one."""
    _expect(data, EXTENSION_DISCRIMINATOR, EXTENSION_SIZE, "bitmap extension")
    _, pair = EXTENSION_HEAD.unpack_from(data)
    middle = (EXTENSION_HEAD.size + EXTENSION_SIZE) // 2
    return Extension(
        pair=_base58(pair),
        above=int.from_bytes(data[EXTENSION_HEAD.size : middle], "little"),
        below=int.from_bytes(data[middle:], "little"),
    )


def array_index(bin_id: int) -> int:
    """Return the index of the bin array that holds a bin."""
    return bin_id // BINS_PER_ARRAY


def has_liquidity(pair: Pair, extension: Extension | None, index: int) -> bool | None:
    """Say whether a bin array holds liquidity; None when only a missing extension could tell."""
    if -BITMAP_HALF <= index < BITMAP_HALF:
        return bool(pair.bitmap >> (index + BITMAP_HALF) & 1)
    if extension is None:
        return None
    if index >= 0:
        return bool(extension.above >> (index - BITMAP_HALF) & 1)
    return bool(extension.below >> (-index - 1 - BITMAP_HALF) & 1)


@lru_cache(maxsize=4096)
def bin_array_address(pair: str, index: int) -> str:
    """Return where a pair keeps the bin array of an index."""
    seeds = [
        b"bin_array",
        bytes(Pubkey.from_string(pair)),
        index.to_bytes(8, "little", signed=True),
    ]
    return _derived(seeds)


@lru_cache(maxsize=256)
def extension_address(pair: str) -> str:
    """Return where a pair keeps its bitmap extension, if it has one."""
    return _derived([b"bitmap", bytes(Pubkey.from_string(pair))])


def oracle_address(pair: str) -> str:
    """Return where a pair keeps its price observations."""
    return _derived([b"oracle", bytes(Pubkey.from_string(pair))])


def reserve_address(pair: str, mint: str) -> str:
    """Return where a pair keeps its tokens of a mint."""
    return _derived([bytes(Pubkey.from_string(pair)), bytes(Pubkey.from_string(mint))])


def pair_address(mint_x: str, mint_y: str, *, bin_step: int, base_factor: int) -> tuple[str, int]:
    """Return the address of the permissionless pair of these parameters, and its bump seed."""
    mints = sorted(bytes(Pubkey.from_string(mint)) for mint in (mint_x, mint_y))
    seeds = [*mints, bin_step.to_bytes(2, "little"), base_factor.to_bytes(2, "little")]
    address, bump = Pubkey.find_program_address(seeds, _PROGRAM)
    return str(address), bump


def event_authority() -> str:
    """Return the address the program signs its events with."""
    return _derived([b"__event_authority"])


def _derived(seeds: list[bytes]) -> str:
    return str(Pubkey.find_program_address(seeds, _PROGRAM)[0])


def _base58(key: bytes) -> str:
    return str(Pubkey.from_bytes(key))


def _expect(data: bytes, discriminator: bytes, size: int, what: str) -> None:
    if len(data) != size:
        raise _unreadable(f"a Meteora {what} has {size} bytes, not {len(data)}")
    if data[:8] != discriminator:
        raise _unreadable(f"not a Meteora {what}: discriminator {data[:8].hex()}")


def _unreadable(why: str) -> Corrupt:
    return Corrupt(why, code="account.unreadable")
