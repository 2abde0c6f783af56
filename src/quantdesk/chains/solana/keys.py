"""The wallet's key, kept in a file only its owner may read, and the wallet's token accounts.

File format: the JSON array of 64 bytes that `solana-keygen` writes, secret first, then public key.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

import msgspec
from solders.keypair import Keypair
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.token.associated import get_associated_token_address

from quantdesk.chains.port import Wallet
from quantdesk.core import secret_file
from quantdesk.core.assets import ASSETS, Asset
from quantdesk.core.errors import Refused

SEED_BYTES: Final = 32


class Signer(Protocol):
    """What signs for a wallet: its key, or a vault that holds it for a while."""

    def pubkey(self) -> Pubkey:
        """Return the wallet's address."""

    def sign_message(self, message: bytes) -> Signature:
        """Return the signature of a message; raise `Refused` (`wallet.locked`)."""


def load(path: Path) -> Keypair:
    """Return the key in a file.

    Raises `Refused`: `key.missing`, `key.mode` (anyone but its owner may touch the file),
    `key.unreadable` (not a key file).
    """
    return _keypair(secret_file.read(path), path)


def make(path: Path, *, entropy: Callable[[int], bytes]) -> Keypair:
    """Make a key from 32 random bytes and return it once it is safe on disk, mode 0600.

    Raises `Refused` (`key.exists`) rather than overwrite a key.
    """
    keypair = Keypair.from_seed(entropy(SEED_BYTES))
    secret_file.create(path, msgspec.json.encode(list(bytes(keypair))))
    return keypair


def wallet(address: str) -> Wallet:
    """Return the wallet of an address with its associated token account of each asset.

    SOL's is that of wrapped SOL. Derivation: https://spl.solana.com/associated-token-account
    """
    owner = Pubkey.from_string(address)
    return Wallet(
        address=address,
        token_accounts={symbol: _token_account(owner, asset) for symbol, asset in ASSETS.items()},
    )


def _token_account(owner: Pubkey, asset: Asset) -> str:
    mint, program = Pubkey.from_string(asset.mint), Pubkey.from_string(asset.token_program)
    return str(get_associated_token_address(owner, mint, program))


def _keypair(text: bytes, path: Path) -> Keypair:
    try:
        content = bytes(msgspec.json.decode(text, type=list[int]))
        keypair = Keypair.from_seed(content[:SEED_BYTES])
    except (msgspec.DecodeError, ValueError, OverflowError):
        raise Refused(f"{path} is not a Solana key file", code="key.unreadable") from None
    if bytes(keypair) != content:
        raise Refused(f"{path}: public and secret key do not match", code="key.unreadable")
    return keypair
