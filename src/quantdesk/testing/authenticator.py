"""An authenticator and its browser, in software: makes passkeys and answers challenges with them.

Writes the structures of https://www.w3.org/TR/webauthn-3/ byte by byte: client data (§5.8.1),
authenticator data (§6.1), attested credential data (§6.5.1) with a COSE_Key (RFC 9053), and the
attestation "none" (§8.7). On a `BadDay` it does what an attacker's or a broken one would.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.hashes import SHA256

Algorithm = Literal["ES256", "Ed25519"]
_ALG: Final[Mapping[Algorithm, int]] = {"ES256": -7, "Ed25519": -8}
_UP, _UV, _AT = 0x01, 0x04, 0x40
_AAGUID: Final = bytes(16)


@dataclass(frozen=True, slots=True, kw_only=True)
class BadDay:
    """What goes wrong in one answer; as it stands, nothing does."""

    origin: str | None = None
    rp_id: str | None = None
    challenge: str | None = None
    user_handle: str | None = None
    verified: bool = True
    present: bool = True
    cross_origin: bool = False
    count_by: int = 1
    kind: str | None = None
    other_key: bool = False


_GOOD: Final = BadDay()


@dataclass(slots=True)
class _Kept:
    rp_id: str
    user_handle: str
    number: int
    count: int = 0


class Authenticator:
    """One authenticator; its keys follow from its seed. `counts` False: it has no counter."""

    def __init__(
        self, seed: str = "one", *, algorithm: Algorithm = "ES256", counts: bool = True,
        origin: str = "https://desk.example",
    ) -> None:  # fmt: skip
        self._seed = seed
        self._algorithm = algorithm
        self._counts = counts
        self._origin = origin
        self._kept: dict[bytes, _Kept] = {}

    def create(self, options: Mapping[str, Any], day: BadDay = _GOOD) -> dict[str, Any]:
        """Return what `navigator.credentials.create` does for these options, as JSON."""
        assert {"type": "public-key", "alg": _ALG[self._algorithm]} in options["pubKeyCredParams"]
        kept = _Kept(options["rp"]["id"], options["user"]["id"], len(self._kept))
        credential_id = self._digest(f"id:{kept.number}")
        assert _b64(credential_id) not in {one["id"] for one in options["excludeCredentials"]}
        self._kept[credential_id] = kept
        attested = (
            _AAGUID + struct.pack(">H", len(credential_id)) + credential_id + self._cose(kept)
        )
        data = self._data(kept, day, flags=_AT) + attested
        statement = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        return _json(
            credential_id,
            clientDataJSON=self._client_data("webauthn.create", options["challenge"], day),
            attestationObject=statement,
        )

    def get(self, options: Mapping[str, Any], day: BadDay = _GOOD) -> dict[str, Any]:
        """Return what `navigator.credentials.get` does for these options, as JSON."""
        credential_id = self._chosen(options)
        kept = self._kept[credential_id]
        kept.count += day.count_by if self._counts else 0
        said = self._client_data("webauthn.get", options["challenge"], day)
        data = self._data(kept, day)
        signer = replace(kept, number=kept.number + 1) if day.other_key else kept
        signature = self._sign(signer, data + hashlib.sha256(said).digest())
        answer = _json(
            credential_id, clientDataJSON=said, authenticatorData=data, signature=signature
        )
        answer["response"]["userHandle"] = day.user_handle or kept.user_handle
        return answer

    def _chosen(self, options: Mapping[str, Any]) -> bytes:
        allowed = {one["id"] for one in options["allowCredentials"]}
        fitting = [
            credential_id
            for credential_id, kept in self._kept.items()
            if kept.rp_id == options["rpId"] and (not allowed or _b64(credential_id) in allowed)
        ]
        assert fitting, "this authenticator has no such passkey"
        return fitting[0]

    def _client_data(self, kind: str, challenge: str, day: BadDay) -> bytes:
        said = {
            "type": day.kind or kind,
            "challenge": day.challenge or challenge,
            "origin": day.origin or self._origin,
            "crossOrigin": day.cross_origin,
        }
        return json.dumps(said, separators=(",", ":")).encode()

    def _data(self, kept: _Kept, day: BadDay, *, flags: int = 0) -> bytes:
        flags |= (_UP if day.present else 0) | (_UV if day.verified else 0)
        rp_id = day.rp_id or kept.rp_id
        return hashlib.sha256(rp_id.encode()).digest() + struct.pack(">BI", flags, kept.count)

    def _sign(self, kept: _Kept, message: bytes) -> bytes:
        if self._algorithm == "Ed25519":
            return self._ed25519(kept).sign(message)
        return self._p256(kept).sign(message, ec.ECDSA(SHA256()))

    def _cose(self, kept: _Kept) -> bytes:
        if self._algorithm == "Ed25519":
            x = self._ed25519(kept).public_key().public_bytes_raw()
            return cbor2.dumps({1: 1, 3: -8, -1: 6, -2: x})
        point = self._p256(kept).public_key().public_numbers()
        x, y = point.x.to_bytes(32, "big"), point.y.to_bytes(32, "big")
        return cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})

    def _ed25519(self, kept: _Kept) -> ed25519.Ed25519PrivateKey:
        return ed25519.Ed25519PrivateKey.from_private_bytes(self._digest(f"key:{kept.number}"))

    def _p256(self, kept: _Kept) -> ec.EllipticCurvePrivateKey:
        # One bit short of the order of the group, so that every digest is a key.
        number = int.from_bytes(self._digest(f"key:{kept.number}"), "big") >> 1
        return ec.derive_private_key(number, ec.SECP256R1())

    def _digest(self, what: str) -> bytes:
        return hashlib.sha256(f"{self._seed}/{what}".encode()).digest()


def _json(credential_id: bytes, **response: bytes) -> dict[str, Any]:
    return {
        "id": _b64(credential_id),
        "rawId": _b64(credential_id),
        "type": "public-key",
        "response": {name: _b64(value) for name, value in response.items()},
        "authenticatorAttachment": "platform",
        "clientExtensionResults": {},
    }


def _b64(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
