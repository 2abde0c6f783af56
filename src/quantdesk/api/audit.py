"""The audit over HTTP: its rows and roots for those who may read them, and packs of evidence.

A pack is verified without any desk by `ops/verify_evidence.py`.
"""

from decimal import Decimal
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from quantdesk.access.audit import evidence
from quantdesk.access.audit.chain import Row
from quantdesk.access.audit.signing import Root, Signer, stated
from quantdesk.access.audit.store import chain
from quantdesk.access.model import Permission, Principal
from quantdesk.api.answers import json, returns
from quantdesk.api.listed import moment_ms
from quantdesk.api.malformed import cut
from quantdesk.api.needs import needs
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Pools

_ROOTS = 100


class AuditRowView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One act: who did what to what, from where; `code` is why it was refused.

    `hash` is sha256(`prevHash` ‖ `body`), and all that stands here is read from `body`.
    """

    seq: int
    at: str
    action: str
    hash: str
    prev_hash: str
    body: str
    account_id: str = ""
    key_id: str = ""
    session_id: str = ""
    about: str = ""
    code: str = ""
    ip: str = ""
    agent: str = ""
    request_id: str = ""
    before: Any = None
    after: Any = None
    batches: tuple[tuple[str, int, int, str], ...] = ()
    """Rows of orders that it covers: kind, number of the batch, rows, digest."""


class AuditView(msgspec.Struct, frozen=True, rename="camel"):
    """Rows of the audit, newest first; `nextCursor` asks for the older ones."""

    rows: list[AuditRowView]
    next_cursor: str | None


class AuditKeyView(msgspec.Struct, frozen=True, rename="camel"):
    """A key that signs roots; hexadecimal."""

    id: str
    public_key: str


class AuditRootView(msgspec.Struct, frozen=True, rename="camel"):
    """The signed root over rows `first` to `last`; `statement` is what was signed."""

    day: str | None
    first: int
    last: int
    statement: str
    key: str
    signature: str


class AuditRootsView(msgspec.Struct, frozen=True, rename="camel"):
    """Roots in order, with the keys that prove them; `nextCursor` asks for the later ones."""

    keys: list[AuditKeyView]
    roots: list[AuditRootView]
    next_cursor: str | None


class PackView(msgspec.Struct, frozen=True, rename="camel"):
    """Everything that proves an order, to be verified without the desk (docs/how-to/audit.md)."""

    format: str
    order_id: str
    status: str
    intent: dict[str, Any] | None
    risk_decision: dict[str, Any] | None
    quotes: list[Any] | None
    receipt: dict[str, Any] | None
    realised: dict[str, Any] | None
    events: list[dict[str, Any]]
    attempts: list[dict[str, Any]]
    batches: list[dict[str, Any]]
    rows: list[dict[str, Any]]
    roots: list[dict[str, Any]]
    keys: list[dict[str, Any]]


class AuditQuery(BaseModel):
    """Which rows a page holds; `action` is what it begins with, `from` and `to` are times."""

    model_config = ConfigDict(extra="forbid")

    account: UUID | None = None
    action: str | None = Field(None, max_length=80, pattern=r"^[a-z0-9_.]+$")
    about: str | None = Field(None, max_length=200, pattern=r"^[^\x00]+$")
    begin: str | None = Field(None, alias="from", max_length=40)
    end: str | None = Field(None, alias="to", max_length=40)
    cursor: int | None = Field(None, ge=1, lt=2**62)
    limit: int = Field(50, ge=1, le=500)


class RootsQuery(BaseModel):
    """Which roots a page holds; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    cursor: int = Field(0, ge=0, lt=2**62)


class AuditRoutes:
    """The routes of the audit."""

    def __init__(self, *, pools: Pools, signer: Signer, clock: Clock) -> None:
        self._pools = pools
        self._signer = signer
        self._clock = clock

    def routes(self) -> APIRouter:
        """Return the routes."""
        router = APIRouter(prefix="/api", tags=["audit"])

        @router.get(
            "/audit",
            **needs(Permission.AUDIT_READ),
            responses=returns(AuditView),
            summary="Who did what, newest first",
        )
        async def page(asked: Annotated[AuditQuery, Query()]) -> Response:
            return json(await self._page(asked))

        @router.get(
            "/audit/roots",
            **needs(Permission.AUDIT_READ),
            responses=returns(AuditRootsView),
            summary="The signed roots of each day",
        )
        async def roots(asked: Annotated[RootsQuery, Query()]) -> Response:
            return json(await self._roots(asked.cursor))

        @router.get(
            "/orders/{order_id}/evidence/pack",
            **needs(Permission.ORDERS_READ),
            responses=returns(PackView),
            summary="What proves an order, to be verified without the desk",
        )
        async def pack(request: Request, order_id: str) -> Response:
            known = await self._allowed(request.scope["principal"], order_id)
            found = await evidence.pack(
                self._pools, known, signer=self._signer, now_ms=self._clock.now_ms()
            )
            return Response(msgspec.json.encode(found), media_type="application/json")

        return router

    async def _allowed(self, principal: Principal, text: str) -> UUID:
        """Return the order if it is the caller's, or if they may read all of the audit."""
        unknown = Refused(f"there is no order {cut(text)}", code="order.unknown")
        try:
            order_id = UUID(text)
        except ValueError:
            raise unknown from None
        account = await evidence.owner_of(self._pools, order_id)
        if account is None:
            raise unknown
        if account != principal.account_id and Permission.AUDIT_READ not in principal.may:
            raise unknown
        return order_id

    async def _page(self, asked: AuditQuery) -> AuditView:
        wanted = chain.Filter(
            account=None if asked.account is None else str(asked.account),
            action=asked.action,
            about=asked.about,
            from_ms=moment_ms(asked.begin, name="from"),
            to_ms=moment_ms(asked.end, name="to"),
            before=asked.cursor,
            limit=asked.limit + 1,
        )
        async with self._pools.read.connection() as c:
            found = await chain.page(c, wanted)
        shown = found[: asked.limit]
        return AuditView(
            rows=[row_view(row) for row in shown],
            next_cursor=str(shown[-1].seq) if len(found) > asked.limit else None,
        )

    async def _roots(self, after: int) -> AuditRootsView:
        async with self._pools.read.snapshot() as c:
            keys = await chain.keys(c)
            found = await chain.roots(c, after=after, limit=_ROOTS + 1)
        shown = found[:_ROOTS]
        return AuditRootsView(
            keys=[AuditKeyView(key.id, key.public.hex()) for key in keys.values()],
            roots=[_root_view(root) for root in shown],
            next_cursor=str(stated(shown[-1]).last) if len(found) > _ROOTS else None,
        )


_decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode


def row_view(row: Row) -> AuditRowView:
    """Return a row of the audit as clients read it."""
    body = _decode(row.body)
    return AuditRowView(
        seq=row.seq,
        at=iso(body.get("at", 0)),
        action=body.get("action", ""),
        hash=row.hash.hex(),
        prev_hash=row.prev_hash.hex(),
        body=row.body,
        account_id=body.get("account", ""),
        key_id=body.get("key", ""),
        session_id=body.get("session", ""),
        about=body.get("about", ""),
        code=body.get("code", ""),
        ip=body.get("ip", ""),
        agent=body.get("agent", ""),
        request_id=body.get("request", ""),
        before=body.get("before"),
        after=body.get("after"),
        batches=tuple(tuple(one) for one in body.get("batches", ())),
    )


def _root_view(root: Root) -> AuditRootView:
    said = stated(root)
    return AuditRootView(
        day=said.day,
        first=said.first,
        last=said.last,
        statement=root.statement,
        key=root.key,
        signature=root.signature.hex(),
    )


VIEWS: Final = (AuditRowView, AuditView, AuditKeyView, AuditRootView, AuditRootsView, PackView)
"""What these routes read and answer, for OpenAPI."""
