"""The signed form of Pyth's prices: the binary that goes on chain beside the parsed numbers; pure.

    "PNAU" major minor │ u8 length, more header │ u8 kind 0 │ u16 length, VAA
    u8 count, then of each: u16 length, message │ u8 count, 20 bytes a node of its Merkle proof

    VAA      see `words/vaa.py`
    payload  "AUWV" │ u8 kind 0 │ u64 slot │ u32 ring │ 20 bytes root
    message  u8 kind 0 │ feed 32 │ i64 price │ u64 conf │ i32 expo │ i64 publish time │ i64 the one
             before │ i64 ema │ u64 its conf

All integers are big-endian. A leaf is keccak256(0x00 message), a node keccak256(0x01 lesser
greater), both cut to 20 bytes.

What is proven here is that a message belongs to the root in the VAA. That finds parsed numbers that
differ from the binary, and messages damaged or mixed up on the way. **Who signed the VAA is not
verified here**: a server that makes up a whole binary is found by `words/signatures.py`.

Layout: https://github.com/pyth-network/pyth-crosschain, target_chains/ethereum/contracts
(PythAccumulator.sol) and pythnet/pythnet_sdk (wire/v1.rs, accumulators/merkle.rs).
"""

from struct import Struct
from typing import Final

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words import vaa
from quantdesk.sources.words.keccak import keccak256
from quantdesk.sources.words.vaa import Vaa

MAGIC: Final = b"PNAU"
ROOT_MAGIC: Final = b"AUWV"
HASH_BYTES: Final = 20

MESSAGE: Final = Struct(">B32sqQiqqqQ")
"""Message of one price feed: kind, feed, price, conf, expo, times, ema, its conf."""
PAYLOAD: Final = Struct(f">4sBQI{HASH_BYTES}s")
_U8: Final = Struct(">B")
_U16: Final = Struct(">H")
_MAJOR: Final = 1
_BY_MERKLE: Final = 0
_PRICE_FEED: Final = 0


class Leaf(msgspec.Struct, frozen=True):
    """A message and the nodes that lead from it to the root."""

    message: bytes
    proof: tuple[bytes, ...]


class Signed(msgspec.Struct, frozen=True):
    """What one binary holds: the root its VAA carries, of which slot, and messages below it."""

    slot: int
    root: bytes
    leaves: tuple[Leaf, ...]
    vaa: Vaa


class Proven(msgspec.Struct, frozen=True):
    """A price as the binary has it: integers times 10^expo, `publish_time` in Unix seconds.

    `vaa` is what its root came in.
    """

    feed: str
    price: int
    conf: int
    expo: int
    publish_time: int
    slot: int
    vaa: Vaa


def read(binary: bytes) -> Signed:
    """Return what a binary holds; raise `Corrupt` (`proof.invalid`) when it is not of that form."""
    at = _Reader(binary)
    if at.take(len(MAGIC)) != MAGIC or at.number(_U8) != _MAJOR:
        raise _broken("it does not begin as one")
    at.number(_U8)  # a later minor version adds to the header and nothing else
    at.take(at.number(_U8))
    if at.number(_U8) != _BY_MERKLE:
        raise _broken("it proves by something else than a Merkle tree")
    envelope = vaa.read(at.take(at.number(_U16)))
    slot, root = _root(envelope.payload)
    leaves = tuple(_leaf(at) for _ in range(at.number(_U8)))
    if not at.ended:
        raise _broken("it goes on behind its end")
    return Signed(slot, root, leaves, envelope)


def proven(signed: Signed, feed: str) -> Proven | None:
    """Return the price of a feed, None when the binary holds none of it.

    Raises `Corrupt` (`proof.invalid`) when its message does not belong to the root.
    """
    for leaf in signed.leaves:
        message = leaf.message
        if len(message) < MESSAGE.size or message[0] != _PRICE_FEED:
            continue
        _, found, price, conf, expo, publish_time, *_ = MESSAGE.unpack_from(message)
        if found.hex() == feed:
            if climbed(leaf) != signed.root:
                raise _broken(f"the proof of feed {feed} leads to another root")
            return Proven(feed, price, conf, expo, publish_time, signed.slot, signed.vaa)
    return None


def climbed(leaf: Leaf) -> bytes:
    """Return the root that a message and its proof lead to."""
    found = leaf_hash(leaf.message)
    for node in leaf.proof:
        found = node_hash(found, node)
    return found


def leaf_hash(message: bytes) -> bytes:
    """Return the hash of a message in the tree."""
    return keccak256(b"\x00" + message)[:HASH_BYTES]


def node_hash(one: bytes, other: bytes) -> bytes:
    """Return the hash of two nodes, whichever comes first."""
    return keccak256(b"\x01" + min(one, other) + max(one, other))[:HASH_BYTES]


def _root(payload: bytes) -> tuple[int, bytes]:
    if len(payload) != PAYLOAD.size:
        raise _broken("its VAA carries no Merkle root")
    magic, kind, slot, _, root = PAYLOAD.unpack(payload)
    if (magic, kind) != (ROOT_MAGIC, _BY_MERKLE):
        raise _broken("its VAA carries no Merkle root")
    return slot, root


def _leaf(at: "_Reader") -> Leaf:
    message = at.take(at.number(_U16))
    return Leaf(message, tuple(at.take(HASH_BYTES) for _ in range(at.number(_U8))))


class _Reader:
    """Takes bytes off the front, as many as there are and no more."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def ended(self) -> bool:
        return self._at == len(self._data)

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise _broken("it ends too early")
        taken, self._at = self._data[self._at : end], end
        return taken

    def number(self, of: Struct) -> int:
        value: int = of.unpack(self.take(of.size))[0]
        return value


def _broken(why: str) -> Corrupt:
    return Corrupt(f"not a Pyth accumulator update: {why}", code="proof.invalid")
