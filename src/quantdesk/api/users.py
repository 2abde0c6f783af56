"""Users over HTTP: who one is, and for admins everybody."""

import re
from typing import Annotated
from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import Permission, Principal, Role
from quantdesk.access.plans import Entitlements, entitled
from quantdesk.access.users.rules import Change, Kyc, takes_proof
from quantdesk.access.users.users import NewUser, Users, unknown
from quantdesk.access.wallets import addresses
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import Line, body
from quantdesk.api.needs import fresh, needs
from quantdesk.api.welcome import UserView, user_view
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused

LIMIT_MAX = 500
_LIMIT = 50
_EMAIL = re.compile(
    r"[^@\s\x00-\x1f\x7f]{1,64}@[^@\s\x00-\x1f\x7f]{1,189}\.[^@\s.\x00-\x1f\x7f]{2,}"
)
_Address = Annotated[str, msgspec.Meta(min_length=3, max_length=254)]


class NewUserRequest(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """A user to add: by email address or by wallet, with a role not above your own."""

    role: Role
    email: _Address | None = None
    wallet: _Address | None = None
    name: Line | None = None


class ChangeUserRequest(
    msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True
):
    """What of a user is to change; the rest stays."""

    name: Line | None = None
    role: Role | None = None
    disabled: bool | None = None
    kyc: Kyc | None = None
    plan: Annotated[str, msgspec.Meta(max_length=40)] | None = None


class UsersView(msgspec.Struct, frozen=True, rename="camel"):
    """Users, the newest first."""

    users: list[UserView]
    next_cursor: str | None


class WalletView(msgspec.Struct, frozen=True):
    """A wallet of yours."""

    chain: str
    address: str


class MeView(msgspec.Struct, frozen=True, rename="camel"):
    """Who you are, what this credential may do, and what your plan entitles you to."""

    user: UserView
    permissions: list[str]
    session_id: str | None
    key_id: str | None
    proven_at: str | None
    wallets: list[WalletView]
    entitlements: Entitlements


class UserRoutes:
    """The routes of users."""

    def __init__(self, *, users: Users, clock: Clock) -> None:
        self._users = users
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["users"])
        self._add_own(router)
        self._add_all(router)
        return router

    def _add_own(self, router: APIRouter) -> None:
        @router.get(
            "/api/me",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(MeView),
            summary="Who you are and what you may do",
        )
        async def me(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            account, wallets = await self._users.me(caller.account_id)
            view = MeView(
                user=user_view(account),
                permissions=sorted(caller.may),
                session_id=_text(caller.session_id),
                key_id=_text(caller.key_id),
                proven_at=None if caller.proven_ms is None else iso(caller.proven_ms),
                wallets=[WalletView(*each) for each in wallets],
                entitlements=entitled(account.plan),
            )
            return json(view)

        @router.post(
            "/api/me/kyc",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(UserView),
            summary="Have it checked who you are",
        )
        async def kyc(request: Request) -> Response:
            scope = request.scope
            user = await self._users.begin_kyc(scope["principal"], origin=scope["origin"])
            return json(user_view(user))

    def _add_all(self, router: APIRouter) -> None:
        @router.get(
            "/api/users",
            **needs(Permission.USERS_READ),
            responses=returns(UsersView),
            summary="List the users of the desk",
        )
        async def listed(limit: int = _LIMIT, cursor: str | None = None) -> Response:
            if not 1 <= limit <= LIMIT_MAX:
                raise Refused(f"limit is 1 to {LIMIT_MAX}", code="request.malformed")
            before = None if cursor is None else _cursor(cursor)
            found = await self._users.page(before=before, limit=limit + 1)
            shown = found[:limit]
            more = str(shown[-1].id) if len(found) > limit else None
            return json(UsersView([user_view(user) for user in shown], more))

        @router.post(
            "/api/users",
            **needs(Permission.USERS_WRITE, body=NewUserRequest),
            responses=returns(UserView, status=201),
            summary="Add a user",
        )
        async def add(request: Request) -> Response:
            caller: Principal = request.scope["principal"]
            wanted = _wanted(await body(request, NewUserRequest))
            if takes_proof(Role.VIEWER, wanted.role):
                fresh(caller, self._clock.now_ms())
            user = await self._users.add(caller, wanted, origin=request.scope["origin"])
            return json(user_view(user), status=201)

        @router.patch(
            "/api/users/{user_id}",
            **needs(Permission.USERS_WRITE, body=ChangeUserRequest),
            responses=returns(UserView),
            summary="Change a user's role, plan, KYC status or name, or disable them",
        )
        async def change(request: Request, user_id: str) -> Response:
            caller: Principal = request.scope["principal"]
            asked = await body(request, ChangeUserRequest)
            named = _id(user_id)
            if asked.role is not None:
                before = await self._users.find(named)
                if takes_proof(before.role, asked.role):
                    fresh(caller, self._clock.now_ms())
            wanted = Change(**msgspec.structs.asdict(asked))
            user = await self._users.change(caller, named, wanted, origin=request.scope["origin"])
            return json(user_view(user))


def _text(name: UUID | None) -> str | None:
    return None if name is None else str(name)


def _wanted(asked: NewUserRequest) -> NewUser:
    if (asked.email is None) == (asked.wallet is None):
        raise Refused("give an email or a wallet, one of both", code="request.malformed")
    if asked.email is not None:
        email = asked.email.strip().lower()
        if not _EMAIL.fullmatch(email):
            raise Refused("this is no email address", code="user.email")
        return NewUser(name=asked.name or email[:100], role=asked.role, email=email)
    assert asked.wallet is not None
    chain, address = addresses.read(asked.wallet)
    return NewUser(name=asked.name or address, role=asked.role, wallet=(chain, address))


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise unknown() from None


def _cursor(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused("cursor is the nextCursor of a page", code="request.malformed") from None
