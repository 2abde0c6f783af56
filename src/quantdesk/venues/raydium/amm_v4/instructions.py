"""The two calls of the Raydium AMM v4 program that swap.

Accounts and data: https://github.com/raydium-io/raydium-amm (program/src/instruction.rs,
processor.rs: process_swap_base_in, process_swap_base_out). Tags 9 and 11 take 17 accounts, or 18
with the target orders after the open orders; every deployed version knows them, while tags 16 and
17, which leave the order book out, came in 2025.

A pool that trades without its order book has the program skip the accounts of that book unread, so
the pool's own address stands in for all of them: a transaction then names 8 accounts, not 17.
"""

import struct
from dataclasses import dataclass
from typing import Final

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.raydium.amm_v4.layout import AUTHORITY, PROGRAM
from quantdesk.venues.reading import TOKEN_PROGRAM

SWAP_BASE_IN: Final = 9
SWAP_BASE_OUT: Final = 11

_ARGUMENTS: Final = struct.Struct("<B2Q")
_ORDER_BOOK: Final = 8
"""Market program, market, bids, asks, event queue, its two vaults and their signer."""


@dataclass(frozen=True, slots=True)
class Leg:
    """Who trades with which pool: token accounts of `owner`; the mint paid decides the way."""

    owner: str
    pool_address: str
    vaults: tuple[str, str]
    paid_from: str
    received_in: str


def swap_base_in(leg: Leg, *, amount_in: int, minimum_out: int) -> Instruction:
    """Return the call that pays exactly `amount_in` for at least `minimum_out`, base units."""
    return _swap(leg, _ARGUMENTS.pack(SWAP_BASE_IN, amount_in, minimum_out))


def swap_base_out(leg: Leg, *, maximum_in: int, amount_out: int) -> Instruction:
    """Return the call that pays at most `maximum_in` for exactly `amount_out`, base units."""
    return _swap(leg, _ARGUMENTS.pack(SWAP_BASE_OUT, maximum_in, amount_out))


def _swap(leg: Leg, data: bytes) -> Instruction:
    unread = _reads(leg.pool_address)
    metas = (
        _reads(TOKEN_PROGRAM),
        _writes(leg.pool_address),
        _reads(AUTHORITY),
        unread,  # open orders
        *map(_writes, leg.vaults),
        *[unread] * _ORDER_BOOK,
        _writes(leg.paid_from),
        _writes(leg.received_in),
        AccountMeta(leg.owner, is_signer=True, is_writable=False),
    )
    return Instruction(program=PROGRAM, accounts=metas, data=data)


def _reads(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=False)


def _writes(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)
