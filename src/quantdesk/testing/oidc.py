"""An OpenID Connect provider in this process, spoken to over ASGI, with its bad days.

It issues codes bound to what was asked, checks PKCE and the client's secret, and signs ID tokens
with a real key. A test changes `claims` or `header` of the next token, signs with a `stranger`'s
key, or lets it be `away`.

https://openid.net/specs/openid-connect-core-1_0.html#CodeFlowAuth
"""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Callable
from typing import Any, Final
from urllib.parse import parse_qs, parse_qsl, urlsplit

import httpx2
from joserfc import jwk, jwt
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

ISSUER: Final = "https://provider.test"
CLIENT_ID: Final = "desk"
SECRET: Final = "a secret of the desk's"  # noqa: S105 - the test's own
_LIFE_S: Final = 300


class Oidc:
    """The provider; `transport` reaches it. `now_s` is its clock."""

    def __init__(self, now_s: Callable[[], int]) -> None:
        self.now_s = now_s
        self.key = jwk.ECKey.generate_key("P-256", {"kid": "one", "use": "sig", "alg": "ES256"})
        self.stranger = jwk.ECKey.generate_key("P-256", {"kid": "one", "alg": "ES256"})
        self.signs = self.key
        self.header: dict[str, Any] = {"alg": "ES256", "kid": "one"}
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.away = False
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._numbers = itertools.count(1)
        app = Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._discovery),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/user", self._user),
            ]
        )
        self.transport = httpx2.ASGITransport(app)

    def visit(self, url: str, **claims: object) -> dict[str, str]:
        """Sign in as a person's browser would; return what the provider sends it back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{next(self._numbers)}"
        self._codes[code] = asked
        self.claims = {"sub": "user-1", **claims}
        return {"code": code, "state": asked["state"]}

    async def _discovery(self, _: Request) -> Response:
        self.asked.append("discovery")
        if self.away:
            return Response("busy", 503)
        return JSONResponse(
            {
                "issuer": ISSUER,
                "authorization_endpoint": f"{ISSUER}/authorize",
                "token_endpoint": f"{ISSUER}/token",
                "jwks_uri": f"{ISSUER}/keys",
                **self.metadata,
            }
        )

    async def _keys(self, _: Request) -> Response:
        self.asked.append("keys")
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        self.asked.append("token")
        said = dict(parse_qsl((await request.body()).decode()))
        asked = self._codes.pop(said.get("code", ""), None)
        digest = hashlib.sha256(said.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or proven != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if said["redirect_uri"] != asked["redirect_uri"] or not _has_secret(request):
            return JSONResponse({"error": "invalid_client"}, 401)
        told: dict[str, Any] = {"access_token": "access", "token_type": "Bearer"}
        if "nonce" in asked:
            told["id_token"] = self._signed(asked["nonce"])
        return JSONResponse(told)

    async def _user(self, request: Request) -> Response:
        if request.headers.get("authorization") != "Bearer access":
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse({"id": 7, "email": "somebody@else.where", "email_verified": True})

    def _signed(self, nonce: str) -> str:
        claims = {
            "iss": ISSUER,
            "aud": CLIENT_ID,
            "iat": self.now_s(),
            "exp": self.now_s() + _LIFE_S,
            "nonce": nonce,
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        if self.header["alg"] == "none":
            return f"{_part(self.header)}.{_part(claims)}."
        if self.header["alg"] == "HS256":  # with a secret that everybody can read
            signed = f"{_part(self.header)}.{_part(claims)}"
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        return jwt.encode(self.header, claims, self.signs, algorithms=[self.header["alg"]])


def _part(said: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(said).encode()).rstrip(b"=").decode()


def _has_secret(request: Request) -> bool:
    expected = base64.b64encode(f"{CLIENT_ID}:{SECRET}".encode()).decode()
    return request.headers.get("authorization") == f"Basic {expected}"
