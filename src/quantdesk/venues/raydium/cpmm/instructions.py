"""The two calls of the Raydium CPMM program that swap.

Accounts and data: https://github.com/raydium-io/raydium-cp-swap
(instructions/swap_base_input.rs, swap_base_output.rs).
"""

import struct
from dataclasses import dataclass

from quantdesk.chains.port import AccountMeta, Instruction
from quantdesk.venues.raydium.cpmm.layout import AUTHORITY, PROGRAM, Pool

SWAP_BASE_INPUT = bytes.fromhex("8fbe5adac41e33de")
SWAP_BASE_OUTPUT = bytes.fromhex("37d96256a34ab4ad")

_AMOUNTS = struct.Struct("<QQ")


@dataclass(frozen=True, slots=True)
class Leg:
    """Who trades with which pool, and which of its tokens (0 or 1) comes in."""

    owner: str
    pool_address: str
    pool: Pool
    input_token: int
    input_account: str
    output_account: str


def swap_base_input(leg: Leg, *, amount_in: int, minimum_out: int) -> Instruction:
    """Return the call that pays exactly `amount_in` for at least `minimum_out`, base units."""
    return _swap(leg, SWAP_BASE_INPUT + _AMOUNTS.pack(amount_in, minimum_out))


def swap_base_output(leg: Leg, *, maximum_in: int, amount_out: int) -> Instruction:
    """Return the call that pays at most `maximum_in` for exactly `amount_out`, base units."""
    return _swap(leg, SWAP_BASE_OUTPUT + _AMOUNTS.pack(maximum_in, amount_out))


def _swap(leg: Leg, data: bytes) -> Instruction:
    pool, into, out = leg.pool, leg.input_token, 1 - leg.input_token
    metas = (
        AccountMeta(leg.owner, is_signer=True, is_writable=False),
        _reads(AUTHORITY),
        _reads(pool.config),
        _writes(leg.pool_address),
        _writes(leg.input_account),
        _writes(leg.output_account),
        _writes(pool.vaults[into]),
        _writes(pool.vaults[out]),
        _reads(pool.token_programs[into]),
        _reads(pool.token_programs[out]),
        _reads(pool.mints[into]),
        _reads(pool.mints[out]),
        _writes(pool.observation),
    )
    return Instruction(program=PROGRAM, accounts=metas, data=data)


def _reads(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=False)


def _writes(address: str) -> AccountMeta:
    return AccountMeta(address, is_signer=False, is_writable=True)
