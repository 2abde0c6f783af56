"""Wallets for tests: real keys that sign what they are given, as wallets of people do."""

from dataclasses import dataclass
from typing import Any, Protocol

from eth_account import Account
from eth_account.messages import encode_defunct
from solders.keypair import Keypair


class AnyWallet(Protocol):
    """A wallet with its chain's way to sign a text."""

    @property
    def chain(self) -> str:
        """Return the name of its chain in the API."""

    @property
    def address(self) -> str:
        """Return its address."""

    def sign(self, message: str) -> str:
        """Return its signature as the API takes it."""


@dataclass(frozen=True)
class SolanaWallet:
    """A wallet of Solana, made of a number."""

    number: int = 1
    chain = "solana"

    @property
    def keypair(self) -> Keypair:
        """Return its key."""
        return Keypair.from_seed(self.number.to_bytes(32, "big"))

    @property
    def address(self) -> str:
        """Return its address."""
        return str(self.keypair.pubkey())

    def sign(self, message: str) -> str:
        """Return its signature in base58."""
        return str(self.keypair.sign_message(message.encode()))


@dataclass(frozen=True)
class EvmWallet:
    """A wallet of EVM chains, made of a number."""

    number: int = 1
    chain = "evm"

    @property
    def account(self) -> Any:  # noqa: ANN401 the library's own
        """Return its key."""
        return Account.from_key(self.number.to_bytes(32, "big"))

    @property
    def address(self) -> str:
        """Return its address."""
        address: str = self.account.address
        return address

    def sign(self, message: str) -> str:
        """Return its signature in 0x hex."""
        signed = self.account.sign_message(encode_defunct(text=message))
        return "0x" + bytes(signed.signature).hex()
