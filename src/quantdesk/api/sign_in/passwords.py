"""Email and password over HTTP; `POST /api/auth/login` takes a wallet's signature just as well.

Answers about an address are the same whether it has an account or not. No answer but a login's
opens a session: who registers or chooses a new password signs in next.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Final, Protocol

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import FactorNeeded, Permission, Principal, SignedIn
from quantdesk.access.passwords.model import Signer
from quantdesk.access.passwords.recovering import Recovering
from quantdesk.access.passwords.signing_in import SigningIn
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import allow, needs, public
from quantdesk.core.errors import Refused

Email = Annotated[str, msgspec.Meta(max_length=254)]
Password = Annotated[str, msgspec.Meta(max_length=256)]
"""Longer than any that is allowed, so that its rules can say so."""
Token = Annotated[str, msgspec.Meta(max_length=64)]


class _Body(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    def __repr__(self) -> str:
        return type(self).__name__  # secrets stay out of logs


class RegisterRequest(_Body, frozen=True):
    """A new account. `cookie` is taken as in any sign-in body, but registering opens no session."""

    email: Email
    password: Password
    cookie: bool = False


class LoginRequest(_Body, frozen=True):
    """Either `email` and `password`, or `address`, `signature` and `message` of a wallet."""

    email: Email | None = None
    password: Password | None = None
    address: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    signature: Annotated[str, msgspec.Meta(max_length=16_384)] | None = None
    message: Annotated[str, msgspec.Meta(max_length=4_096)] | None = None
    cookie: bool = False


class VerifyRequest(_Body, frozen=True):
    """The code of a letter."""

    token: Token


class ResetRequest(_Body, frozen=True):
    """The address a letter shall go to."""

    email: Email


class ConfirmRequest(_Body, frozen=True):
    """The code of a letter, and the password to be."""

    token: Token
    password: Password


class ChangeRequest(_Body, frozen=True):
    """One's present password, and the one to be."""

    current: Password
    new: Password


class ToldView(msgspec.Struct, frozen=True):
    """What was done, or is about to be, in words for a person."""

    message: str


REGISTERED: Final = ToldView("look into your mailbox: a letter says how to go on")
ASKED: Final = ToldView("if this address has an account, a letter with a link is on its way")
VERIFIED: Final = ToldView("your email address is verified")
SENT: Final = ToldView("a letter with a link is on its way")
CHANGED: Final = ToldView("your password was changed; all other sessions were ended")
CONFIRMED: Final = ToldView("your password was changed; sign in with it")

Fresh = Callable[[Principal], None]
"""Returns if a caller proved a moment ago to be there; raises `Refused` (`proof.needed`)."""


class Answered(Protocol):
    """Makes the answer of a session that was opened, or of a second factor that is needed."""

    def __call__(self, outcome: SignedIn | FactorNeeded, *, cookie: bool) -> Response:
        """Return it; with `cookie` it sets the browser's."""


class WalletSignIn(Protocol):
    """Serves a login by a wallet's signature, as `POST /api/auth/wallet` does."""

    def __call__(
        self, request: Request, *, address: str, signature: str, message: str, cookie: bool
    ) -> Awaitable[Response]:
        """Return the answer."""


class PasswordRoutes:
    """The routes of email and password."""

    def __init__(
        self,
        signing_in: SigningIn,
        recovering: Recovering,
        *,
        answered: Answered,
        fresh: Fresh,
        wallet: WalletSignIn | None = None,
    ) -> None:
        self._signing_in = signing_in
        self._recovering = recovering
        self._answered = answered
        self._fresh = fresh
        self._wallet = wallet

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/auth", tags=["sign-in"])
        self._coming_in(router)
        self._mailed(router)
        self._own(router)
        return router

    def _coming_in(self, router: APIRouter) -> None:
        @router.post(
            "/register",
            status_code=202,
            **public(body=RegisterRequest),
            responses=returns(ToldView, status=202),
            summary="Register with an email address and a password",
        )
        async def register(request: Request) -> Response:
            asked = await body(request, RegisterRequest)
            await self._signing_in.register(
                asked.email, asked.password, origin=request.scope["origin"]
            )
            return json(REGISTERED, status=202)

        @router.post(
            "/login",
            **public(body=LoginRequest),
            responses=returns(ToldView),
            summary="Sign in with an email address and a password, or with a wallet",
        )
        async def login(request: Request) -> Response:
            return await self._login(request, await body(request, LoginRequest))

    def _mailed(self, router: APIRouter) -> None:
        @router.post(
            "/verify",
            **public(body=VerifyRequest),
            responses=returns(ToldView),
            summary="Prove an email address with the code of a letter",
        )
        async def verify(request: Request) -> Response:
            asked = await body(request, VerifyRequest)
            await self._recovering.verify(asked.token, origin=request.scope["origin"])
            return json(VERIFIED)

        @router.post(
            "/reset",
            status_code=202,
            **public(body=ResetRequest),
            responses=returns(ToldView, status=202),
            summary="Ask for a letter to choose a new password with",
        )
        async def reset(request: Request) -> Response:
            asked = await body(request, ResetRequest)
            await self._recovering.ask(asked.email, origin=request.scope["origin"])
            return json(ASKED, status=202)

        @router.post(
            "/reset/confirm",
            **public(body=ConfirmRequest),
            responses=returns(ToldView),
            summary="Choose a new password with the code of a letter; ends all sessions",
        )
        async def confirm(request: Request) -> Response:
            asked = await body(request, ConfirmRequest)
            await self._recovering.confirm(
                asked.token, asked.password, origin=request.scope["origin"]
            )
            return json(CONFIRMED)

    def _own(self, router: APIRouter) -> None:
        @router.post(
            "/password",
            **needs(Permission.ACCOUNT_WRITE, body=ChangeRequest),
            responses=returns(ToldView),
            summary="Change your password; needs a fresh proof, ends your other sessions",
        )
        async def change(request: Request) -> Response:
            caller = allow(request.scope["principal"], Permission.ACCOUNT_WRITE)
            self._fresh(caller)
            asked = await body(request, ChangeRequest)
            signer = Signer(account_id=caller.account_id, session_id=caller.session_id)
            await self._recovering.change(
                signer, current=asked.current, new=asked.new, origin=request.scope["origin"]
            )
            return json(CHANGED)

        @router.post(
            "/verify/send",
            status_code=202,
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(ToldView, status=202),
            summary="Have another letter sent that proves your email address",
        )
        async def send(request: Request) -> Response:
            caller = allow(request.scope["principal"], Permission.ACCOUNT_WRITE)
            await self._signing_in.send_verification(caller.account_id)
            return json(SENT, status=202)

    async def _login(self, request: Request, asked: LoginRequest) -> Response:
        wallet = (asked.address, asked.signature, asked.message)
        match (asked.email, asked.password, *wallet):
            case (str(email), str(password), None, None, None):
                outcome = await self._signing_in.login(
                    email, password, origin=request.scope["origin"]
                )
                return self._answered(outcome, cookie=asked.cookie)
            case (None, None, str(address), str(signature), str(message)) if self._wallet:
                return await self._wallet(
                    request,
                    address=address,
                    signature=signature,
                    message=message,
                    cookie=asked.cookie,
                )
            case _:
                raise Refused(
                    "send either email and password, or address, signature and message",
                    code="request.malformed",
                )


VIEWS: Final = (
    RegisterRequest,
    LoginRequest,
    VerifyRequest,
    ResetRequest,
    ConfirmRequest,
    ChangeRequest,
    ToldView,
)
"""Shapes that OpenAPI shows."""
