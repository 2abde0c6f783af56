"""Pools for the CLMM vectors: the numbers a vector carries → account bytes, and what we read there.

The oracle encodes the same accounts with the SDK's layouts and keeps their SHA-256; the tests hold
these bytes against it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any, Final

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.venues.raydium.clmm import bitmap, layout, swap, ticks
from quantdesk.venues.raydium.clmm.pool import ClmmFollowed, market
from quantdesk.venues.reading import TOKEN_PROGRAM

NOW_S: Final = 1_800_000_000
SLOT: Final = 10

_FILE: Final = Path(__file__).parents[2] / "vectors" / "raydium_clmm.json"
_NOBODY: Final = bytes(32)
_ARRAYS: Final = layout.MAP_ARRAYS


def key(byte: int) -> str:
    """Return a made-up address."""
    return str(Pubkey.from_bytes(bytes([byte]) * 32))


MINTS: Final = (key(1), key(2))
CONFIG: Final = key(3)
VAULTS: Final = (key(5), key(6))
OBSERVATION: Final = key(7)
_POOL, _BUMP = Pubkey.find_program_address(
    [b"pool", *(bytes(Pubkey.from_string(at)) for at in (CONFIG, *MINTS))],
    Pubkey.from_string(layout.PROGRAM),
)
ADDRESS: Final = str(_POOL)


@dataclass(frozen=True, slots=True)
class Numbers:
    """One pool in numbers; a tick is (net, gross, orders, partly filled orders)."""

    spacing: int
    tick: int
    sqrt_price: int
    liquidity: int
    ticks: Mapping[int, tuple[int, int, int, int]]
    rates: tuple[int, int, int] = (2_500, 120_000, 40_000)
    fee_on: int = 0
    dynamic: tuple[int, ...] | None = None
    status: int = 0
    open_time_s: int = NOW_S - 1_000_000

    @property
    def starts(self) -> list[int]:
        """Return the first ticks of its arrays."""
        span = layout.ARRAY_TICKS * self.spacing
        return sorted({tick // span * span for tick in self.ticks})


@cache
def vectors() -> list[dict[str, Any]]:
    """Return the pools of the vectors as the file has them."""
    pools: list[dict[str, Any]] = json.loads(_FILE.read_text())["pools"]
    return pools


def numbers(pool: Mapping[str, Any]) -> Numbers:
    """Return the pool a vector names."""
    found = {tick: tuple(map(int, rest)) for tick, *rest in pool["ticks"]}
    return Numbers(
        spacing=pool["spacing"],
        tick=pool["tick"],
        sqrt_price=int(pool["sqrtPrice"]),
        liquidity=int(pool["liquidity"]),
        ticks=found,  # type: ignore[arg-type]
        rates=tuple(pool["rates"]),
        fee_on=pool["feeOn"],
        dynamic=pool["dynamic"] and tuple(pool["dynamic"]),
    )


def of_positions(
    positions: Sequence[tuple[int, int, int]],
    *,
    spacing: int = 60,
    tick: int = 0,
    into: Fraction = Fraction(1, 3),
    orders: Mapping[int, int] | None = None,
) -> Numbers:
    """Return a pool with these positions: (first spacing, spacings wide, liquidity) from the tick.

    Spacings count from that of the current tick; the price lies `into` the tick. `orders` are limit
    orders by spacing.
    """
    low, high = ticks.sqrt_price_at(tick), ticks.sqrt_price_at(tick + 1)
    middle, liquidity = tick // spacing, 0
    found: dict[int, list[int]] = {}
    for first, wide, amount in positions:
        lower, upper = ((middle + place) * spacing for place in (first, first + wide))
        for number, net in ((lower, amount), (upper, -amount)):
            change = found.setdefault(number, [0, 0, 0, 0])
            change[0] += net
            change[1] += amount
        liquidity += amount if lower <= tick < upper else 0
    for place, amount in (orders or {}).items():
        found.setdefault((middle + place) * spacing, [0, 0, 0, 0])[2] += amount
    return Numbers(
        spacing=spacing,
        tick=tick,
        sqrt_price=low + int((high - low) * into),
        liquidity=liquidity,
        ticks={number: (net, gross, new, old) for number, (net, gross, new, old) in found.items()},
    )


def pool_data(pool: Numbers) -> bytes:
    """Return the bytes of the pool's account."""
    own, _, _ = _maps(pool)
    return layout.POOL.pack(
        *(layout.POOL_DISCRIMINATOR, _BUMP, _raw(CONFIG), _raw(key(4))),
        *(*map(_raw, MINTS), *map(_raw, VAULTS), _raw(OBSERVATION)),
        *(9, 6, pool.spacing, _u128(pool.liquidity), _u128(pool.sqrt_price), pool.tick),
        *(11, 12, pool.status, pool.fee_on),
        *(own, 13, 14, pool.open_time_s, 900),
        layout.DYNAMIC_FEE.pack(*pool.dynamic) if pool.dynamic else bytes(80),
    )


def config_data(pool: Numbers) -> bytes:
    """Return the bytes of the config's account."""
    trade, protocol, fund = pool.rates
    return layout.CONFIG.pack(
        *(layout.CONFIG_DISCRIMINATOR, 254, 1, _raw(key(4))),
        *(protocol, trade, pool.spacing, fund, _raw(key(9))),
    )


def extension_data(pool: Numbers) -> bytes:
    """Return the bytes of the bitmap extension's account."""
    _, positive, negative = _maps(pool)
    return layout.EXTENSION_DISCRIMINATOR + _raw(ADDRESS) + positive + negative


def array_data(pool: Numbers, start: int) -> bytes:
    """Return the bytes of the tick array that begins at a tick."""
    head = layout.ARRAY_HEAD.pack(layout.ARRAY_DISCRIMINATOR, _raw(ADDRESS), start)
    numbers = range(start, start + layout.ARRAY_TICKS * pool.spacing, pool.spacing)
    data = b"".join(_tick(number, pool) for number in numbers)
    count = sum(number in pool.ticks for number in numbers)
    data = head + data + bytes([count]) + (900).to_bytes(8, "little")
    return data.ljust(layout.ARRAY_BYTES, b"\0")


def token_data(mint: str, amount: int, *, owner: str = ADDRESS) -> bytes:
    """Return the bytes of an ordinary token account."""
    return _raw(mint) + _raw(owner) + amount.to_bytes(8, "little") + bytes(36) + b"\1" + bytes(56)


def accounts(
    pool: Numbers, *, held: tuple[int, int] = (1 << 63, 1 << 63), slot: int = SLOT
) -> dict[str, AccountState]:
    """Return every account of the pool by address."""
    made = {ADDRESS: pool_data(pool), CONFIG: config_data(pool)}
    made[layout.extension_address(ADDRESS)] = extension_data(pool)
    for start in pool.starts:
        made[layout.tick_array_address(ADDRESS, start)] = array_data(pool, start)
    states = {at: state(at, data, slot=slot) for at, data in made.items()}
    for at, mint, amount in zip(VAULTS, MINTS, held, strict=True):
        states[at] = state(at, token_data(mint, amount), owner=TOKEN_PROGRAM, slot=slot)
    return states


def followed(
    states: Mapping[str, AccountState], pool: ClmmFollowed | None = None, *, seen_ms: int = 1_000
) -> ClmmFollowed:
    """Return a pool given the accounts it asks for until it asks for nothing new, as by a desk."""
    pool = pool or ClmmFollowed(ADDRESS)
    given: set[str] = set()
    while wanted := [at for at in pool.accounts() if at in states and at not in given]:
        for at in wanted:
            pool.update(states[at], seen_ms=seen_ms)
            given.add(at)
    return pool


def state(
    address: str, data: bytes, *, owner: str = layout.PROGRAM, slot: int = SLOT
) -> AccountState:
    """Return an account's state; of the CLMM program, unless said otherwise."""
    return AccountState(address=address, data=data, owner=owner, slot=slot)


def decoded(pool: Numbers, *, now_s: int = NOW_S) -> swap.Market:
    """Return what a swap sees of the pool, all its arrays read from their bytes."""
    found = layout.pool(state(ADDRESS, pool_data(pool)))
    extension = layout.extension(state("", extension_data(pool)), pool_address=ADDRESS)
    below, above = (
        bitmap.nearest(found, extension, down=down, count=1 << 14) for down in (True, False)
    )
    arrays = {
        start: layout.tick_array(
            state("", array_data(pool, start)),
            pool_address=ADDRESS,
            start=start,
            spacing=pool.spacing,
        )
        for start in {*below, *above}
    }
    config = layout.config(state(CONFIG, config_data(pool)))
    return market(found, config, (below, above), arrays, now_s=now_s)


def _maps(pool: Numbers) -> tuple[bytes, bytes, bytes]:
    own, positive, negative = 0, 0, [0] * layout.EXTENSION_MAPS
    for start in pool.starts:
        index = start // (layout.ARRAY_TICKS * pool.spacing)
        if -_ARRAYS <= index < _ARRAYS:
            own |= 1 << (index + _ARRAYS)
        elif index > 0:
            positive |= 1 << (index - _ARRAYS)
        else:
            map_, place = divmod(-index - 1, _ARRAYS)
            negative[map_ - 1] |= 1 << (_ARRAYS - 1 - place)
    size = _ARRAYS // 8
    return (
        own.to_bytes(2 * size, "little"),
        positive.to_bytes(layout.EXTENSION_MAPS * size, "little"),
        b"".join(map_.to_bytes(size, "little") for map_ in negative),
    )


def _tick(number: int, pool: Numbers) -> bytes:
    if number not in pool.ticks:
        return bytes(layout.TICK.size)
    net, gross, orders, partly = pool.ticks[number]
    signed = net.to_bytes(16, "little", signed=True)
    return layout.TICK.pack(number, signed, _u128(gross), 0, orders, partly)


def _u128(value: int) -> bytes:
    return value.to_bytes(16, "little")


def _raw(address: str) -> bytes:
    return bytes(Pubkey.from_string(address))
