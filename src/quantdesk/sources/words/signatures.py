"""Whether enough of the right signers signed a VAA, by the rules of the contract on chain; pure.

A VAA proves what it says when its emitter is one that signs Pyth's roots, its set of signers is
known here, signers rise from one signature to the next (so nobody counts twice), each signature
recovers to the address in that place, and a quorum of the set signed. As little as one signature
too many that does not hold makes it invalid, as on chain.

Stricter than the chain in one thing: `s` must be in the lower half, as every guardian writes it,
so that a signature has one form. Addresses, recovery and quorum:
https://github.com/wormhole-foundation/wormhole/blob/main/ethereum/contracts/Messages.sol
"""

from functools import lru_cache
from typing import Final

import msgspec
from eth_keys.datatypes import Signature as Recoverable
from eth_keys.exceptions import BadSignature

from quantdesk.core.errors import Corrupt
from quantdesk.sources.words.keccak import keccak256
from quantdesk.sources.words.signers import ADDRESS_BYTES, Known
from quantdesk.sources.words.vaa import Signature, Vaa

_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
"""Of secp256k1: https://www.secg.org/sec2-v2.pdf, 2.4.1."""
_RECOVERIES: Final = (0, 1)
KEPT_MAX: Final = 1024


class Attested(msgspec.Struct, frozen=True):
    """A VAA that a quorum of a known set signed; `until_s` as of the set."""

    network: str
    set_index: int
    signatures: int
    signers: int
    until_s: int | None

    def __str__(self) -> str:
        return f"{self.signatures} of {self.signers} of {self.network} set {self.set_index}"


class Unknown(msgspec.Struct, frozen=True):
    """A VAA that names a set of signers which this desk does not know: nothing is said of it."""

    network: str
    set_index: int

    def __str__(self) -> str:
        return f"{self.network} set {self.set_index}, which this desk does not know"


class Attestations:
    """Says by whom VAAs are signed; the latest `KEPT_MAX` verdicts are remembered. Thread-safe."""

    def __init__(self, known: Known) -> None:
        self._known = known
        self._verdict = lru_cache(KEPT_MAX)(self._judged)

    def of(self, vaa: Vaa) -> Attested | Unknown:
        """Return by whom; takes and raises what `attested` does, the first time."""
        verdict = self._verdict(vaa)
        if isinstance(verdict, Corrupt):
            raise Corrupt(verdict.detail, code=verdict.code)
        return verdict

    def _judged(self, vaa: Vaa) -> Attested | Unknown | Corrupt:
        try:
            return attested(vaa, self._known)
        except Corrupt as problem:
            return problem


def attested(vaa: Vaa, known: Known) -> Attested | Unknown:
    """Return by whom a VAA is signed.

    Takes 5 ms a signature where eth-keys has no native library beside it: not for the event loop.
    Raises `Corrupt` (`proof.invalid`) when its signatures do not hold or are too few, or its
    emitter is none of Pyth's.
    """
    if vaa.emitter not in known:
        raise _refuted(f"{vaa.emitter} does not emit Pyth's roots")
    network, sets = known[vaa.emitter]
    if vaa.set_index not in sets:
        return Unknown(network.name, vaa.set_index)
    signers = sets[vaa.set_index]
    enough, given = network.quorum(len(signers.addresses)), len(vaa.signatures)
    if given < enough:
        raise _refuted(f"{given} signatures of the {enough} it needs")
    _check_order(vaa.signatures, len(signers.addresses))
    digest = vaa.digest
    for signature in vaa.signatures:
        if _recovered(digest, signature) != signers.addresses[signature.signer]:
            raise _refuted(
                f"a signature is not by signer {signature.signer}"
                f" of {network.name} set {vaa.set_index}"
            )
    return Attested(network.name, vaa.set_index, given, len(signers.addresses), signers.until_s)


def _check_order(signatures: tuple[Signature, ...], signers: int) -> None:
    """Raise `Corrupt` unless signers rise and are of the set."""
    last = -1
    for signature in signatures:
        if not last < signature.signer < signers:
            raise _refuted(f"signer {signature.signer} of {signers} comes after signer {last}")
        last = signature.signer


def _recovered(digest: bytes, signature: Signature) -> bytes:
    """Return the address that signed, empty when no key can have."""
    r = int.from_bytes(signature.r_and_s[:32])
    s = int.from_bytes(signature.r_and_s[32:])
    if not (0 < r < _ORDER and 0 < s <= _ORDER // 2 and signature.recovery in _RECOVERIES):
        return b""
    try:
        key = Recoverable(vrs=(signature.recovery, r, s)).recover_public_key_from_msg_hash(digest)
    except BadSignature:  # no point of the curve, or the one at infinity
        return b""
    return keccak256(key.to_bytes())[-ADDRESS_BYTES:]


def _refuted(why: str) -> Corrupt:
    return Corrupt(f"the VAA is not signed as it must be: {why}", code="proof.invalid")
