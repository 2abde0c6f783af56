"""Second factors over HTTP: finishing a sign-in, signing in with a passkey, and stepping up.

Adding and removing factors is in `factor_changes`.
"""

from collections.abc import Iterator

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.factors.model import (
    Assertion,
    Code,
    FirstFactor,
    OwnerKeyShown,
    Password,
    RecoveryCode,
    SecondFactor,
    WalletSignature,
)
from quantdesk.access.factors.signing_in import PasskeySignIn, SecondStep
from quantdesk.access.factors.step_up import StepUp
from quantdesk.access.model import Permission
from quantdesk.access.policy import FRESH_MS
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import needs, public
from quantdesk.api.sign_in.factor_shapes import (
    OptionsView,
    PasskeyRequest,
    ProofRequest,
    ProofView,
    SecondStepRequest,
    TicketRequest,
)
from quantdesk.api.welcome import SignedInView, answered
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused


class FactorRoutes:
    """The routes by which second factors are shown."""

    def __init__(
        self,
        *,
        second_step: SecondStep,
        passkeys: PasskeySignIn,
        step_up: StepUp,
    ) -> None:
        self._second_step = second_step
        self._passkeys = passkeys
        self._step_up = step_up

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api/auth", tags=["sign-in"])
        self._add_second_step(router)
        self._add_passkey(router)
        self._add_proof(router)
        return router

    def _add_second_step(self, router: APIRouter) -> None:
        @router.post(
            "/mfa/options",
            **public(body=TicketRequest),
            responses=returns(OptionsView),
            summary="Ask the passkeys of whoever is signing in",
        )
        async def options(request: Request) -> Response:
            asked = await body(request, TicketRequest)
            return json(OptionsView(await self._second_step.options(asked.ticket)))

        @router.post(
            "/mfa",
            **public(body=SecondStepRequest),
            responses=returns(SignedInView),
            summary="Finish a sign-in with a second factor",
        )
        async def finish(request: Request) -> Response:
            asked = await body(request, SecondStepRequest)
            shown = _shown(request, asked)
            assert not isinstance(shown, FirstFactor), "the shape has none"
            signed_in = await self._second_step.finish(asked.ticket, shown, request.scope["origin"])
            return answered(signed_in, cookie=asked.cookie)

    def _add_passkey(self, router: APIRouter) -> None:
        @router.post(
            "/passkey/options",
            **public(),
            responses=returns(OptionsView),
            summary="Ask any passkey of this desk",
        )
        async def options() -> Response:
            return json(OptionsView(self._passkeys.options()))

        @router.post(
            "/passkey",
            **public(body=PasskeyRequest),
            responses=returns(SignedInView),
            summary="Sign in with a passkey",
        )
        async def sign_in(request: Request) -> Response:
            asked = await body(request, PasskeyRequest)
            signed_in = await self._passkeys.sign_in(
                msgspec.to_builtins(asked.passkey), request.scope["origin"]
            )
            return answered(signed_in, cookie=asked.cookie)

    def _add_proof(self, router: APIRouter) -> None:
        @router.post(
            "/proof/options",
            **needs(Permission.ACCOUNT_WRITE),
            responses=returns(OptionsView),
            summary="Ask the caller's own passkeys",
        )
        async def options(request: Request) -> Response:
            return json(OptionsView(await self._step_up.options(request.scope["principal"])))

        @router.post(
            "/proof",
            **needs(Permission.ACCOUNT_WRITE, body=ProofRequest),
            responses=returns(ProofView),
            summary="Prove again to be there",
        )
        async def give(request: Request) -> Response:
            shown = _shown(request, await body(request, ProofRequest))
            scope = request.scope
            proven_ms = await self._step_up.give(scope["principal"], shown, scope["origin"])
            return json(ProofView(iso(proven_ms), iso(proven_ms + FRESH_MS)))


def _shown(request: Request, asked: SecondStepRequest | ProofRequest) -> SecondFactor | FirstFactor:
    """Return the one thing that was shown; raise `Refused` (`request.malformed`)."""
    shown: list[SecondFactor | FirstFactor] = []
    if asked.code is not None:
        shown.append(Code(asked.code))
    if asked.recovery_code is not None:
        shown.append(RecoveryCode(asked.recovery_code))
    if asked.passkey is not None:
        shown.append(Assertion(msgspec.to_builtins(asked.passkey)))
    if isinstance(asked, ProofRequest):
        shown.extend(_first(request, asked))
    if len(shown) != 1:
        raise Refused("send exactly one proof", code="request.malformed")
    return shown[0]


def _first(request: Request, asked: ProofRequest) -> Iterator[FirstFactor]:
    if asked.password is not None:
        yield Password(asked.password)
    if asked.key is not None:
        yield OwnerKeyShown(asked.key)
    if asked.wallet is not None:
        yield WalletSignature(
            **msgspec.structs.asdict(asked.wallet),
            host=request.headers.get("host", ""),
            cookies=request.cookies,
        )
