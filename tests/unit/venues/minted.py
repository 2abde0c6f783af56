"""Tokens that venues are tried with: mints and accounts of Token-2022, with a transfer fee."""

import struct
from typing import Final

from hypothesis import strategies as st
from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.venues.reading import TOKEN_2022
from quantdesk.venues.transfer_fee import FREE, TransferFee

U64_MAX: Final = (1 << 64) - 1
HOOK: Final = struct.pack("<2H", 14, 64) + bytes(range(1, 65))
"""An extension that runs a program on every transfer."""
PAUSED: Final = struct.pack("<2H", 26, 33) + bytes(range(1, 33)) + b"\1"

_CHARGES: Final = 1
_WITHHELD: Final = 2
_IS_MINT, _IS_ACCOUNT = b"\1", b"\2"


def mint(
    older: TransferFee,
    newer: TransferFee | None = None,
    *,
    since: int = 0,
    decimals: int = 6,
    more: bytes = b"",
) -> bytes:
    """Return the data of a mint whose fee is `newer` from epoch `since` on."""
    base = bytes(36) + struct.pack("<QBB", U64_MAX, decimals, 1) + bytes(36)
    fees = bytes(72)
    fees += struct.pack("<2QH", 0, older.most, older.bps)
    fees += struct.pack("<2QH", since, (newer or older).most, (newer or older).bps)
    return base + bytes(83) + _IS_MINT + struct.pack("<2H", _CHARGES, len(fees)) + fees + more


def account(mint_address: str, owner: str, amount: int) -> bytes:
    """Return the data of a token account of such a mint."""
    keys = bytes(Pubkey.from_string(mint_address)) + bytes(Pubkey.from_string(owner))
    base = keys + struct.pack("<Q", amount) + bytes(36) + b"\1" + bytes(56)
    return base + _IS_ACCOUNT + struct.pack("<2H", _WITHHELD, 8) + bytes(8)


def state(address: str, data: bytes, *, slot: int = 10, owner: str = TOKEN_2022) -> AccountState:
    """Return what the desk sees of an account of Token-2022."""
    return AccountState(address, data, owner, slot)


def fees() -> st.SearchStrategy[TransferFee]:
    """Return any transfer fee: none, a plain share, one that reaches its most, everything."""
    bps = st.integers(0, 10_000) | st.sampled_from([1, 30, 100, 9_999, 10_000])
    most = st.integers(0, U64_MAX) | st.integers(0, 1 << 40) | st.integers(0, 100)
    return st.just(FREE) | st.builds(TransferFee, bps, most | st.just(U64_MAX))
