"""The call of the Raydium CLMM program that swaps.

Accounts and data: https://github.com/raydium-io/raydium-clmm (instructions/swap_v2.rs). After the
named accounts come the pool's bitmap extension, where the search for tick arrays may need it, and
the tick arrays in the order in which the price crosses them; the program skips those before the
first it needs.
"""

import struct
from dataclasses import dataclass
from typing import Final

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.raydium.clmm import layout
from quantdesk.venues.raydium.clmm.layout import PROGRAM, Pool
from quantdesk.venues.reading import TOKEN_2022, TOKEN_PROGRAM

SWAP_V2: Final = bytes.fromhex("2b04ed0b1ac91e62")

_MEMO_PROGRAM: Final = "MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr"
_NO_PRICE_LIMIT: Final = bytes(16)  # and no partial fill: the program fails instead
_AMOUNTS: Final = struct.Struct("<2Q")


@dataclass(frozen=True, slots=True)
class Leg:
    """Who trades with which pool: `paid` is the token (0 or 1) that comes in.

    `arrays` are the first ticks of tick arrays in the order of the swap, `extension` the address of
    the bitmap extension where it may be needed.
    """

    owner: str
    pool_address: str
    pool: Pool
    paid: int
    paid_from: str
    received_in: str
    arrays: tuple[int, ...]
    extension: str | None


def exact_in(leg: Leg, *, amount: int, least_out: int) -> Instruction:
    """Return the call that pays exactly `amount` for at least `least_out`, base units."""
    return _swap(leg, _AMOUNTS.pack(amount, least_out) + _NO_PRICE_LIMIT + b"\1")


def exact_out(leg: Leg, *, amount: int, most_in: int) -> Instruction:
    """Return the call that pays at most `most_in` for exactly `amount`, base units."""
    return _swap(leg, _AMOUNTS.pack(amount, most_in) + _NO_PRICE_LIMIT + b"\0")


def _swap(leg: Leg, arguments: bytes) -> Instruction:
    pool, into, out = leg.pool, leg.paid, 1 - leg.paid
    arrays = [layout.tick_array_address(leg.pool_address, start) for start in leg.arrays]
    metas = (
        AccountMeta(leg.owner, is_signer=True, is_writable=False),
        _reads(pool.config),
        _writes(leg.pool_address),
        _writes(leg.paid_from),
        _writes(leg.received_in),
        _writes(pool.vaults[into]),
        _writes(pool.vaults[out]),
        _writes(pool.observation),
        _reads(TOKEN_PROGRAM),
        _reads(TOKEN_2022),
        _reads(_MEMO_PROGRAM),
        _reads(pool.mints[into]),
        _reads(pool.mints[out]),
        *([_writes(leg.extension)] if leg.extension else []),
        *(_writes(array) for array in arrays),
    )
    return Instruction(program=PROGRAM, accounts=metas, data=SWAP_V2 + arguments)


def _reads(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=False)


def _writes(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)
