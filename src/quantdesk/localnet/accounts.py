"""Accounts the localnet starts with; pools, mints and wallets are described in these."""

from dataclasses import dataclass
from typing import Final

from solders.pubkey import Pubkey

from quantdesk.core.assets import ASSETS, Asset

SPL_PROGRAM: Final = "TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA"
SYSTEM_PROGRAM: Final = "11111111111111111111111111111111"
# Lamports of 165 bytes: https://solana.com/docs/core/accounts
_RENT_TOKEN_ACCOUNT: Final = 2_039_280
_NATIVE: Final = ASSETS["SOL"]


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
    lamports = _RENT_TOKEN_ACCOUNT + amount if native else None
    return GenesisAccount(address, SPL_PROGRAM, data, lamports)


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
    return GenesisAccount(asset.mint, SPL_PROGRAM, data)
