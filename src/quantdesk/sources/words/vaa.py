"""The envelope that Pyth's Merkle roots come signed in: a VAA of Wormhole, version 1; pure.

    u8 version 1 │ u32 index of the signer set │ u8 count, then of each signature: u8 index of the
    signer, 32 bytes r, 32 bytes s, u8 recovery id │ body

    body     u32 time │ u32 nonce │ u16 chain and 32 bytes address of the emitter │ u64 sequence
             │ u8 consistency │ payload

All integers are big-endian. Signed is keccak256(keccak256(body)). Taken apart for
`words/accumulator.py`, held against its signers by `words/signatures.py`.

Layout: https://github.com/wormhole-foundation/wormhole/blob/main/whitepapers/0001_generic_message_passing.md
"""

from struct import Struct
from typing import Final

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words.keccak import keccak256

VERSION: Final = 1
HEAD: Final = Struct(">BIB")
SIGNATURE: Final = Struct(">B64sB")
BODY: Final = Struct(">IIH32sQB")


class Emitter(msgspec.Struct, frozen=True):
    """Who a message is from: a chain by Wormhole's number, and an address on it."""

    chain: int
    address: bytes

    def __str__(self) -> str:
        return f"chain {self.chain}, address {self.address.hex()}"


class Signature(msgspec.Struct, frozen=True):
    """A signature and the place in its set of whom it claims to be by."""

    signer: int
    r_and_s: bytes
    recovery: int


class Vaa(msgspec.Struct, frozen=True):
    """A message, who it is from, and what claims to be signatures on it."""

    set_index: int
    signatures: tuple[Signature, ...]
    emitter: Emitter
    body: bytes

    @property
    def payload(self) -> bytes:
        """Return what the emitter said."""
        return self.body[BODY.size :]

    @property
    def digest(self) -> bytes:
        """Return what its signers sign, 32 bytes."""
        return keccak256(keccak256(self.body))


def read(data: bytes) -> Vaa:
    """Return what a VAA holds, nothing of it verified; raise `Corrupt` (`proof.invalid`)."""
    if len(data) < HEAD.size:
        raise _broken("it ends too early")
    version, set_index, count = HEAD.unpack_from(data)
    if version != VERSION:
        raise _broken(f"it is of version {version}")
    body = data[HEAD.size + count * SIGNATURE.size :]
    if len(body) < BODY.size:
        raise _broken("it ends too early")
    signed = data[HEAD.size : -len(body)]
    _, _, chain, address, _, _ = BODY.unpack_from(body)
    signatures = tuple(Signature(*fields) for fields in SIGNATURE.iter_unpack(signed))
    return Vaa(set_index, signatures, Emitter(chain, address), body)


def _broken(why: str) -> Corrupt:
    return Corrupt(f"not a VAA: {why}", code="proof.invalid")
