"""A provider over the network: where to send the browser, and who came back.

    authorize ─ browser ─▶ code ─ token endpoint (PKCE) ─▶ ID token, checked ─▶ Identity

The code is exchanged by authlib; an ID token counts only when it is signed by a key of the
provider's own set with an asymmetric algorithm, and is about this client, this request and now.

https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
https://www.rfc-editor.org/rfc/rfc7636 (PKCE), https://www.rfc-editor.org/rfc/rfc9207 (mix-up)
"""

from typing import Any, Final

import httpx2
import msgspec
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from quantdesk.access.oauth.bounded import Bounded
from quantdesk.access.oauth.provider import Identity, Provider
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable

TIMEOUT_S: Final = 10.0
_KEPT_S: Final = 3600.0
_KEYS_AGAIN_S: Final = 60.0  # a key nobody knows is looked for at most so often
_SIGNED: Final = ("RS256", "PS256", "ES256", "RS384", "ES384", "RS512", "ES512", "EdDSA", "Ed25519")
_LEEWAY_S: Final = 60
_SUBJECT_MAX: Final = 255
_EMAIL_MAX: Final = 254
_NAME_MAX: Final = 100


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One sign-in under way: what the provider must hand back unchanged, and the PKCE verifier."""

    state: str
    nonce: str
    verifier: str
    redirect_uri: str


class _Metadata(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str = ""
    authorization_response_iss_parameter_supported: bool = False


class Client:
    """One provider; `transport` is the network's unless a test says otherwise."""

    def __init__(
        self,
        provider: Provider,
        *,
        clock: Clock,
        transport: httpx2.AsyncBaseTransport | None = None,
    ) -> None:
        self.provider = provider
        self._clock = clock
        self._transport = Bounded(transport)
        self._metadata: _Metadata | None = None
        self._keys: jwk.KeySet | None = None
        self._known_s = self._keys_s = float("-inf")

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def authorize_url(self, asked: Asked) -> str:
        """Return where the browser goes; raise `Unavailable` (`oauth.unavailable`)."""
        metadata = await self._discovered()
        client = self._client(asked)
        more = {"nonce": asked.nonce} if self.provider.discovered else {}
        url, _ = client.create_authorization_url(
            metadata.authorization_endpoint,
            state=asked.state,
            code_verifier=asked.verifier,
            **more,
        )
        return str(url)

    async def identity(self, asked: Asked, *, code: str, issuer: str | None) -> Identity:
        """Return who came back with this code; `issuer` is the answer's own `iss`, if it had one.

        Raises `Refused` (`oauth.refused`: the code; `oauth.token`: the ID token; `oauth.issuer`:
        another provider answered) or `Unavailable` (`oauth.unavailable`).
        """
        metadata = await self._discovered()
        expected = issuer is not None or metadata.authorization_response_iss_parameter_supported
        if expected and issuer != metadata.issuer:
            raise Refused("the answer is of another provider", code="oauth.issuer")
        token = await self._exchanged(asked, metadata, code)
        if self.provider.discovered:
            return await self._identity_of(token.get("id_token"), asked, metadata)
        return await self._asked_for(token)

    async def _exchanged(self, asked: Asked, metadata: _Metadata, code: str) -> dict[str, Any]:
        try:
            token: dict[str, Any] = await self._client(asked).fetch_token(
                metadata.token_endpoint, code=code, code_verifier=asked.verifier
            )
        except OAuthError as problem:
            raise Refused(
                f"{self.provider.name} did not take its code back: {problem.error}",
                code="oauth.refused",
            ) from None
        except (httpx2.HTTPError, ValueError) as problem:
            raise self._away(problem) from None
        return token

    async def _identity_of(self, id_token: object, asked: Asked, metadata: _Metadata) -> Identity:
        if not isinstance(id_token, str):
            raise self._untrue("there is none")
        claims = await self._verified(id_token, metadata)
        required = jwt.JWTClaimsRegistry(
            now=self._clock.now_ms() // 1000,
            leeway=_LEEWAY_S,
            iss={"essential": True, "value": metadata.issuer},
            aud={"essential": True, "value": self.provider.client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": asked.nonce},
        )
        try:
            required.validate(claims)
        except JoseError as problem:
            raise self._untrue(problem.error) from None
        audience = claims["aud"]
        several = isinstance(audience, list) and len(audience) > 1
        if (several or "azp" in claims) and claims.get("azp") != self.provider.client_id:
            raise self._untrue("it is for another client")
        return self._person(claims, subject=claims["sub"], issuer=metadata.issuer)

    async def _verified(self, id_token: str, metadata: _Metadata) -> dict[str, Any]:
        try:
            return self._decoded(id_token, await self._known_keys(metadata, again=False))
        except Refused:  # the provider may have new keys since
            return self._decoded(id_token, await self._known_keys(metadata, again=True))

    def _decoded(self, id_token: str, keys: jwk.KeySet) -> dict[str, Any]:
        try:
            return dict(jwt.decode(id_token, keys, algorithms=_SIGNED).claims)
        except (JoseError, ValueError, KeyError) as problem:
            raise self._untrue(str(problem)[:_NAME_MAX]) from None

    async def _asked_for(self, token: dict[str, Any]) -> Identity:
        headers = {"Authorization": f"Bearer {token.get('access_token')}"}
        said = await self._get(self.provider.userinfo_url, dict[str, Any], headers=headers)
        subject = said.get(self.provider.subject_field)
        # Whether the address is verified is for OpenID Connect to say; no other answer counts.
        return self._person(
            said | {"email_verified": False}, subject=subject, issuer=self.provider.issuer
        )

    def _person(self, said: dict[str, Any], *, subject: object, issuer: str) -> Identity:
        named = str(subject) if isinstance(subject, str | int) else ""
        if not 0 < len(named) <= _SUBJECT_MAX:
            raise self._untrue("it names nobody")
        email = said.get("email")
        known = isinstance(email, str) and 0 < len(email) <= _EMAIL_MAX and email.count("@") == 1
        return Identity(
            issuer=issuer,
            subject=named,
            email=str(email).lower() if known else None,
            email_verified=known and said.get("email_verified") is True,
            name=str(said.get("name") or "")[:_NAME_MAX],
        )

    async def _discovered(self) -> _Metadata:
        provider, now_s = self.provider, self._clock.monotonic()
        if not provider.discovered:
            return _Metadata(provider.issuer, provider.authorize_url, provider.token_url)
        if self._metadata is None or now_s - self._known_s > _KEPT_S:
            url = provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
            metadata = await self._get(url, _Metadata)
            if metadata.issuer.rstrip("/") != provider.issuer.rstrip("/"):
                raise Refused(
                    f"{provider.name} calls itself {metadata.issuer!r}, not {provider.issuer!r}",
                    code="oauth.issuer",
                )
            self._metadata, self._known_s = metadata, now_s
        return self._metadata

    async def _known_keys(self, metadata: _Metadata, *, again: bool) -> jwk.KeySet:
        age_s = self._clock.monotonic() - self._keys_s
        if self._keys is None or age_s > _KEPT_S or (again and age_s > _KEYS_AGAIN_S):
            said = await self._get(metadata.jwks_uri, dict[str, Any])
            try:
                self._keys = jwk.KeySet.import_key_set(said)
            except (JoseError, ValueError, KeyError, TypeError) as problem:
                raise self._away(problem) from None
            self._keys_s = self._clock.monotonic()
        return self._keys

    async def _get(self, url: str, shape: Any, headers: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - as the shape says
        lent = _Lent(self._transport)
        try:
            async with httpx2.AsyncClient(transport=lent, timeout=TIMEOUT_S) as client:
                answer = await client.get(url, headers=headers)
                answer.raise_for_status()
                return msgspec.json.decode(answer.content, type=shape)
        except (httpx2.HTTPError, msgspec.DecodeError, UnicodeDecodeError) as problem:
            raise self._away(problem) from None

    def _client(self, asked: Asked) -> AsyncOAuth2Client:
        provider = self.provider
        return AsyncOAuth2Client(
            provider.client_id,
            provider.secret or None,
            token_endpoint_auth_method=None if provider.secret else "none",
            scope=provider.scope,
            redirect_uri=asked.redirect_uri,
            code_challenge_method="S256",
            transport=_Lent(self._transport),
            timeout=TIMEOUT_S,
        )

    def _away(self, problem: Exception) -> Unavailable:
        return Unavailable(
            f"{self.provider.name} does not answer: {type(problem).__name__}",
            code="oauth.unavailable",
        )

    def _untrue(self, why: str) -> Refused:
        return Refused(
            f"the ID token of {self.provider.name} is not good: {why}", code="oauth.token"
        )


class _Lent(httpx2.AsyncBaseTransport):
    """A transport that outlives the clients it is lent to."""

    def __init__(self, transport: httpx2.AsyncBaseTransport) -> None:
        self._transport = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer."""
        return await self._transport.handle_async_request(request)
