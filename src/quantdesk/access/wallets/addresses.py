"""Addresses in the one way each chain writes them. Pure.

Solana: base58 of 32 bytes. EVM: EIP-55, https://eips.ethereum.org/EIPS/eip-55.
"""

import re
from typing import Final

from eth_utils.address import to_checksum_address
from solders.pubkey import Pubkey

from quantdesk.access.wallets.model import ChainName
from quantdesk.core.errors import Refused

_EVM: Final = re.compile(r"0x[0-9a-fA-F]{40}")
_BASE58: Final = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


def canonical(chain: ChainName, address: str) -> str:
    """Return an address as its chain writes it; raise `Refused` (`wallet.address`)."""
    return _solana(address) if chain is ChainName.SOLANA else _evm(address)


def chain_of(address: str) -> ChainName:
    """Return the only chain an address could be of."""
    return ChainName.EVM if address.startswith("0x") else ChainName.SOLANA


def read(text: str) -> tuple[ChainName, str]:
    """Return chain and address of what somebody typed; raise `Refused` (`wallet.address`)."""
    chain = chain_of(text)
    return chain, canonical(chain, text)


def shortened(address: str) -> str:
    """Return an address as people tell two apart."""
    return f"{address[:6]}…{address[-4:]}"


def _solana(address: str) -> str:
    if not _BASE58.fullmatch(address):
        raise _malformed("a Solana address is base58 of 32 bytes")
    try:
        return str(Pubkey.from_string(address))
    except ValueError:
        raise _malformed("a Solana address is base58 of 32 bytes") from None


def _evm(address: str) -> str:
    if not _EVM.fullmatch(address):
        raise _malformed("an EVM address is 0x and 40 hexadecimal digits")
    written: str = to_checksum_address(address)
    digits = address[2:]
    if address != written and digits not in (digits.lower(), digits.upper()):
        raise _malformed("the capitals of this address are not its EIP-55 checksum")
    return written


def _malformed(detail: str) -> Refused:
    return Refused(detail, code="wallet.address")
