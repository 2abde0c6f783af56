"""The swap instruction of Meteora DAMM v2.

`swap2` takes exact in and exact out by a mode; the program has it since 0.1.5. Accounts and
arguments: https://github.com/MeteoraAg/damm-v2 (cp_amm 0.2.1: instructions/swap/ix_swap.rs). An
optional account that is absent is given as the program's own id. While a rate limiter is at work
the program reads the transaction's other instructions, so their sysvar follows the named accounts.
"""

import struct
from dataclasses import dataclass
from typing import Final

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.meteora.damm_v2.layout import (
    AUTHORITY,
    EVENT_AUTHORITY,
    PROGRAM,
    Pool,
    RateLimiter,
)

SWAP2: Final = bytes((65, 75, 63, 76, 235, 91, 91, 136))
EXACT_IN, PARTIAL_FILL, EXACT_OUT = range(3)
"""The modes of `swap2`; this desk never fills in part."""

INSTRUCTIONS_SYSVAR: Final = "Sysvar1nstructions1111111111111111111111111"

_ARGUMENTS: Final = struct.Struct("<8s 2Q B")


@dataclass(frozen=True, slots=True)
class Trade:
    """A swap's accounts; `paid_from` and `received_in` are token accounts of `owner`."""

    address: str
    pool: Pool
    owner: str
    paid_from: str
    received_in: str


def swap_exact_in(trade: Trade, amount_in: int, least_out: int) -> Instruction:
    """Return the instruction that pays exactly `amount_in` and receives at least `least_out`."""
    return _instruction(trade, _ARGUMENTS.pack(SWAP2, amount_in, least_out, EXACT_IN))


def swap_exact_out(trade: Trade, amount_out: int, most_in: int) -> Instruction:
    """Return the instruction that receives exactly `amount_out` and pays at most `most_in`."""
    return _instruction(trade, _ARGUMENTS.pack(SWAP2, amount_out, most_in, EXACT_OUT))


def _instruction(trade: Trade, data: bytes) -> Instruction:
    pool = trade.pool
    named = (
        _read(AUTHORITY),
        _writable(trade.address),
        _writable(trade.paid_from),
        _writable(trade.received_in),
        *(_writable(vault) for vault in pool.vaults),
        *(_read(mint) for mint in pool.mints),
        AccountMeta(trade.owner, is_signer=True, is_writable=False),
        *(_read(program) for program in pool.token_programs),
        _read(PROGRAM),  # no referrer takes a share of the fee
        _read(EVENT_AUTHORITY),
        _read(PROGRAM),
    )
    limited = isinstance(pool.base_fee, RateLimiter) and pool.base_fee.limits
    # Always with a limiter, even one that has ended by our clock: the program's may be behind.
    return Instruction(PROGRAM, (*named, _read(INSTRUCTIONS_SYSVAR)) if limited else named, data)


def _read(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=False)


def _writable(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)
