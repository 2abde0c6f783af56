"""The account of a Raydium AMM v4 pool, read from bytes; pure.

Layout and states: https://github.com/raydium-io/raydium-amm (program/src/state.rs: AmmInfo, Fees,
StateData, AmmStatus). The program calls its tokens coin and pc; here they are token 0 and token 1.
"""

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt
from quantdesk.venues.raydium.amm_v4.curve import FeeRate
from quantdesk.venues.reading import address, body

PROGRAM: Final = "675kPX9MHTjS2zt1qfr1NYHuzeLXfQM9H24wFSUt1Mp8"
POOL_BYTES: Final = 752

_AUTHORITY, NONCE = Pubkey.find_program_address([b"amm authority"], Pubkey.from_string(PROGRAM))
AUTHORITY: Final = str(_AUTHORITY)
"""The program's own address that holds every pool's vaults."""

_HEAD: Final = struct.Struct("<2Q")  # status, nonce
_DECIMALS: Final = struct.Struct("<2Q")
_NUMBERS: Final = struct.Struct("<2Q 2Q 16x Q")  # swap fee, owed profit, opening time
_DECIMALS_AT, _NUMBERS_AT, ADDRESSES_AT = 32, 176, 336


class Status(IntEnum):
    """What a pool may do; the names are the program's."""

    UNINITIALIZED = 0
    INITIALIZED = 1
    DISABLED = 2
    WITHDRAW_ONLY = 3
    LIQUIDITY_ONLY = 4
    ORDER_BOOK_ONLY = 5
    SWAP_ONLY = 6
    WAITING_TRADE = 7


@dataclass(frozen=True, slots=True)
class AmmAccount:
    """A pool; pairs are (token 0, token 1), `owed` the profit in its vaults that is no reserve."""

    status: Status
    decimals: tuple[int, int]
    fee: FeeRate
    owed: tuple[int, int]
    open_time_s: int
    vaults: tuple[str, str]
    mints: tuple[str, str]


def amm(state: AccountState) -> AmmAccount:
    """Return the pool in an account.

    Raises `Corrupt` (`account.missing`, `account.foreign`, `account.unreadable`).
    """
    data = body(state, "Raydium AMM v4 pool", owner=PROGRAM, length=POOL_BYTES)
    status, nonce = _HEAD.unpack_from(data)
    if status not in set(Status) - {Status.UNINITIALIZED} or nonce != NONCE:
        raise _unreadable(state, f"status {status}, nonce {nonce}")
    vault_0, vault_1, mint_0, mint_1 = (address(data, ADDRESSES_AT + 32 * i) for i in range(4))
    if mint_0 == mint_1 or vault_0 == vault_1:
        raise _unreadable(state, "the same token on both sides")
    numerator, denominator, owed_0, owed_1, open_time = _NUMBERS.unpack_from(data, _NUMBERS_AT)
    return AmmAccount(
        status=Status(status),
        decimals=_DECIMALS.unpack_from(data, _DECIMALS_AT),
        fee=FeeRate(numerator, denominator),
        owed=(owed_0, owed_1),
        open_time_s=open_time,
        vaults=(vault_0, vault_1),
        mints=(mint_0, mint_1),
    )


def _unreadable(state: AccountState, why: str) -> Corrupt:
    return Corrupt(f"{state.address} is no pool of this program: {why}", code="account.unreadable")
