"""Whether a signature is a wallet's. Pure.

Solana signs the bytes of the text with Ed25519 (RFC 8032), checked strictly: no `S` at or above the
group's order, no key of small order, which would sign whatever anybody says. EVM keys sign the
text's EIP-191 hash with secp256k1, https://eips.ethereum.org/EIPS/eip-191; of the two signatures
that a key's `r` allows only the one of low `s` counts,
https://eips.ethereum.org/EIPS/eip-2.
"""

import re
from typing import Final

from eth_keys.exceptions import BadSignature
from eth_keys.main import KeyAPI
from eth_utils.crypto import keccak
from solders.pubkey import Pubkey
from solders.signature import Signature

_HEX: Final = re.compile(r"0x([0-9a-fA-F]{2})+")
_EVM_BYTES: Final = 65
_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_PARITIES: Final = {0: 0, 1: 1, 27: 0, 28: 1}  # some hardware wallets do not add 27

_KEYS: Final = KeyAPI()


def signed_on_solana(address: str, message: bytes, signature: str) -> bool:
    """Return whether the key of an address made this signature, written in base58."""
    try:
        return Signature.from_string(signature).verify(Pubkey.from_string(address), message)
    except ValueError:
        return False


def evm_bytes(signature: str) -> bytes | None:
    """Return the bytes of a signature in 0x hex, None when it is not."""
    return bytes.fromhex(signature[2:]) if _HEX.fullmatch(signature) else None


def personal_hash(message: bytes) -> bytes:
    """Return what an EVM wallet signs of a text: its hash as EIP-191 version 0x45."""
    return keccak(b"\x19Ethereum Signed Message:\n%d%b" % (len(message), message))


def evm_signer(digest: bytes, signature: bytes, *, keys: KeyAPI = _KEYS) -> str | None:
    """Return the address whose key signed a hash, None when no key did."""
    if len(signature) != _EVM_BYTES or (parity := _PARITIES.get(signature[64])) is None:
        return None
    r, s = int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:64], "big")
    if not (0 < r < _ORDER and 0 < s <= _ORDER // 2):
        return None
    try:
        key = keys.ecdsa_recover(digest, keys.Signature(vrs=(parity, r, s)))
    except BadSignature:
        return None
    return key.to_checksum_address()
