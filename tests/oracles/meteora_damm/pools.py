"""Pools for the vectors: a few numbers → a DAMM v2 pool, its account bytes and its vaults'.

The oracle is given the bytes; the tests rebuild them from the numbers the vectors carry.
"""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.venues.meteora.damm_v2 import layout
from quantdesk.venues.meteora.damm_v2.layout import (
    BaseFee,
    DynamicFee,
    Pool,
    PriceSchedule,
    RateLimiter,
    TimeSchedule,
)
from quantdesk.venues.meteora.damm_v2.pool import DammV2Pool, FollowedDammV2
from quantdesk.venues.reading import TOKEN_PROGRAM

MINT_A = str(Pubkey.from_bytes(bytes([1]) * 32))
MINT_B = str(Pubkey.from_bytes(bytes([2]) * 32))
ADDRESS = layout.custom_pool_address(MINT_A, MINT_B)
VAULTS = (layout.vault_address(ADDRESS, MINT_A), layout.vault_address(ADDRESS, MINT_B))
VAULT_AMOUNT = 1 << 63
"""What each vault holds: more than the pool accounts for."""

OPENED = 1_800_000_000
"""The activation point, of either clock; vectors say how much later theirs is."""

SQRT_MIN, SQRT_MAX = 4_295_048_016, 79_226_673_521_066_979_257_578_248_091

_U128 = 1 << 128
_KINDS = {"time": TimeSchedule, "price": PriceSchedule, "limiter": RateLimiter}


@dataclass(frozen=True, slots=True)
class Numbers:
    """One pool in numbers small enough for JSON."""

    seed: int
    price_ppm: int = 1_000_000
    """Base units of token B per one of A, in millionths."""
    bits: int = 40
    """The virtual reserve of token B has this many bits."""
    below_bps: int = 0
    """How far below the price, in its square root, the range begins; 0 for the lowest price."""
    above_bps: int = 0
    fee_mode: int = layout.FEE_ON_OUTPUT
    fee: tuple[Any, ...] = ("time", 2_500_000)
    """Kind and fields of the base fee."""
    dynamic: tuple[int, int, int] | None = None
    """Highest volatility, control, volatility."""
    initial_bps: int = 10_000
    """The square root of the pool's first price, in basis points of the present one."""
    fee_version: int = 1
    layout_version: int = 1
    protocol_percent: int = 20
    compounding_bps: int = 0
    by_slot: bool = False


def numbers(fields: Mapping[str, Any]) -> Numbers:
    """Return the pool a vector names."""
    lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
    return Numbers(**{**fields, **lists})


def pool(given: Numbers) -> Pool:
    """Return the pool; the low bits of price and liquidity are the seed's."""
    random_ = random.Random(given.seed)
    price = math.isqrt((given.price_ppm << 128) // 1_000_000) + random_.getrandbits(20)
    reserve_b = random_.getrandbits(given.bits) | 1 << given.bits
    liquidity = (reserve_b << 128) // price + random_.getrandbits(30)
    lowest = price * (10_000 - given.below_bps) // 10_000 if given.below_bps else SQRT_MIN
    highest = price * (10_000 + given.above_bps) // 10_000 if given.above_bps else SQRT_MAX
    compounds = given.fee_mode == layout.COMPOUNDING
    reserves = (
        -(-liquidity * (highest - price) // (highest * price)),
        -(-liquidity * (price - lowest) // _U128),
    )
    return Pool(
        mints=(MINT_A, MINT_B),
        vaults=VAULTS,
        base_fee=_base_fee(given.fee),
        liquidity=liquidity,
        sqrt_price=price,
        sqrt_min=0 if compounds else lowest,
        sqrt_max=_U128 - 1 if compounds else highest,
        dynamic_fee=DynamicFee(*given.dynamic) if given.dynamic else None,
        sqrt_price_initial=price * given.initial_bps // 10_000,
        reserves=reserves if given.layout_version else (0, 0),
        fee_mode=given.fee_mode,
        fee_version=given.fee_version,
        layout_version=given.layout_version,
        protocol_percent=given.protocol_percent,
        compounding_bps=given.compounding_bps,
        activation_type=layout.BY_SLOT if given.by_slot else layout.BY_TIME,
        activation_point=OPENED,
    )


def states(made: Pool, *, slot: int = OPENED, amount: int = VAULT_AMOUNT) -> list[AccountState]:
    """Return the accounts of a pool: its own first, then its vaults."""
    own = AccountState(ADDRESS, layout.encode_pool(made), layout.PROGRAM, slot)
    vaults = [
        AccountState(vault, token_account(mint, layout.AUTHORITY, amount), TOKEN_PROGRAM, slot)
        for vault, mint in zip(made.vaults, made.mints, strict=True)
    ]
    return [own, *vaults]


def token_account(mint: str, owner: str, amount: int) -> bytes:
    """Return the bytes of an ordinary token account."""
    keys = bytes(Pubkey.from_string(mint)) + bytes(Pubkey.from_string(owner))
    return keys + amount.to_bytes(8, "little") + bytes(36) + b"\x01" + bytes(56)


def followed(made: Pool, *, slot: int = OPENED, seen_ms: int = 0) -> FollowedDammV2:
    """Return a pool all of whose accounts are known."""
    known = FollowedDammV2(ADDRESS)
    for state in states(made, slot=slot):
        known.update(state, seen_ms=seen_ms)
    return known


def snapshot(made: Pool, *, later: int = 0) -> DammV2Pool:
    """Return the pool as it stands some points of its time after activation."""
    by_time = made.activation_type == layout.BY_TIME
    now_ms = (OPENED + later) * 1_000 if by_time else 0
    return followed(made, slot=OPENED + later, seen_ms=now_ms).snapshot(now_ms=now_ms)


def _base_fee(fee: tuple[Any, ...]) -> BaseFee:
    kind, *fields = fee
    made: BaseFee = _KINDS[kind](*fields)
    return made
