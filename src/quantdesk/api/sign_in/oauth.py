"""Sign-in by way of a provider over HTTP: out with a redirect, back with a code.

The browser carries a cookie of its own from one to the other, so that nobody can be made to finish
a sign-in that somebody else began.
"""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Final

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request

from quantdesk.access.model import FactorNeeded, Permission, Principal, SignedIn
from quantdesk.access.oauth.sign_in import OPEN_MS, Came, OAuth
from quantdesk.access.oauth.store import Linked
from quantdesk.access.welcome import Welcome
from quantdesk.api.answers import json, returns
from quantdesk.api.needs import needs, public
from quantdesk.core.clock import iso
from quantdesk.core.errors import DeskError, Refused

COOKIE: Final = "qd_oauth"
_PATH: Final = "/api/auth/oauth"

Answered = Callable[..., Response]
"""Makes the answer of a session or of what is still needed: `api.welcome.answered`."""

Fresh = Callable[[Principal], None]
"""Raises `Refused` (`proof.needed`) unless the person was there a moment ago."""


class ProvidersView(msgspec.Struct, frozen=True):
    """The providers one can sign in with, by the names their addresses have."""

    providers: list[str]


class IdentityView(msgspec.Struct, frozen=True, rename="camel"):
    """An identity elsewhere that signs in to this account."""

    provider: str
    issuer: str
    subject: str
    email: str | None
    linked_at: str


class IdentitiesView(msgspec.Struct, frozen=True):
    """The identities of the account that asks."""

    identities: list[IdentityView]


class BeginQuery(BaseModel):
    """How a sign-in begins: `cookie` for browsers, `link` to add a way to sign in to one's own."""

    model_config = ConfigDict(extra="forbid")

    cookie: bool = True
    link: bool = False


class ComeQuery(BaseModel):
    """What a provider sends back; providers may add words of their own."""

    state: str = Field(min_length=1, max_length=256)
    code: str | None = Field(None, max_length=4096)
    iss: str | None = Field(None, max_length=512)
    error: str | None = Field(None, max_length=256)


class OAuthRoutes:
    """The routes of providers; `address` is where browsers reach this desk."""

    def __init__(
        self,
        oauth: OAuth,
        *,
        welcome: Welcome,
        answered: Answered,
        fresh: Fresh,
        address: Callable[[Request], str],
        other_ways: Callable[[Any], Awaitable[bool]],
    ) -> None:
        """`other_ways` says of an account whether it could sign in without this identity."""
        self._oauth = oauth
        self._welcome = welcome
        self._answered = answered
        self._fresh = fresh
        self._address = address
        self._other_ways = other_ways

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["sign-in"])

        @router.get(
            _PATH, **public(), responses=returns(ProvidersView), summary="Providers to sign in with"
        )
        async def providers() -> Response:
            return json(ProvidersView(sorted(self._oauth.clients)))

        @router.get(
            f"{_PATH}/{{provider}}",
            **public(),
            status_code=303,
            summary="Go to a provider and sign in there",
        )
        async def begin(
            request: Request, provider: str, asked: Annotated[BeginQuery, Query()]
        ) -> Response:
            return await self._begin(request, provider, asked)

        @router.get(
            f"{_PATH}/{{provider}}/callback", **public(), summary="Come back from a provider"
        )
        async def come(
            request: Request, provider: str, asked: Annotated[ComeQuery, Query()]
        ) -> Response:
            return await self._come(request, provider, asked)

        @router.get(
            "/api/identities",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(IdentitiesView),
            summary="Identities elsewhere that sign in to your account",
        )
        async def identities(request: Request) -> Response:
            found = await self._oauth.linked(request.scope["principal"].account_id)
            return json(IdentitiesView([_view(one) for one in found]))

        @router.delete(
            "/api/identities/{provider}/{subject}",
            **needs(Permission.ACCOUNT_WRITE),
            status_code=204,
            summary="Let an identity sign in no more",
        )
        async def unlink(request: Request, provider: str, subject: str) -> Response:
            principal: Principal = request.scope["principal"]
            self._fresh(principal)
            if not await self._other_ways(principal.account_id):
                raise Refused("it is your only way to sign in", code="identity.last")
            await self._oauth.unlink(
                principal.account_id,
                provider=provider,
                subject=subject,
                origin=request.scope["origin"],
            )
            return Response(status_code=204)

        return router

    async def _begin(self, request: Request, provider: str, asked: BeginQuery) -> Response:
        account_id = None
        if asked.link:
            principal: Principal | None = request.scope["principal"]
            if principal is None or principal.session_id is None:
                raise Refused("sign in before you link a provider", code="request.unauthenticated")
            self._fresh(principal)
            account_id = principal.account_id
        begun = await self._oauth.begin(
            provider,
            redirect_uri=f"{self._address(request)}{_PATH}/{provider}/callback",
            cookie=asked.cookie,
            account_id=account_id,
        )
        response = RedirectResponse(begun.url, status_code=303)
        response.set_cookie(
            COOKIE,
            begun.browser,
            max_age=OPEN_MS // 1000,
            path=_PATH,
            httponly=True,
            # Lax: the provider's answer is a navigation from its own site.
            samesite="lax",
            secure=self._address(request).startswith("https:"),
        )
        return response

    async def _come(self, request: Request, provider: str, asked: ComeQuery) -> Response:
        try:
            return await self._let_in(request, provider, asked)
        except DeskError as problem:
            if "text/html" not in request.headers.get("accept", ""):
                raise
            # A person came back in a browser: the page says why, and what else there is.
            request.scope["problem"] = problem
            response = RedirectResponse(f"/sign-in#refused={problem.code}", status_code=303)
            response.delete_cookie(COOKIE, path=_PATH)
            return response

    async def _let_in(self, request: Request, provider: str, asked: ComeQuery) -> Response:
        if asked.code is None:
            raise Refused(f"{provider[:40]} said no: {asked.error}", code="oauth.refused")
        came = await self._oauth.finish(
            provider,
            state=asked.state,
            code=asked.code,
            issuer=asked.iss,
            browser=request.cookies.get(COOKIE, ""),
            origin=request.scope["origin"],
        )
        if came.linked:
            response: Response = RedirectResponse("/", status_code=303)
        else:
            outcome = await self._welcome.begin(
                came.account, method=f"oauth:{provider}", origin=request.scope["origin"]
            )
            response = self._told(came, outcome)
        response.delete_cookie(COOKIE, path=_PATH)
        return response

    def _told(self, came: Came, outcome: SignedIn | FactorNeeded) -> Response:
        answer = self._answered(outcome, cookie=came.cookie, more={"newAccount": came.new})
        if not came.cookie:
            return answer
        # The session is in the cookies; what a second factor needs goes with the page's address.
        place = "/" if isinstance(outcome, SignedIn) else f"/#factor={outcome.ticket}"
        response = RedirectResponse(place, status_code=303)
        response.raw_headers += [row for row in answer.raw_headers if row[0] == b"set-cookie"]
        return response


def _view(linked: Linked) -> IdentityView:
    return IdentityView(
        provider=linked.provider,
        issuer=linked.issuer,
        subject=linked.subject,
        email=linked.email,
        linked_at=iso(linked.linked_ms),
    )


VIEWS: Final = (
    ProvidersView,
    IdentitiesView,
)
"""What these routes read and answer, for OpenAPI."""
