"""Whether a contract takes a signature for its own: ERC-1271, asked of the chain.

https://eips.ethereum.org/EIPS/eip-1271: `isValidSignature(bytes32,bytes)` returns the magic value,
which is also the function's selector, as a `bytes4`: one word, zeros behind it. Anything else, the
identity precompile's echo of the call included, is a no.
"""

import asyncio
import re
from typing import Final

from quantdesk.chains.evm.rpc import Reverted, Rpc
from quantdesk.core.errors import Unavailable

_MAGIC: Final = bytes.fromhex("1626ba7e")
_WORD: Final = 32
_YES: Final = _MAGIC + bytes(_WORD - len(_MAGIC))
_HEX: Final = re.compile(r"0x([0-9a-fA-F]{2})*")
_QUANTITY: Final = re.compile(r"0x(0|[1-9a-fA-F][0-9a-fA-F]{0,15})")


class ContractWallets:
    """The contracts of one chain, by its EIP-155 number, which the node is held to each time."""

    def __init__(self, rpc: Rpc, *, chain_id: int) -> None:
        self._rpc = rpc
        self._chain_id = chain_id

    @property
    def chain_id(self) -> int:
        """Return the number of the chain that is asked."""
        return self._chain_id

    async def accepts(self, address: str, *, digest: bytes, signature: bytes) -> bool:
        """Return whether the contract at an address takes this for its signature of the hash.

        Raises `Unavailable` (`evm.unavailable`, `.unreadable`, `.busy`, `.chain`: the node is of
        another chain).
        """
        call = {"to": address, "data": "0x" + _called(digest, signature).hex()}
        chain_id, said = await asyncio.gather(
            self._rpc.ask("eth_chainId", answer=str), self._call(call)
        )
        if not _QUANTITY.fullmatch(chain_id) or int(chain_id, 16) != self._chain_id:
            raise Unavailable(
                f"the EVM node is not of chain {self._chain_id}: check evm.rpc_url",
                code="evm.chain",
            )
        return said[:_WORD] == _YES

    async def _call(self, call: dict[str, str]) -> bytes:
        try:
            said = await self._rpc.ask("eth_call", call, "latest", answer=str)
        except Reverted:
            return b""
        if not _HEX.fullmatch(said):
            raise Unavailable("the EVM node answers no bytes", code="evm.unreadable")
        return bytes.fromhex(said[2:])


def _called(digest: bytes, signature: bytes) -> bytes:
    """Return the call's data: https://docs.soliditylang.org/en/latest/abi-spec.html."""
    padding = bytes(-len(signature) % _WORD)
    offset, length = (2 * _WORD).to_bytes(_WORD, "big"), len(signature).to_bytes(_WORD, "big")
    return _MAGIC + digest + offset + length + signature + padding
