"""Accounts of an AMM v4 pool as bytes, whose every number a test may set.

Layout: https://github.com/raydium-io/raydium-amm (program/src/state.rs: AmmInfo).
"""

import struct
from collections.abc import Sequence

from solders.pubkey import Pubkey

SWAP_ONLY = 6
NONCE = 254
"""The bump of the program's authority, which every pool repeats."""


def amm_account(
    vaults: Sequence[Pubkey],
    mints: Sequence[Pubkey],
    *,
    status: int = SWAP_ONLY,
    fee: Sequence[int] = (25, 10_000),
    owed: Sequence[int] = (0, 0),
    open_time_s: int = 0,
) -> bytes:
    """Return a pool with everything else as the program sets it up."""
    head = (status, NONCE, 7, 3, 9, 6, 1, 1, 0, 500, 5_000_000, 0, 0, 1, 10**9, 10**9)
    fees = (5, 10_000, 25, 10_000, 12, 100, *fee)
    state = (*owed, 0, 0, open_time_s, 0, 0, 0)
    keys = b"".join(bytes(key) for key in (*vaults, *mints))
    numbers = struct.pack("<32Q", *head, *fees, *state)
    return (numbers + bytes(80) + keys).ljust(752, b"\0")


def token_account(mint: Pubkey, owner: Pubkey, amount: int) -> bytes:
    """Return an SPL token account."""
    return bytes(mint) + bytes(owner) + struct.pack("<Q", amount) + bytes(36) + b"\1" + bytes(56)
