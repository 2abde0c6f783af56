"""Access tokens: JSON Web Tokens (RFC 7519) that name a session; whether it is open is not in them.

    {"alg":"Ed25519","kid":…,"typ":"JWT"} . {"iss","aud","sub","sid","iat","exp","jti"} . signature

EdDSA over Ed25519 under the name of RFC 9864, and nothing else: what a token says of its algorithm
chooses no code (RFC 8725 §3.1), and keys come from the desk alone, never from a header.
"""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OKPKey

from quantdesk.access.tokens.signing import SigningKeys

ALGORITHM: Final = "Ed25519"
ISSUER: Final = "quantdesk"
BYTES_MAX: Final = 2_048
"""A longer one is none of ours."""
_VERIFIED_MAX: Final = 20_000
_SKEW_MS: Final = 5_000
"""How far the clocks of the desk's processes may be apart."""


class Verified(msgspec.Struct, frozen=True, gc=False):
    """What a token says, once its signature was right; times are Unix milliseconds."""

    session_id: UUID
    account_id: UUID
    issued_ms: int
    expires_ms: int


class Tokens:
    """Signs tokens and reads them; what was verified is remembered by its digest."""

    def __init__(self, keys: SigningKeys, *, audience: str, token_ms: int) -> None:
        self._keys = keys
        self._audience = audience
        self._token_ms = token_ms
        self._verified: dict[bytes, Verified] = {}
        self._generation = keys.generation

    def make(
        self, *, account_id: UUID, session_id: UUID, token_id: UUID, now_ms: int
    ) -> tuple[str, int]:
        """Return a token of a session, and when it expires (Unix milliseconds)."""
        expires_s = (now_ms + self._token_ms) // 1000
        signing = self._keys.signer()
        claims = {
            "iss": ISSUER,
            "aud": self._audience,
            "sub": str(account_id),
            "sid": str(session_id),
            "iat": now_ms // 1000,
            "exp": expires_s,
            "jti": str(token_id),
        }
        header = {"alg": ALGORITHM, "kid": signing.kid}
        token = jwt.encode(header, claims, signing.key, algorithms=[ALGORITHM])
        return token, expires_s * 1000

    def read(self, token: str, *, now_ms: int) -> Verified | None:
        """Return what a token says; None when it is not ours, is expired, or was tampered with."""
        if self._generation != self._keys.generation:
            self._verified.clear()
            self._generation = self._keys.generation
        name = sha256(token.encode("utf-8", "surrogatepass")).digest()
        found = self._verified.get(name)
        if found is None:
            found = self._verify(token, now_ms=now_ms)
            if found is None:
                return None
            if len(self._verified) >= _VERIFIED_MAX:
                del self._verified[next(iter(self._verified))]  # the oldest
            self._verified[name] = found
        return found if now_ms < found.expires_ms else None

    def _verify(self, token: str, *, now_ms: int) -> Verified | None:
        if len(token) > BYTES_MAX or token.count(".") != 2:  # noqa: PLR2004 - a JWS's three parts
            return None
        try:
            read = jwt.decode(token, self._key, algorithms=[ALGORITHM])
        except (JoseError, ValueError):  # ValueError: what is no base64, JSON or UTF-8
            return None
        if read.header.get("typ") != "JWT":
            return None
        return _claimed(read.claims, audience=self._audience, now_ms=now_ms)

    def _key(self, signed: Any) -> OKPKey:  # noqa: ANN401 - a type joserfc does not export
        key = self._keys.verifier(signed.headers().get("kid"))
        if key is None:
            raise JoseError("the desk has no such key")
        return key


def _claimed(claims: Mapping[str, Any], *, audience: str, now_ms: int) -> Verified | None:
    if claims.get("iss") != ISSUER or claims.get("aud") != audience:
        return None
    issued, expires = claims.get("iat"), claims.get("exp")
    if type(issued) is not int or type(expires) is not int:
        return None
    if issued * 1000 > now_ms + _SKEW_MS:
        return None
    try:
        return Verified(UUID(claims["sid"]), UUID(claims["sub"]), issued * 1000, expires * 1000)
    except (KeyError, ValueError, AttributeError, TypeError):
        return None
