"""The pool account of Meteora DAMM v2: bytes → nouns and back, and the program's addresses; pure.

All numbers are little endian; the structure is C-packed behind an 8-byte Anchor discriminator and
has 1,112 bytes. Prices are token B per token A in base units, as square roots in Q64.64.
Layouts: https://github.com/MeteoraAg/damm-v2 (cp_amm 0.2.1: state/pool.rs, state/fee.rs,
base_fee/*.rs), the same bytes since 0.1.6.
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM, body

PROGRAM: Final = "cpamdpZCGKUy5JxQXB4dcpGPiikHawvSWAd6mEn1sGG"
POOL_DISCRIMINATOR: Final = bytes((241, 154, 109, 4, 17, 177, 109, 188))

POOL: Final = struct.Struct(
    "<8s"
    "Q B 5x H 8s Q 8x"  # base fee: cliff, mode, and what the mode makes of the rest
    "B x B 3x H"  # shares of protocol, referral and compounding
    "B 7x 2I 4H Q 16s 16s 16s 16s"  # dynamic fee
    "16s"  # the price the pool began with
    "32s 32s 32s 32s 32s 32x"  # mints, vaults, who may buy before activation
    "16s 16x 2Q 16x"  # liquidity, protocol fees owed
    "16s 16s 16s"  # lowest, highest and current price
    "Q 7B x"  # activation, status, token flags, modes and versions
    "32x 32x 16x 80x 32x"  # fees per liquidity, locked liquidity, metrics, creator
    "2Q B 7x 24x"  # reserves, layout version
    "384x"  # rewards
)
POOL_BYTES: Final = POOL.size

FEE_ON_OUTPUT, FEE_IN_B, COMPOUNDING = range(3)
"""Where a pool takes its fee: from the output; in token B; in token B, with no price range."""

BY_SLOT, BY_TIME = range(2)
"""What a pool counts time in: slots, or Unix seconds."""

_TIME_LINEAR, _TIME_EXPONENTIAL, _RATE_LIMITER, _PRICE_LINEAR, _PRICE_EXPONENTIAL = range(5)
_ENABLED: Final = 0
_TOKEN_PROGRAMS: Final = (TOKEN_PROGRAM, TOKEN_2022)
_NO_KEY: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class TimeSchedule:
    """A fee that falls from `cliff` by a step every `period` points of time after activation.

    Rates are in 10^-9; `reduction` is a rate off per step, or basis points off the fee left when
    `exponential`. A `period` of 0 leaves the fee at `cliff`.
    """

    cliff: int
    exponential: bool = False
    periods: int = 0
    period: int = 0
    reduction: int = 0


@dataclass(frozen=True, slots=True)
class PriceSchedule:
    """A fee that falls by a step each time the square root of the price gains `step_bps`.

    It ends `expires_after` points of time after activation; rates and reduction as in
    `TimeSchedule`.
    """

    cliff: int
    exponential: bool
    periods: int
    step_bps: int
    expires_after: int
    reduction: int


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """A fee on buyers of token A that rises with the size paid, for `duration` points of time.

    The first `reference` base units pay `cliff` (in 10^-9), each further such stretch
    `increment_bps` more, at most `max_bps`. All zero but the cliff: no limiter.
    """

    cliff: int
    increment_bps: int = 0
    duration: int = 0
    max_bps: int = 0
    reference: int = 0

    @property
    def limits(self) -> bool:
        """Say whether there is a limiter at all."""
        return bool(self.increment_bps or self.duration or self.max_bps or self.reference)


BaseFee = TimeSchedule | PriceSchedule | RateLimiter


@dataclass(frozen=True, slots=True)
class DynamicFee:
    """The part of the fee that follows the volatility; absent from pools without one.

    `bin_step` is in basis points and `bin_step_x64` the same in Q64.64, times are in seconds, the
    volatility in bins times 10,000.
    """

    accumulator_max: int
    control: int
    accumulator: int = 0
    reference: int = 0
    sqrt_price_reference: int = 0
    updated_s: int = 0
    bin_step: int = 1
    bin_step_x64: int = (1 << 64) // 10_000
    filter_period_s: int = 10
    decay_period_s: int = 120
    reduction_bps: int = 5_000


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool; pairs are (token A, token B), amounts base units, addresses base58.

    `base_fee` is None for a mode this desk does not know. `reserves` are what the pool counts as
    its own since layout version 1. The protocol takes `protocol_percent` of the fee, a referrer
    `referral_percent` of that; of the rest `compounding_bps` join the reserves.
    """

    mints: tuple[str, str]
    vaults: tuple[str, str]
    base_fee: BaseFee | None
    liquidity: int
    sqrt_price: int
    sqrt_min: int
    sqrt_max: int
    dynamic_fee: DynamicFee | None = None
    sqrt_price_initial: int = 0
    reserves: tuple[int, int] = (0, 0)
    protocol_owed: tuple[int, int] = (0, 0)
    fee_mode: int = FEE_ON_OUTPUT
    fee_version: int = 1
    layout_version: int = 1
    protocol_percent: int = 20
    referral_percent: int = 20
    compounding_bps: int = 0
    activation_type: int = BY_TIME
    activation_point: int = 0
    enabled: bool = True
    token_flags: tuple[int, int] = (0, 0)

    @property
    def token_programs(self) -> tuple[str, str]:
        """Return the programs of the two tokens."""
        flag_a, flag_b = self.token_flags
        return _TOKEN_PROGRAMS[flag_a != 0], _TOKEN_PROGRAMS[flag_b != 0]


def read_pool(state: AccountState) -> Pool:
    """Return the pool an account holds.

    Raises `Corrupt`: `account.missing`, `account.foreign`, `account.unreadable`.
    """
    return decode_pool(
        body(
            state,
            "DAMM v2 pool",
            owner=PROGRAM,
            discriminator=POOL_DISCRIMINATOR,
            length=POOL_BYTES,
        )
    )


def decode_pool(data: bytes) -> Pool:
    """Return the pool in an account's data; raise `Corrupt` (`account.unreadable`)."""
    if len(data) != POOL_BYTES or not data.startswith(POOL_DISCRIMINATOR):
        raise Corrupt(f"{len(data)} bytes are no DAMM v2 pool", code="account.unreadable")
    (_, cliff, mode, count, middle, last, protocol, referral, compounding,
     dynamic, accumulator_max, control, bin_step, filter_s, decay_s, reduction, updated,
     bin_step_x64, reference_price, accumulator, reference, initial,
     mint_a, mint_b, vault_a, vault_b, _, liquidity, owed_a, owed_b, lowest, highest, price,
     activation_point, activation_type, status, flag_a, flag_b, fee_mode, _, fee_version,
     reserve_a, reserve_b, layout_version) = POOL.unpack(data)  # fmt: skip
    pool = Pool(
        mints=(_base58(mint_a), _base58(mint_b)),
        vaults=(_base58(vault_a), _base58(vault_b)),
        base_fee=_base_fee(mode, cliff, count, middle, last),
        liquidity=_u128(liquidity),
        sqrt_price=_u128(price),
        sqrt_min=_u128(lowest),
        sqrt_max=_u128(highest),
        dynamic_fee=DynamicFee(
            accumulator_max=accumulator_max,
            control=control,
            accumulator=_u128(accumulator),
            reference=_u128(reference),
            sqrt_price_reference=_u128(reference_price),
            updated_s=updated,
            bin_step=bin_step,
            bin_step_x64=_u128(bin_step_x64),
            filter_period_s=filter_s,
            decay_period_s=decay_s,
            reduction_bps=reduction,
        )
        if dynamic
        else None,
        sqrt_price_initial=_u128(initial),
        reserves=(reserve_a, reserve_b),
        protocol_owed=(owed_a, owed_b),
        fee_mode=fee_mode,
        fee_version=fee_version,
        layout_version=layout_version,
        protocol_percent=protocol,
        referral_percent=referral,
        compounding_bps=compounding,
        activation_type=activation_type,
        activation_point=activation_point,
        enabled=status == _ENABLED,
        token_flags=(flag_a, flag_b),
    )
    if not pool.sqrt_min <= pool.sqrt_price <= pool.sqrt_max or not pool.sqrt_price:
        raise Corrupt("a DAMM v2 pool has its price outside its range", code="account.unreadable")
    return pool


def encode_pool(pool: Pool) -> bytes:
    """Return the account's data of a pool; what the noun does not hold is zero."""
    assert pool.base_fee is not None, "a fee of unknown mode cannot be written"
    fee = pool.base_fee
    mode, count, middle, last = _base_fee_bytes(fee)
    dynamic = pool.dynamic_fee
    volatility = dynamic or DynamicFee(
        0, 0, bin_step=0, bin_step_x64=0, filter_period_s=0, decay_period_s=0, reduction_bps=0
    )
    return POOL.pack(
        POOL_DISCRIMINATOR,
        *(fee.cliff, mode, count, middle, last),
        *(pool.protocol_percent, pool.referral_percent, pool.compounding_bps),
        *(dynamic is not None, volatility.accumulator_max, volatility.control),
        *(volatility.bin_step, volatility.filter_period_s, volatility.decay_period_s),
        *(volatility.reduction_bps, volatility.updated_s, _bytes16(volatility.bin_step_x64)),
        *(_bytes16(volatility.sqrt_price_reference), _bytes16(volatility.accumulator)),
        *(_bytes16(volatility.reference), _bytes16(pool.sqrt_price_initial)),
        *(bytes(Pubkey.from_string(key)) for key in (*pool.mints, *pool.vaults)),
        *(_NO_KEY, _bytes16(pool.liquidity), *pool.protocol_owed),
        *(_bytes16(pool.sqrt_min), _bytes16(pool.sqrt_max), _bytes16(pool.sqrt_price)),
        *(pool.activation_point, pool.activation_type, int(not pool.enabled), *pool.token_flags),
        *(pool.fee_mode, 0, pool.fee_version, *pool.reserves, pool.layout_version),
    )


def vault_address(pool: str, mint: str) -> str:
    """Return where a pool keeps its tokens of a mint."""
    return _derived(
        b"token_vault", bytes(Pubkey.from_string(mint)), bytes(Pubkey.from_string(pool))
    )


def custom_pool_address(mint_a: str, mint_b: str) -> str:
    """Return the address of the one pool of two mints that was made without a config."""
    mints = sorted((bytes(Pubkey.from_string(mint)) for mint in (mint_a, mint_b)), reverse=True)
    return _derived(b"cpool", *mints)


def _base_fee(mode: int, cliff: int, count: int, middle: bytes, last: int) -> BaseFee | None:
    (period,) = struct.unpack("<Q", middle)
    first, second = struct.unpack("<2I", middle)
    if mode in {_TIME_LINEAR, _TIME_EXPONENTIAL}:
        return TimeSchedule(cliff, mode == _TIME_EXPONENTIAL, count, period, last)
    if mode in {_PRICE_LINEAR, _PRICE_EXPONENTIAL}:
        return PriceSchedule(cliff, mode == _PRICE_EXPONENTIAL, count, first, second, last)
    return RateLimiter(cliff, count, first, second, last) if mode == _RATE_LIMITER else None


def _base_fee_bytes(fee: BaseFee) -> tuple[int, int, bytes, int]:
    if isinstance(fee, TimeSchedule):
        mode = _TIME_EXPONENTIAL if fee.exponential else _TIME_LINEAR
        return mode, fee.periods, struct.pack("<Q", fee.period), fee.reduction
    if isinstance(fee, PriceSchedule):
        mode = _PRICE_EXPONENTIAL if fee.exponential else _PRICE_LINEAR
        middle = struct.pack("<2I", fee.step_bps, fee.expires_after)
        return mode, fee.periods, middle, fee.reduction
    middle = struct.pack("<2I", fee.duration, fee.max_bps)
    return _RATE_LIMITER, fee.increment_bps, middle, fee.reference


def _u128(number: bytes) -> int:
    return int.from_bytes(number, "little")


def _bytes16(number: int) -> bytes:
    return number.to_bytes(16, "little")


def _base58(key: bytes) -> str:
    return str(Pubkey.from_bytes(key))


def _derived(*seeds: bytes) -> str:
    return str(Pubkey.find_program_address(seeds, Pubkey.from_string(PROGRAM))[0])


AUTHORITY: Final = _derived(b"pool_authority")
"""The program's own address that holds every pool's vaults."""

EVENT_AUTHORITY: Final = _derived(b"__event_authority")
"""The address the program signs its events with."""
