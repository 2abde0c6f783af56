"""Port of contract wallets: whether one accepts a signature is its chain's to say (ERC-1271)."""

from typing import Protocol


class ContractWallets(Protocol):
    """Asks the contracts of one EVM chain."""

    @property
    def chain_id(self) -> int:
        """Return the EIP-155 number of the chain that is asked."""

    async def accepts(self, address: str, *, digest: bytes, signature: bytes) -> bool:
        """Return whether the contract at an address takes this for its signature of the hash.

        Raises `Unavailable` (`evm.*`) when the chain does not say: that is never a yes.
        """
