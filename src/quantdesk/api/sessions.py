"""Sessions over HTTP: renewed, ended, listed, and the ticket that opens a socket."""

from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal
from quantdesk.access.sessions.sessions import Ending, Sessions
from quantdesk.access.sessions.store import Session
from quantdesk.access.sessions.tickets import Tickets
from quantdesk.access.tokens.csrf import csrf
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import Token, body
from quantdesk.api.given import REFRESH, SESSION, Headers, check_csrf, check_origin, cookie
from quantdesk.api.needs import needs, public
from quantdesk.api.welcome import SignedInView, answered, drop_cookies
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused


class RefreshRequest(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """The refresh token to spend; browsers leave it out and send their cookies."""

    refresh_token: Token | None = None


class SessionView(msgspec.Struct, frozen=True, rename="camel"):
    """A session of yours; `current` is the one that asks."""

    session_id: str
    method: str
    ip: str
    agent: str
    opened_at: str
    renewed_at: str
    expires_at: str
    current: bool


class SessionsView(msgspec.Struct, frozen=True):
    """Your open sessions, the newest first."""

    sessions: list[SessionView]


class EndedView(msgspec.Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


class TicketView(msgspec.Struct, frozen=True, rename="camel"):
    """A ticket that opens one WebSocket, as `?ticket=`."""

    ticket: str
    expires_at: str


class SessionRoutes:
    """The routes of sessions; `origins` are other sites whose pages may use the cookie."""

    def __init__(
        self, *, sessions: Sessions, tickets: Tickets, origins: frozenset[str] = frozenset()
    ) -> None:
        self._sessions = sessions
        self._tickets = tickets
        self._origins = origins

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["sessions"])
        self._add_auth(router)
        self._add_own(router)
        return router

    def _add_auth(self, router: APIRouter) -> None:
        @router.post(
            "/api/auth/refresh",
            **public(body=RefreshRequest),
            responses=returns(SignedInView),
            summary="Renew a session: the refresh token is spent, the answer holds the next",
        )
        async def refresh(request: Request) -> Response:
            token, by_cookie = await self._refresh_token(request)
            opened = await self._sessions.renew(token, origin=request.scope["origin"])
            return answered(opened, cookie=by_cookie, shown=not by_cookie)

        @router.post(
            "/api/auth/logout",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(EndedView),
            summary="End this session, everywhere at once",
        )
        async def logout(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            if caller.session_id is None:
                raise Refused("an API key has no session: revoke it instead", code="session.none")
            await self._sessions.end(caller, caller.session_id, origin=request.scope["origin"])
            answer = json(EndedView(1))
            drop_cookies(answer)
            return answer

        @router.post(
            "/api/auth/ws-ticket",
            **needs(Permission.MARKET_READ),
            responses=returns(TicketView),
            summary="Take a ticket that opens one WebSocket within 30 s",
        )
        async def ticket(request: Request) -> Response:
            secret, expires_ms = await self._tickets.give_socket(request.scope["principal"])
            answer = json(TicketView(secret, iso(expires_ms)))
            answer.headers["cache-control"] = "no-store"
            return answer

    def _add_own(self, router: APIRouter) -> None:
        @router.get(
            "/api/sessions",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(SessionsView),
            summary="List your open sessions",
        )
        async def listed(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            found = await self._sessions.of_account(caller.account_id)
            return json(SessionsView([_view(session, caller) for session in found]))

        @router.delete(
            "/api/sessions",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(EndedView),
            summary="End all of your sessions but this one",
        )
        async def end_others(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            ending = Ending(caller.account_id, "ended from another", spare=caller.session_id)
            ended = await self._sessions.end_all(ending, by=caller, origin=request.scope["origin"])
            return json(EndedView(len(ended)))

        @router.delete(
            "/api/sessions/{session_id}",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(EndedView),
            summary="End one of your sessions",
        )
        async def end(request: Request, session_id: str) -> Response:
            await self._sessions.end(
                request.scope["principal"], _id(session_id), origin=request.scope["origin"]
            )
            return json(EndedView(1))

    async def _refresh_token(self, request: Request) -> tuple[str, bool]:
        """Return the refresh token of a request, and whether a browser's cookie held it."""
        if await request.body():
            asked = await body(request, RefreshRequest)
            if asked.refresh_token is not None:
                return asked.refresh_token, False
        headers: Headers = dict(request.scope["headers"])
        token, session = cookie(headers, REFRESH), cookie(headers, SESSION)
        if token is None or session is None:
            raise Refused("send the refreshToken, or the cookies", code="refresh.invalid")
        check_origin(headers, request.scope["peer"], allowed=self._origins, demanded=False)
        check_csrf(headers, csrf(session))
        return token, True


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("there is no such session of yours", code="session.unknown") from None


def _view(session: Session, caller: Principal) -> SessionView:
    return SessionView(
        session_id=str(session.id),
        method=session.method,
        ip=session.ip,
        agent=session.agent,
        opened_at=iso(session.opened_ms),
        renewed_at=iso(session.renewed_ms),
        expires_at=iso(session.expires_ms),
        current=session.id == caller.session_id,
    )
