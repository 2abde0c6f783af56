"""Accounts of the Raydium CLMM program: bytes → nouns, and the addresses derived from a pool; pure.

All numbers are little endian and packed behind an 8-byte Anchor discriminator. Layouts:
https://github.com/raydium-io/raydium-clmm (states/pool.rs, pool_fee.rs, config.rs, tick_array.rs,
tickarray_bitmap_extension.rs).

    pool        1,544 bytes   price, liquidity in range, status, fee mode, own bitmap of arrays
    config      117 bytes     fee rates, shared by many pools
    tick array  10,240 bytes  60 ticks, each `tick_spacing` apart
    extension   1,832 bytes   which tick arrays beyond the pool's own bitmap are initialized

An older program wrote zeros where the fee mode, the dynamic fee and the limit orders are now.
"""

import struct
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.raydium.clmm import ticks
from quantdesk.venues.reading import address, body

PROGRAM: Final = "CAMMCzo5YL8w4VFF8KVHrK22GGUsp5VTaW7grrKgrWqK"
_PROGRAM: Final = Pubkey.from_string(PROGRAM)

ARRAY_TICKS: Final = 60
"""Initializable ticks in an array."""
MAP_ARRAYS: Final = 512
"""Tick arrays in a bitmap; the pool's own has two of them, one for each side of price one."""
EXTENSION_MAPS: Final = 14
"""Bitmaps in the extension, for each side."""
RATE_ONE: Final = 1_000_000
"""A fee rate of one, in millionths."""

POOL_DISCRIMINATOR: Final = bytes.fromhex("f7ede3f5d7c3de46")
CONFIG_DISCRIMINATOR: Final = bytes.fromhex("daf42168cbcb2b6f")
ARRAY_DISCRIMINATOR: Final = bytes.fromhex("c09b55cd31f9812a")
EXTENSION_DISCRIMINATOR: Final = bytes.fromhex("3c9624db61808b99")

POOL: Final = struct.Struct(
    "<8s B"
    "32s 32s 32s 32s 32s 32s 32s"  # config, owner, mints, vaults, observation
    "2B H 16s 16s i 4x"  # decimals, tick spacing, liquidity, square root of the price, tick
    "32x 2Q 64x"  # fee growth, protocol fees owed
    "2B 6x 507x"  # status, fee mode, rewards
    "128s 32x 2Q 2Q"  # bitmap, fund fees owed, open time, epoch
    "80s 368x"  # dynamic fee
)
DYNAMIC_FEE: Final = struct.Struct("<3H 2I i 2I Q 46x")
CONFIG: Final = struct.Struct("<8s B H 32s 2I H I 4x 32s 24x")
ARRAY_HEAD: Final = struct.Struct("<8s 32s i")
TICK: Final = struct.Struct("<i 16s 16s 32x 48x 3Q 16x 12x")
ARRAY_BYTES: Final = 10_240
EXTENSION_HEAD: Final = struct.Struct("<8s 32s")
EXTENSION_BYTES: Final = EXTENSION_HEAD.size + 2 * EXTENSION_MAPS * MAP_ARRAYS // 8

_MAP_BYTES: Final = MAP_ARRAYS // 8
_SWAP_DISABLED: Final = 1 << 4
_U64_MAX: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class DynamicFee:
    """How the fee rises as the price moves, in groups of `tick_spacing` ticks; times in seconds."""

    filter_s: int
    decay_s: int
    reduction: int
    control: int
    accumulator_max: int
    group_reference: int
    reference: int
    accumulator: int
    updated_s: int


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool; pairs are (token 0, token 1), `sqrt_price` is Q64.64, `bitmap` from array -512 up."""

    config: str
    mints: tuple[str, str]
    vaults: tuple[str, str]
    observation: str
    decimals: tuple[int, int]
    tick_spacing: int
    liquidity: int
    sqrt_price: int
    tick: int
    swaps_disabled: bool
    fee_on: int
    bitmap: int
    open_time_s: int
    dynamic_fee: DynamicFee | None

    @property
    def array_ticks(self) -> int:
        """Return how many ticks a tick array spans."""
        return ARRAY_TICKS * self.tick_spacing


@dataclass(frozen=True, slots=True)
class Config:
    """Fee rates shared by many pools, in millionths; `protocol` and `fund` are shares of it."""

    trade: int
    protocol: int
    fund: int


class Tick(NamedTuple):
    """An initialized tick: liquidity that begins (or ends, below zero) here as the price rises.

    `orders` is what its limit orders still sell, in base units of the token the price moves out of.
    """

    number: int
    sqrt_price: int
    liquidity_net: int
    orders: int


@dataclass(frozen=True, slots=True)
class TickArray:
    """The initialized ticks of an array, ascending."""

    pool: str
    start: int
    ticks: tuple[Tick, ...]


@dataclass(frozen=True, slots=True)
class Extension:
    """Initialized tick arrays beyond the pool's own bitmap, lowest array in the lowest bit."""

    pool: str
    below: int
    above: int


def pool(state: AccountState) -> Pool:
    """Return the pool an account holds; raise `Corrupt` as `reading.body` does."""
    data = _body(state, "Raydium pool", POOL_DISCRIMINATOR, POOL.size)
    (_, _, config_at, _, mint_0, mint_1, vault_0, vault_1, observation, decimals_0, decimals_1,
     spacing, liquidity, sqrt_price, tick, _, _, status, fee_on, bitmap, _, _, open_time, _,
     dynamic) = POOL.unpack(data)  # fmt: skip
    price = int.from_bytes(sqrt_price, "little")
    if not spacing or not _is_at(price, tick):
        raise _unreadable(state, f"price {price} at tick {tick}, tick spacing {spacing}")
    return Pool(
        config=_base58(config_at),
        mints=(_base58(mint_0), _base58(mint_1)),
        vaults=(_base58(vault_0), _base58(vault_1)),
        observation=_base58(observation),
        decimals=(decimals_0, decimals_1),
        tick_spacing=spacing,
        liquidity=int.from_bytes(liquidity, "little"),
        sqrt_price=price,
        tick=tick,
        swaps_disabled=bool(status & _SWAP_DISABLED),
        fee_on=fee_on,
        bitmap=int.from_bytes(bitmap, "little"),
        open_time_s=open_time,
        dynamic_fee=DynamicFee(*DYNAMIC_FEE.unpack(dynamic)) if any(dynamic) else None,
    )


def config(state: AccountState) -> Config:
    """Return the config an account holds; raise `Corrupt` as `reading.body` does."""
    data = _body(state, "Raydium config", CONFIG_DISCRIMINATOR, CONFIG.size)
    _, _, _, _, protocol, trade, _, fund, _ = CONFIG.unpack(data)
    if trade >= RATE_ONE or protocol + fund > RATE_ONE:
        raise _unreadable(state, "fee rates of more than the whole")
    return Config(trade=trade, protocol=protocol, fund=fund)


def tick_array(state: AccountState, *, pool_address: str, start: int, spacing: int) -> TickArray:
    """Return the tick array of a pool that begins at a tick.

    Raises `Corrupt` as `reading.body` does, and `account.foreign` when it is another one.
    """
    data = _body(state, "Raydium tick array", ARRAY_DISCRIMINATOR, ARRAY_BYTES)
    _, owner, found = ARRAY_HEAD.unpack_from(data)
    if (_base58(owner), found) != (pool_address, start):
        raise Corrupt(
            f"tick array {found} of {_base58(owner)} in the place of {start}",
            code="account.foreign",
        )
    end = ARRAY_HEAD.size + ARRAY_TICKS * TICK.size
    initialized = []
    for place, fields in enumerate(TICK.iter_unpack(memoryview(data)[ARRAY_HEAD.size : end])):
        number, net, gross, _, orders, partly = fields
        if any(gross) or orders or partly:
            if number != start + place * spacing or orders + partly > _U64_MAX:
                raise _unreadable(state, f"tick {number} with {orders} and {partly} in orders")
            initialized.append(_tick(number, net, orders + partly, state))
    return TickArray(pool_address, start, tuple(initialized))


def extension(state: AccountState, *, pool_address: str) -> Extension:
    """Return the bitmap extension of a pool; raise `Corrupt` as `tick_array` does."""
    data = _body(state, "Raydium bitmap", EXTENSION_DISCRIMINATOR, EXTENSION_BYTES)
    if (owner := address(data, 8)) != pool_address:
        raise Corrupt(f"bitmap of {owner} in the place of {pool_address}'s", code="account.foreign")
    middle = (EXTENSION_HEAD.size + EXTENSION_BYTES) // 2
    # Maps below price one stand nearest first; within a map the lowest array comes first.
    below = [data[at : at + _MAP_BYTES] for at in range(middle, EXTENSION_BYTES, _MAP_BYTES)]
    return Extension(
        pool=pool_address,
        below=int.from_bytes(b"".join(reversed(below)), "little"),
        above=int.from_bytes(data[EXTENSION_HEAD.size : middle], "little"),
    )


def config_address(index: int) -> tuple[str, int]:
    """Return where the fee config of a number lies, and the bump of that address."""
    return _derived(b"amm_config", index.to_bytes(2, "big"))


def pool_address(config_at: str, mints: tuple[str, str]) -> tuple[str, int]:
    """Return where the pool of two mints, in order of their bytes, lies, and its bump."""
    return _derived(b"pool", *map(_key, (config_at, *mints)))


def vault_address(pool_at: str, mint: str) -> str:
    """Return where a pool keeps a token."""
    return _derived(b"pool_vault", _key(pool_at), _key(mint))[0]


def observation_address(pool_at: str) -> str:
    """Return where a pool keeps its price record."""
    return _derived(b"observation", _key(pool_at))[0]


@lru_cache(maxsize=4096)
def tick_array_address(pool_address: str, start: int) -> str:
    """Return where a pool keeps the tick array that begins at a tick."""
    return _derived(b"tick_array", _key(pool_address), start.to_bytes(4, "big", signed=True))[0]


@lru_cache(maxsize=256)
def extension_address(pool_address: str) -> str:
    """Return where a pool keeps its bitmap extension, if it has one."""
    return _derived(b"pool_tick_array_bitmap_extension", _key(pool_address))[0]


def _tick(number: int, net: bytes, orders: int, state: AccountState) -> Tick:
    if abs(number) > ticks.TICK_MAX:
        raise _unreadable(state, f"tick {number}")
    liquidity_net = int.from_bytes(net, "little", signed=True)
    return Tick(number, ticks.sqrt_price_at(number), liquidity_net, orders)


def _is_at(sqrt_price: int, tick: int) -> bool:
    """Say whether a price lies in a tick; having fallen to a tick, it counts as the one below."""
    if not -ticks.TICK_MAX <= tick < ticks.TICK_MAX or sqrt_price >= ticks.SQRT_PRICE_MAX:
        return False
    return ticks.sqrt_price_at(tick) <= sqrt_price <= ticks.sqrt_price_at(tick + 1)


def _body(state: AccountState, what: str, discriminator: bytes, length: int) -> bytes:
    return body(state, what, owner=PROGRAM, discriminator=discriminator, length=length)


def _derived(*seeds: bytes) -> tuple[str, int]:
    found, bump = Pubkey.find_program_address(list(seeds), _PROGRAM)
    return str(found), bump


def _key(address_: str) -> bytes:
    return bytes(Pubkey.from_string(address_))


def _base58(key: bytes) -> str:
    return str(Pubkey.from_bytes(key))


def _unreadable(state: AccountState, why: str) -> Corrupt:
    return Corrupt(f"{state.address} holds {why}", code="account.unreadable")
