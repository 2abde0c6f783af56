"""Trading limits over HTTP: what holds, who said so, and changing it while the desk runs.

Lowering is at once, and anybody may lower their own; whatever allows more than before needs the
permission and a fresh proof that a person is there. Names are those of the settings, `guard.*`.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from fastapi.responses import Response
from msgspec import UNSET, UnsetType
from starlette.requests import Request

from quantdesk.access.acts import Act
from quantdesk.access.audit import store as audit
from quantdesk.access.model import Permission, Principal
from quantdesk.api.answers import json, returns
from quantdesk.api.bodies import body
from quantdesk.api.needs import allow_wider, needs
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused
from quantdesk.core.ids import NewId
from quantdesk.guard.book import HALT, LimitBook, Note
from quantdesk.guard.limits import EDITABLE, Value, source_of, written
from quantdesk.guard.store import Changed
from quantdesk.store.pool import Connection

Fresh = Callable[[Principal, int], None]
"""Raises `proof.needed` unless the person behind a session proved to be there just now."""

_RECENT: Final = 20
_HISTORY_MAX: Final = 500


class LimitsRequest(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Limits to set, of the desk or of one account; null takes one away."""

    account: UUID | None = None
    pairs: list[str] | UnsetType | None = UNSET
    order_notional_usd_max: Decimal | UnsetType | None = UNSET
    day_notional_usd_max: Decimal | UnsetType | None = UNSET
    open_orders_max: int | UnsetType | None = UNSET
    slippage_bps_max: int | UnsetType | None = UNSET
    price_age_ms_max: int | UnsetType | None = UNSET
    price_band_bps_max: int | UnsetType | None = UNSET


class LimitView(msgspec.Struct, frozen=True):
    """A limit: what holds, which source says so, and what each of them says.

    US dollars are decimal strings; null is no bound. `source` is settings, desk, account, or
    combined: pairs that only several of them together leave over.
    """

    name: str
    value: Any
    source: str | None
    settings: Any
    desk: Any
    account: Any


class ChangeView(msgspec.Struct, frozen=True, rename="camel"):
    """A change of a limit, or of a halt (`halt`); `account` null is the desk."""

    version: int
    at: str
    account: str | None
    name: str
    before: Any
    after: Any
    by: str


class LimitsView(msgspec.Struct, frozen=True):
    """What bounds an account now, and how it came to that, newest change first."""

    account: str
    limits: list[LimitView]
    history: list[ChangeView]


class HistoryView(msgspec.Struct, frozen=True, rename="camel"):
    """Changes of limits, newest first; `nextBefore` asks for older ones."""

    changes: list[ChangeView]
    next_before: int | None


class LimitRoutes:
    """The routes of limits."""

    def __init__(self, *, book: LimitBook, fresh: Fresh, clock: Clock, new_id: NewId) -> None:
        self._book = book
        self._fresh = fresh
        self._clock = clock
        self._new_id = new_id

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(tags=["limits"])

        @router.get(
            "/api/limits",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(LimitsView),
            summary="What bounds an account, and who says so",
        )
        async def limits(request: Request, account: UUID | None = None) -> Response:
            return json(await self._view(await self._seen(request, account)))

        @router.get(
            "/api/limits/history",
            **needs(Permission.ACCOUNT_READ),
            responses=returns(HistoryView),
            summary="How limits changed",
        )
        async def history(
            request: Request,
            account: UUID | None = None,
            before: int | None = Query(None, ge=0, le=2**62),
            limit: int = Query(100, ge=1, le=_HISTORY_MAX),
        ) -> Response:
            whose = await self._seen(request, account)
            changes = await self._book.history(whose, below=before, limit=limit)
            return json(HistoryView(_told(changes), _next_before(changes, limit)))

        @router.put(
            "/api/limits",
            **needs(Permission.ACCOUNT_WRITE, body=LimitsRequest),
            responses=returns(LimitsView),
            summary="Set limits of the desk, or of an account",
        )
        async def change(request: Request) -> Response:
            return json(await self._changed(request, *await _wanted(request)))

        return router

    async def _changed(
        self, request: Request, account: UUID | None, told: Mapping[str, object]
    ) -> LimitsView:
        caller = caller_of(request)
        if account is None:
            allow_wider(caller, Permission.LIMITS_WRITE)
        whose = await self._seen(request, account)

        def judge(loosened: Collection[str]) -> None:
            if loosened or whose != caller.account_id:
                allow_wider(caller, Permission.LIMITS_WRITE)
            if loosened:
                self._fresh(caller, self._clock.now_ms())

        note = noting(request, "limit.changed", self._new_id)
        await self._book.edit(account, told, by=caller.account_id, judge=judge, note=note)
        return await self._view(whose)

    async def _seen(self, request: Request, account: UUID | None) -> UUID:
        """Return whose limits are asked for; another's are there only for who may change them."""
        return await seen(request, account, self._book)

    async def _view(self, account_id: UUID) -> LimitsView:
        book = self._book
        holds, desk, own = book.of(account_id), book.own(None), book.own(account_id)
        limits = []
        for name in EDITABLE:
            sources: dict[str, Value | None] = {
                "settings": getattr(book.settings, name),
                "desk": desk.get(name),
                "account": own.get(name),
            }
            limits.append(
                LimitView(
                    name,
                    _json(getattr(holds, name)),
                    source_of(name, holds, sources),
                    *(_json(value) for value in sources.values()),
                )
            )
        recent = await book.history(account_id, limit=_RECENT)
        return LimitsView(str(account_id), limits, _told(recent))


class _Open(msgspec.Struct):
    """Any JSON object: the book knows the names and says which one is wrong."""


_read = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


async def _wanted(request: Request) -> tuple[UUID | None, dict[str, object]]:
    await body(request, _Open)
    told = _read(await request.body())
    account = told.pop("account", None)
    try:
        return None if account is None else UUID(account), told
    except (AttributeError, ValueError):
        raise Refused("account is the ID of an account", code="limit.invalid") from None


def caller_of(request: Request) -> Principal:
    """Return who asks; the edge has let nobody else through."""
    principal: Principal = request.scope["principal"]
    return principal


async def seen(request: Request, account: UUID | None, book: LimitBook) -> UUID:
    """Return the account asked for, the caller's own where none is named.

    Raises `Refused` (`account.unknown`) for another's, unless the caller may change limits.
    """
    caller = caller_of(request)
    if account is None or account == caller.account_id:
        return caller.account_id
    if Permission.LIMITS_WRITE in caller.may and await book.is_account(account):
        return account
    raise Refused("there is no such account", code="account.unknown")


def noting(request: Request, action: str, new_id: NewId) -> Note:
    """Return what notes changes for the audit, in the transaction that makes them."""
    caller = caller_of(request)

    async def note(c: Connection, changes: Sequence[Changed]) -> None:
        acts = [
            Act(
                id=new_id(),
                at_ms=one.at_ms,
                action=action,
                origin=request.scope["origin"],
                about=_about(one),
                before=one.before,
                after=one.after,
            ).by(caller)
            for one in changes
        ]
        await audit.note(c, *acts)

    return note


def _about(one: Changed) -> str:
    what = "trading" if one.name == HALT else f"limit:{one.name}"
    return what if one.account_id is None else f"{what}:{one.account_id}"


def _json(value: Value | None) -> Any:  # noqa: ANN401 - JSON
    return None if value is None else written(value)


def _told(changes: Sequence[Changed]) -> list[ChangeView]:
    return [
        ChangeView(
            version=one.version,
            at=iso(one.at_ms),
            account=None if one.account_id is None else str(one.account_id),
            name=one.name,
            before=one.before,
            after=one.after,
            by=str(one.by),
        )
        for one in changes
    ]


def _next_before(changes: Sequence[Changed], limit: int) -> int | None:
    return changes[-1].version if len(changes) == limit else None


VIEWS: Final = (
    LimitsRequest,
    LimitsView,
    HistoryView,
)
"""What these routes read and answer, for OpenAPI."""
