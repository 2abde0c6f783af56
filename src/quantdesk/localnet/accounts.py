"""Accounts the localnet starts with; pools, mints and wallets are described in these.

A Token-2022 asset has those extensions of the real PYUSD that transfers and token accounts know of:
a close authority, a permanent delegate, a transfer fee of nothing, and a hook without a program.
Its metadata and confidential transfers are left out: no trade touches them.
Layouts: https://github.com/solana-program/token-2022 (interface/src/extension/mod.rs).
"""

import struct
from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.core.assets import ASSETS, TOKEN_2022, Asset

SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"
# Lamports of 165 bytes: https://solana.com/docs/core/accounts
_RENT_TOKEN_ACCOUNT: Final = 2_039_280
_NATIVE: Final = ASSETS["SOL"]
_MINT_PADDING: Final = bytes(83)  # up to the length of a token account, so that none is the other
_IS_MINT, _IS_TOKEN_ACCOUNT = b"\x01", b"\x02"
_EXTENSION: Final = struct.Struct("<2H")  # type, length
_FEE_CONFIG, _FEE_WITHHELD, _CLOSE_AUTHORITY, _IMMUTABLE_OWNER = 1, 2, 3, 7
_PERMANENT_DELEGATE, _HOOK, _HOOK_ACCOUNT = 12, 14, 15
_NO_FEES: Final = bytes(8 + 2 * 18)  # nothing withheld; older and newer: epoch 0, no most, no part
_NO_PROGRAM: Final = bytes(32)


@dataclass(frozen=True, slots=True)
class GenesisAccount:
    """An account as it stands in the first slot; `lamports` None means rent exemption exactly."""

    address: str
    owner: str
    data: bytes
    lamports: int | None = None


def token_account(address: str, *, asset: Asset, owner: str, amount: int) -> GenesisAccount:
    """Return a token account of `owner` that holds `amount` base units.

    Layout: https://docs.rs/spl-token/latest/spl_token/state/struct.Account.html
    """
    # Wrapped SOL is backed by the lamports of its account, beyond the rent it notes as its own.
    native = asset == _NATIVE
    reserve = b"\x01\0\0\0" + _RENT_TOKEN_ACCOUNT.to_bytes(8, "little") if native else bytes(12)
    data = b"".join(
        (
            bytes(Pubkey.from_string(asset.mint)),
            bytes(Pubkey.from_string(owner)),
            amount.to_bytes(8, "little"),
            bytes(36),  # no delegate
            b"\x01",  # initialized
            reserve,
            bytes(44),  # nothing delegated, no close authority
        )
    )
    if asset.token_program == TOKEN_2022:
        data += _IS_TOKEN_ACCOUNT + _extension(_IMMUTABLE_OWNER)
        data += _extension(_FEE_WITHHELD, bytes(8)) + _extension(_HOOK_ACCOUNT, bytes(1))
    lamports = _RENT_TOKEN_ACCOUNT + amount if native else None
    return GenesisAccount(address, asset.token_program, data, lamports)


def mint(asset: Asset, *, authority: str) -> GenesisAccount:
    """Return the mint of an asset; its supply is not counted on the localnet.

    Layout: https://docs.rs/spl-token/latest/spl_token/state/struct.Mint.html
    """
    supply = 0 if asset == _NATIVE else 2**62
    data = b"".join(
        (
            b"\x01\0\0\0" + bytes(Pubkey.from_string(authority)),
            supply.to_bytes(8, "little"),
            bytes((asset.decimals, 1)),
            bytes(36),  # no freeze authority
        )
    )
    if asset.token_program == TOKEN_2022:
        data += _MINT_PADDING + _IS_MINT + _mint_extensions(bytes(Pubkey.from_string(authority)))
    return GenesisAccount(asset.mint, asset.token_program, data)


def _mint_extensions(authority: bytes) -> bytes:
    return b"".join(
        (
            _extension(_CLOSE_AUTHORITY, authority),
            _extension(_PERMANENT_DELEGATE, authority),
            _extension(_FEE_CONFIG, authority + authority + _NO_FEES),
            _extension(_HOOK, authority + _NO_PROGRAM),
        )
    )


def _extension(kind: int, value: bytes = b"") -> bytes:
    return _EXTENSION.pack(kind, len(value)) + value
