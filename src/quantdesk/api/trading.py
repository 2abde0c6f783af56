"""The kill switch over HTTP: stop trading at once, see what is stopped, lift it on purpose.

Whoever may trade may stop the desk: a stop costs a pause, a stop that waits for the right person
may cost everything. Lifting it takes `limits:write`, a fresh proof, and a phrase typed by hand.
"""

from typing import Annotated, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.limits import Fresh, caller_of, noting, seen
from quantdesk.api.needs import allow_wider, needs
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.engines.orders.engine import Orders
from quantdesk.guard.book import LimitBook
from quantdesk.guard.halts import Halt, Scope

_LISTED_MAX: Final = 1_000

Reason = Annotated[str, msgspec.Meta(max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
Phrase = Annotated[str, msgspec.Meta(max_length=200)]


class HaltRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True
):
    """A stop: `new` lets nothing new be signed, `all` also cancels what is not signed."""

    scope: Scope
    reason: Reason
    account: UUID | None = None


class ResumeRequest(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", kw_only=True
):
    """The end of a stop; `confirm` is the phrase of `GET /api/trading`, typed by hand."""

    confirm: Phrase
    account: UUID | None = None


class HaltView(msgspec.Struct, frozen=True, rename="camel"):
    """A stop; `by` is the account that made it, null for the settings."""

    scope: str
    reason: str
    at: str
    by: str | None


class LeftView(msgspec.Struct, frozen=True, rename="camel"):
    """An open order that could not be cancelled: what is signed goes on to its end."""

    order_id: str
    status: str


class TradingView(msgspec.Struct, frozen=True, rename="camel"):
    """Whether an account may trade, what stops it, and the phrase that lifts a stop."""

    trading: bool
    account_id: str
    desk: HaltView | None
    account: HaltView | None
    desk_phrase: str
    account_phrase: str


class HaltedView(msgspec.Struct, frozen=True, rename="camel"):
    """What a stop did; lists hold the first thousand."""

    trading: TradingView
    cancelled_count: int
    cancelled: list[str]
    left_count: int
    left: list[LeftView]


class TradingRoutes:
    """The routes of the kill switch."""

    def __init__(
        self, *, book: LimitBook, orders: Orders, fresh: Fresh, clock: Clock, new_id: NewId
    ) -> None:
        self._book = book
        self._orders = orders
        self._fresh = fresh
        self._clock = clock
        self._new_id = new_id

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["trading"])

        @router.get(
            "/api/trading",
            **needs(Permission.SYSTEM_READ),
            responses=returns(TradingView),
            summary="Whether trading is stopped",
        )
        async def trading(request: Request, account: UUID | None = None) -> Response:
            return json(self._view(await seen(request, account, self._book)))

        @router.post(
            "/api/trading/halt",
            **needs(Permission.HALT, body=HaltRequest),
            responses=returns(HaltedView),
            summary="Stop trading, of the desk or of an account",
        )
        async def halt(request: Request) -> Response:
            return json(await self._halt(request, await body(request, HaltRequest)))

        @router.post(
            "/api/trading/resume",
            **needs(Permission.LIMITS_WRITE, body=ResumeRequest),
            responses=returns(TradingView),
            summary="Let trading go on",
        )
        async def resume(request: Request) -> Response:
            return json(await self._resume(request, await body(request, ResumeRequest)))

        return router

    async def _halt(self, request: Request, wanted: HaltRequest) -> HaltedView:
        if wanted.account is None:
            allow_wider(caller_of(request), Permission.LIMITS_WRITE)
        whose = await seen(request, wanted.account, self._book)
        halt = Halt(
            scope=wanted.scope,
            reason=wanted.reason,
            at_ms=self._clock.now_ms(),
            by=caller_of(request).account_id,
        )
        note = noting(request, "trading.halted", self._new_id)
        await self._book.halt(wanted.account, halt, note=note)
        if wanted.scope == "new":
            return HaltedView(self._view(whose), 0, [], 0, [])
        cancelled, left = await self._orders.cancel_all(wanted.account)
        return HaltedView(
            trading=self._view(whose),
            cancelled_count=len(cancelled),
            cancelled=[str(order_id) for order_id in cancelled[:_LISTED_MAX]],
            left_count=len(left),
            left=[LeftView(str(order.id), order.status) for order in left[:_LISTED_MAX]],
        )

    async def _resume(self, request: Request, wanted: ResumeRequest) -> TradingView:
        caller = caller_of(request)
        whose = await seen(request, wanted.account, self._book)
        self._fresh(caller, self._clock.now_ms())
        phrase = self._phrase(wanted.account)
        if wanted.confirm != phrase:
            raise Refused(f"type {phrase!r} to let trading go on", code="trading.unconfirmed")
        note = noting(request, "trading.resumed", self._new_id)
        await self._book.resume(wanted.account, by=caller.account_id, note=note)
        return self._view(whose)

    def _view(self, account_id: UUID) -> TradingView:
        halts = self._book.halts
        return TradingView(
            trading=halts.of(account_id) is None,
            account_id=str(account_id),
            desk=_view(halts.desk),
            account=_view(halts.accounts.get(account_id)),
            desk_phrase=self._phrase(None),
            account_phrase=self._phrase(account_id),
        )

    def _phrase(self, account_id: UUID | None) -> str:
        of = "" if account_id is None else f" of {account_id}"
        return f"resume trading{of} on {self._orders.rules.mode}"


def _view(halt: Halt | None) -> HaltView | None:
    if halt is None:
        return None
    by = None if halt.by is None else str(halt.by)
    return HaltView(halt.scope, halt.reason, iso(halt.at_ms), by)


VIEWS: Final = (
    HaltRequest,
    ResumeRequest,
    TradingView,
    HaltedView,
)
"""What these routes read and answer, for OpenAPI."""
