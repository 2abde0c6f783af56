"""The caller's own second factors over HTTP: seen, added, removed.

Each change takes a fresh proof of presence (`POST /api/auth/proof`).
"""

from http import HTTPStatus
from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.factors.enrolment import Enrolment
from quantdesk.access.factors.known import KnownFactors
from quantdesk.access.factors.model import Factors, Passkey
from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import needs
from quantdesk.api.sign_in.factor_shapes import (
    AddedPasskeyView,
    CodeRequest,
    FactorsView,
    NewPasskeyRequest,
    OptionsView,
    PasskeyView,
    RecoveryCodesView,
    SeedView,
    TotpView,
)
from quantdesk.core.clock import iso


class FactorChangeRoutes:
    """The routes of the caller's own second factors."""

    def __init__(self, *, known: KnownFactors, enrolment: Enrolment) -> None:
        self._known = known
        self._enrolment = enrolment

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/auth/factors", tags=["sign-in"])
        self._add_list(router)
        self._add_totp(router)
        self._add_passkeys(router)
        return router

    def _add_list(self, router: APIRouter) -> None:
        @router.get(
            "",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(FactorsView),
            summary="The caller's second factors",
        )
        async def factors(request: Request) -> Response:
            account_id = request.scope["principal"].account_id
            return json(factors_view(await self._known.of(account_id)))

        @router.post(
            "/recovery-codes",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(RecoveryCodesView),
            summary="Make new recovery codes; the old ones stop working",
        )
        async def renew(request: Request) -> Response:
            codes = await self._enrolment.renew_codes(
                request.scope["principal"], request.scope["origin"]
            )
            return _once(RecoveryCodesView(codes))

    def _add_totp(self, router: APIRouter) -> None:
        @router.post(
            "/totp",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(SeedView),
            summary="Begin to add an app",
        )
        async def begin(request: Request) -> Response:
            seed = await self._enrolment.begin_totp(request.scope["principal"])
            return _once(SeedView(seed.secret, seed.uri, iso(seed.expires_ms)))

        @router.post(
            "/totp/confirm",
            **needs(Permission.ACCOUNT_WRITE, body=CodeRequest),
            responses=returns(RecoveryCodesView),
            summary="Add the app by one of its codes",
        )
        async def confirm(request: Request) -> Response:
            asked = await body(request, CodeRequest)
            codes = await self._enrolment.confirm_totp(
                request.scope["principal"], asked.code, request.scope["origin"]
            )
            return _once(RecoveryCodesView(codes))

        @router.delete(
            "/totp", **needs(Permission.ACCOUNT_WRITE), status_code=204, summary="Remove the app"
        )
        async def remove(request: Request) -> Response:
            await self._enrolment.remove_totp(request.scope["principal"], request.scope["origin"])
            return Response(status_code=HTTPStatus.NO_CONTENT)

    def _add_passkeys(self, router: APIRouter) -> None:
        @router.post(
            "/passkeys/options",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(OptionsView),
            summary="Begin to add a passkey",
        )
        async def begin(request: Request) -> Response:
            return json(
                OptionsView(await self._enrolment.begin_passkey(request.scope["principal"]))
            )

        @router.post(
            "/passkeys",
            **needs(Permission.ACCOUNT_WRITE, body=NewPasskeyRequest),
            responses=returns(AddedPasskeyView, status=201),
            status_code=201,
            summary="Add a passkey that was just made",
        )
        async def add(request: Request) -> Response:
            asked = await body(request, NewPasskeyRequest)
            passkey, codes = await self._enrolment.add_passkey(
                request.scope["principal"],
                name=asked.name,
                credential=msgspec.to_builtins(asked.passkey),
                origin=request.scope["origin"],
            )
            return _once(AddedPasskeyView(passkey_view(passkey), codes), HTTPStatus.CREATED)

        @router.delete(
            "/passkeys/{passkey_id}",
            **needs(Permission.ACCOUNT_WRITE),
            status_code=204,
            summary="Remove a passkey",
        )
        async def remove(request: Request, passkey_id: UUID) -> Response:
            await self._enrolment.remove_passkey(
                request.scope["principal"], passkey_id, request.scope["origin"]
            )
            return Response(status_code=HTTPStatus.NO_CONTENT)


def factors_view(has: Factors) -> FactorsView:
    """Return second factors as they are shown."""
    return FactorsView(
        methods=has.methods,
        totp=None if has.totp_ms is None else TotpView(iso(has.totp_ms)),
        passkeys=[passkey_view(passkey) for passkey in has.passkeys],
        recovery_codes_left=has.recovery_left,
    )


def passkey_view(passkey: Passkey) -> PasskeyView:
    """Return a passkey as it is shown."""
    return PasskeyView(
        passkey_id=passkey.id,
        name=passkey.name,
        backed_up=passkey.backed_up,
        added_at=iso(passkey.added_ms),
        used_at=None if passkey.used_ms is None else iso(passkey.used_ms),
    )


def _once(view: msgspec.Struct, status: int = HTTPStatus.OK) -> Response:
    """Return an answer whose secrets no cache may keep."""
    answer = json(view, status=status)
    answer.headers["Cache-Control"] = "no-store"
    return answer
