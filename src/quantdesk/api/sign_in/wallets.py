"""Signing in with a wallet over HTTP, and the wallets of an account.

    POST /api/auth/nonce   a text to sign        POST /api/auth/wallet   the signed text: a session
    GET | POST /api/wallets, DELETE /api/wallets/{chain}/{address}

A browser is given the cookie `qd_nonce` with the text, and the text is no good in another one. The
edge adds `Secure` to it over TLS.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from quantdesk.access.model import Permission, Principal, SignedIn
from quantdesk.access.wallets.addresses import canonical
from quantdesk.access.wallets.challenges import Asked, Challenges, Wish
from quantdesk.access.wallets.linked import Wallets
from quantdesk.access.wallets.model import ChainName, Proof, Purpose, Site, Wallet
from quantdesk.access.wallets.nonces import LIFE_MS
from quantdesk.access.wallets.sites import Sites
from quantdesk.api.answers import SCHEMA, json, returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import fresh, needs, public
from quantdesk.api.sign_in.holdings import Holdings, HoldingsView
from quantdesk.api.welcome import answered
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused

COOKIE: Final = "qd_nonce"
_COOKIE_PATH: Final = "/api"

_JS_SAFE_MAX: Final = 2**53 - 1
_Address = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Signature = Annotated[str, msgspec.Meta(min_length=1, max_length=8_194)]  # 4 KiB of a contract's
_Message = Annotated[str, msgspec.Meta(min_length=1, max_length=2_048)]


class NonceBody(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """The wallet that is to sign; `chainId` is the EIP-155 one, 1 unless given.

    `purpose` is what for: to sign in, to link the wallet to one's account, or to prove that it is
    oneself who asks. `cookie` binds the
    text to this client by a cookie, which browsers get in any case.
    """

    address: _Address
    chain: ChainName
    chain_id: Annotated[int, msgspec.Meta(ge=1, le=_JS_SAFE_MAX)] | None = None
    purpose: Purpose = Purpose.SIGN_IN
    cookie: bool = False


class NonceView(msgspec.Struct, frozen=True, rename="camel"):
    """The text to sign, byte for byte."""

    message: str
    nonce: str
    expires_at: str


class WalletBody(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A signed text; `signature` is base58 of a Solana wallet, 0x hex of an EVM one.

    With `cookie` the session is set as cookies too.
    """

    address: _Address
    signature: _Signature
    message: _Message
    cookie: bool = False


class LinkBody(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """A text signed by the wallet to link; it was asked for with purpose `link`."""

    address: _Address
    signature: _Signature
    message: _Message


class LinkedWalletView(msgspec.Struct, frozen=True, rename="camel"):
    """A wallet of an account."""

    chain: str
    address: str
    added_at: str


class LinkedWalletsView(msgspec.Struct, frozen=True, rename="camel"):
    """The wallets of an account, oldest first."""

    wallets: list[LinkedWalletView]


class WalletRoutes:
    """The routes of wallets."""

    def __init__(
        self,
        *,
        challenges: Challenges,
        wallets: Wallets,
        sites: Sites,
        holdings: Holdings,
        clock: Clock,
    ) -> None:
        self._challenges = challenges
        self._wallets = wallets
        self._sites = sites
        self._holdings = holdings
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["sign-in"])

        @router.post(
            "/auth/nonce",
            **public(body=NonceBody),
            responses=returns(NonceView),
            summary="A text for a wallet to sign",
        )
        async def nonce(request: Request) -> Response:
            return await self._nonce(request)

        @router.post(
            "/auth/wallet",
            **public(body=WalletBody),
            responses=_SIGNED_IN,
            summary="Sign in with a signed text",
        )
        async def wallet(request: Request) -> Response:
            return await self.signed_in(request, await body(request, WalletBody))

        @router.get(
            "/wallets",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(LinkedWalletsView),
            summary="Your wallets",
        )
        async def listed(request: Request) -> Response:
            found = await self._wallets.listed(request.scope["principal"].account_id)
            return json(LinkedWalletsView([_view(wallet) for wallet in found]))

        @router.post(
            "/wallets",
            **needs(Permission.ACCOUNT_WRITE, body=LinkBody),
            responses=returns(LinkedWalletView, status=201),
            summary="Link another wallet to your account",
        )
        async def link(request: Request) -> Response:
            return await self._link(request)

        @router.delete(
            "/wallets/{chain}/{address}",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(LinkedWalletsView),
            summary="Take a wallet from your account",
        )
        async def unlink(request: Request, chain: str, address: str) -> Response:
            return await self._unlink(request, chain, address)

        return router

    async def signed_in(self, request: Request, given: WalletBody) -> Response:
        """Return the answer to a signed text, for `POST /api/auth/login` too.

        Raises as `Wallets.sign_in`, and `Refused` (`site.unknown`).
        """
        proof = self._proof(request, given)
        entered = await self._wallets.sign_in(proof, origin=request.scope["origin"])
        more: Mapping[str, Any] = {}
        if isinstance(entered.outcome, SignedIn):
            held = await self._holdings.of(entered.chain, entered.address)
            more = msgspec.to_builtins(held)
        answer = answered(entered.outcome, cookie=given.cookie, more=more)
        _forget(answer, proof)
        return answer

    async def _nonce(self, request: Request) -> Response:
        given = await body(request, NonceBody)
        wish = Wish(
            chain=given.chain,
            address=given.address,
            site=self._site(request),
            chain_id=given.chain_id,
            purpose=given.purpose,
            from_browser=given.cookie or _is_browser(request),
        )
        asked = await self._challenges.ask(wish, origin=request.scope["origin"])
        answer = json(NonceView(asked.message, asked.nonce, iso(asked.expires_ms)))
        answer.headers["Cache-Control"] = "no-store"
        _bind(answer, asked)
        return answer

    async def _link(self, request: Request) -> Response:
        principal: Principal = request.scope["principal"]
        fresh(principal, self._clock.now_ms())
        proof = self._proof(request, await body(request, LinkBody))
        wallet = await self._wallets.link(principal, proof, origin=request.scope["origin"])
        answer = json(_view(wallet), status=201)
        _forget(answer, proof)
        return answer

    async def _unlink(self, request: Request, chain: str, address: str) -> Response:
        principal: Principal = request.scope["principal"]
        fresh(principal, self._clock.now_ms())
        name, written = _named(chain, address)
        await self._wallets.unlink(
            principal, chain=name, address=written, origin=request.scope["origin"]
        )
        left = await self._wallets.listed(principal.account_id)
        return json(LinkedWalletsView([_view(wallet) for wallet in left]))

    def _proof(self, request: Request, given: WalletBody | LinkBody) -> Proof:
        return Proof(
            address=given.address,
            signature=given.signature,
            message=given.message,
            site=self._site(request),
            browser=request.cookies.get(COOKIE),
        )

    def _site(self, request: Request) -> Site:
        return self._sites.at(request.headers.get("host", ""))


_BOTH: Final = [{"$ref": SCHEMA.format(name=name)} for name in ("SignedInView", "HoldingsView")]
_SIGNED_IN: Final = {
    **returns(HoldingsView),
    200: {
        "description": "A session, and what the wallet held when it was opened.",
        "content": {"application/json": {"schema": {"allOf": _BOTH}}},
    },
}


def _is_browser(request: Request) -> bool:
    # Pages cannot leave these out or change them; other clients have no reason to send them.
    return "sec-fetch-site" in request.headers or "origin" in request.headers


def _bind(answer: Response, asked: Asked) -> None:
    if asked.browser is not None:
        answer.set_cookie(
            COOKIE,
            asked.browser,
            max_age=LIFE_MS // 1000,
            path=_COOKIE_PATH,
            httponly=True,
            samesite="strict",
        )


def _forget(answer: Response, proof: Proof) -> None:
    if proof.browser is not None:
        answer.delete_cookie(
            COOKIE,
            path=_COOKIE_PATH,
            httponly=True,
            samesite="strict",
        )


def _named(chain: str, address: str) -> tuple[ChainName, str]:
    try:
        name = ChainName(chain)
        return name, canonical(name, address)
    except (ValueError, Refused):
        raise Refused("you have no such wallet", code="wallet.unknown") from None


def _view(wallet: Wallet) -> LinkedWalletView:
    return LinkedWalletView(wallet.chain, wallet.address, iso(wallet.added_ms))


VIEWS: Final = (
    LinkBody,
    LinkedWalletView,
    LinkedWalletsView,
    NonceBody,
    NonceView,
    WalletBody,
)
"""What these routes read and answer, for OpenAPI."""
