"""Guardians of tests: keys anybody knows, whose signatures on VAAs are real ones.

A desk of a flow takes them for Wormhole's by `--set sources.wormhole_guardians=` and `SETTING`.
"""

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final

from eth_keys.datatypes import PrivateKey

from quantdesk.sources.words.keccak import keccak256
from quantdesk.sources.words.signers import WORMHOLE
from quantdesk.sources.words.vaa import BODY, HEAD, SIGNATURE, VERSION, Emitter

SET_INDEX: Final = 1_000
"""Far from every index that Wormhole has come to."""
QUORUM: Final = (0, 1, 2)
_KEYS: Final = tuple(PrivateKey(keccak256(b"test guardian %d" % place)) for place in range(4))
Form = tuple[int, int, int]
"""Recovery id, r and s."""


@cache
def address(place: int) -> bytes:
    """Return the address of one of the four guardians."""
    return keccak256(_KEYS[place].public_key.to_bytes())[-20:]


SETTING: Final = f"{SET_INDEX}:" + "+".join(f"0x{address(place).hex()}" for place in range(4))


def body(payload: bytes, *, emitter: Emitter = WORMHOLE.emitter) -> bytes:
    """Return the body of a VAA, all its numbers zero."""
    return BODY.pack(0, 0, emitter.chain, emitter.address, 0, 0) + payload


def sign(said: bytes, place: int) -> Form:
    """Return a guardian's signature on a body."""
    signature = _KEYS[place].sign_msg_hash(keccak256(keccak256(said)))
    return signature.v, signature.r, signature.s


def vaa(said: bytes, forms: Sequence[tuple[int, Form]], *, set_index: int = SET_INDEX) -> bytes:
    """Return a VAA of a body and of signatures, each with the place it claims."""
    signatures = b"".join(
        SIGNATURE.pack(place, r.to_bytes(32) + s.to_bytes(32), v) for place, (v, r, s) in forms
    )
    return HEAD.pack(VERSION, set_index, len(forms)) + signatures + said


def signed(payload: bytes, *, by: Iterable[int] = QUORUM) -> bytes:
    """Return a VAA that these guardians signed."""
    said = body(payload)
    return vaa(said, [(place, sign(said, place)) for place in by])
