"""Reading accounts: the checks that every layout begins with, and token accounts; pure.

Token accounts: https://docs.rs/spl-token-interface (state::Account). Token-2022 may append a byte
that says what the account is, and extensions; no such account is as long as a multisig:
https://docs.rs/spl-token-2022-interface (extension).
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.chains.port import AccountState
from quantdesk.core.errors import Corrupt

TOKEN_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"  # noqa: S105 - an address
TOKEN_2022: Final = "TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb"  # noqa: S105 - an address
TOKEN_ACCOUNT_BYTES: Final = 165

_STATE: Final = 108
_INITIALIZED: Final = 1
_MULTISIG_BYTES: Final = 355
_IS_ACCOUNT: Final = 2  # what the byte behind the first 165 says of a token account


@dataclass(frozen=True, slots=True)
class TokenAccount:
    """A token account: whose, of which mint, under which program, and how many base units."""

    mint: str
    owner: str
    program: str
    amount: int


def body(
    state: AccountState, what: str, *, owner: str, discriminator: bytes = b"", length: int
) -> bytes:
    """Return the data of an account that is what it should be.

    Raises `Corrupt`: `account.missing`, `account.foreign` when another program owns it,
    `account.unreadable` when its length or discriminator is another.
    """
    data = owned(state, what, owner=owner)
    if len(data) != length or not data.startswith(discriminator):
        raise Corrupt(
            f"the {len(data)} bytes of {state.address} are no {what}", code="account.unreadable"
        )
    return data


def owned(state: AccountState, what: str, *, owner: str) -> bytes:
    """Return the data of an account of a program.

    Raises `Corrupt`: `account.missing`, or `account.foreign` when another program owns it.
    """
    if not state.data:
        raise Corrupt(f"{what} {state.address} does not exist", code="account.missing")
    if state.owner != owner:
        raise Corrupt(f"{what} {state.address} belongs to {state.owner}", code="account.foreign")
    return state.data


def token_account(state: AccountState, *, mint: str, owner: str) -> TokenAccount:
    """Return the token account of a mint and owner; raise `Corrupt` as `body` does."""
    if not state.data:
        raise Corrupt(f"token account {state.address} does not exist", code="account.missing")
    if state.owner not in {TOKEN_PROGRAM, TOKEN_2022}:
        raise Corrupt(f"token account {state.address} is none", code="account.foreign")
    if not _has_token_account_length(state) or state.data[_STATE] != _INITIALIZED:
        raise Corrupt(f"token account {state.address} is not in use", code="account.unreadable")
    found = TokenAccount(
        mint=address(state.data, 0),
        owner=address(state.data, 32),
        program=state.owner,
        amount=struct.unpack_from("<Q", state.data, 64)[0],
    )
    if (found.mint, found.owner) != (mint, owner):
        raise Corrupt(f"vault {state.address} is not its pool's own", code="account.foreign")
    return found


def _has_token_account_length(state: AccountState) -> bool:
    length = len(state.data)
    if length <= TOKEN_ACCOUNT_BYTES or state.owner == TOKEN_PROGRAM:
        return length == TOKEN_ACCOUNT_BYTES
    return length != _MULTISIG_BYTES and state.data[TOKEN_ACCOUNT_BYTES] == _IS_ACCOUNT


def address(data: bytes, offset: int) -> str:
    """Return the 32-byte address at an offset, as base58."""
    return str(Pubkey.from_bytes(data[offset : offset + 32]))
