"""Orders over HTTP: place, preview, read, list, cancel, and the evidence of one.

`POST /api/orders` is a hot path and knows no framework; the rest are ordinary routes.
"""

import base64
import hashlib
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from fastapi import APIRouter, Query
from fastapi import Request as Framed
from fastapi.responses import Response
from msgspec import UNSET, UnsetType
from pydantic import BaseModel, ConfigDict, Field

from quantdesk.access.model import Permission
from quantdesk.api.answers import json, returns
from quantdesk.api.edge import Reply, Request
from quantdesk.api.malformed import HOW, cut, explained, repeated
from quantdesk.api.needs import needs
from quantdesk.chains.port import Priority
from quantdesk.core.clock import iso, unix_ms
from quantdesk.core.errors import Refused
from quantdesk.core.markets import Market, Side, market
from quantdesk.engines.orders.engine import Orders
from quantdesk.engines.orders.intake import Ask, Intake
from quantdesk.engines.orders.model import Attempt, Order, OrderStatus
from quantdesk.engines.orders.preview import Previews
from quantdesk.engines.orders.store.read import Filter
from quantdesk.engines.orders.wire import OrderView, filled_view, order_view

_NUMBER_STARTS = b"-0123456789"
_NUMBER_CHARACTERS_MAX = 50  # more digits than any amount has, fewer than would be rounded
_ADJUSTED_MAX = 18  # powers of ten that a price may be away from one
_FINEST = -30  # a power of ten below every token's base unit
_PAIR_MAX = 32
_KEY_MAX = 128
_KEY = re.compile(rf"[ -~]{{1,{_KEY_MAX}}}")
_YEARS = range(2000, 2200)  # what clocks and databases agree on, with room to spare
_ABSENT = msgspec.Raw(b"null")


class NewOrderRequest(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True):
    """What a trader sends; `amount` and `limitPrice` are JSON numbers, kept exactly as written."""

    pair: str
    amount: msgspec.Raw
    direction: Side
    limit_price: msgspec.Raw = msgspec.field(default_factory=lambda: _ABSENT)
    slippage_bps: Annotated[int, msgspec.Meta(ge=0, le=10_000)] = 50
    idempotency_key: Annotated[str, msgspec.Meta(min_length=1, max_length=_KEY_MAX)] | None = None
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    quote_id: UUID | None = None
    priority: Priority | UnsetType | None = UNSET


class PlacedView(msgspec.Struct, frozen=True, rename="camel"):
    """The answer to a placed order."""

    order_id: str
    status: str
    message: str
    mode: str


class PageView(msgspec.Struct, frozen=True, rename="camel"):
    """Orders, newest first; `nextCursor` asks for the older ones."""

    orders: list[OrderView]
    next_cursor: str | None


class PageQuery(BaseModel):
    """Which orders a page holds; `cursor` is the `nextCursor` of the page before."""

    model_config = ConfigDict(extra="forbid")

    status: OrderStatus | None = None
    pair: str | None = None
    mode: Literal["paper", "localnet", "devnet", "mainnet"] | None = None
    cursor: UUID | None = None
    limit: int = Field(50, ge=1, le=500)


class AttemptView(msgspec.Struct, frozen=True, rename="camel"):
    """One signed transaction; `transaction` is base64."""

    attempt: int
    route: dict[str, Any]
    simulation: dict[str, Any]
    transaction: str
    signature: str
    last_valid_block_height: int
    sent_at: str
    outcome: str | None


class EvidenceView(msgspec.Struct, frozen=True, rename="camel"):
    """Everything that proves what happened to an order."""

    intent: dict[str, Any]
    risk_decision: dict[str, Any]
    quotes: list[dict[str, Any]]
    attempts: list[AttemptView]
    receipt: dict[str, Any] | None
    realised: dict[str, Any] | None
    prices: list[dict[str, Any]]


_decode = msgspec.json.Decoder(NewOrderRequest).decode

Prove = Callable[[str, Sequence[str]], Awaitable[Mapping[str, Mapping[str, str]]]]
"""Says of an asset's price what the messages of these ids prove, by id: a word and a sentence."""


class OrderRoutes:
    """The routes of orders."""

    def __init__(self, *, orders: Orders, intake: Intake, previews: Previews, prove: Prove) -> None:
        self._prove = prove
        self._orders = orders
        self._intake = intake
        self._previews = previews
        self._placed = (
            b'","status":"PENDING","message":"Order created and queued for processing","mode":"%s"}'
            % orders.rules.mode.encode()
        )

    async def place(self, request: Request) -> Reply:
        """Place an order: 201, or 200 when its idempotency key placed it before."""
        ask, quote_id = self._ask(request)
        # Who lost the answer asks again, maybe later than the quote lasts: the order is there.
        placed = None if quote_id is None else await self._intake.earlier(ask)
        if placed is None:
            if quote_id is not None:
                await self._previews.hold(quote_id, ask)
            placed = await self._intake.take(ask)
        order_id = str(placed.order.id).encode()
        body = b'{"orderId":"' + order_id + self._placed
        headers: tuple[tuple[bytes, bytes], ...] = ((b"location", b"/api/orders/" + order_id),)
        if not placed.replayed:
            return Reply(201, body, headers)
        view = PlacedView(
            str(placed.order.id), placed.order.status.value, "Order exists", placed.order.mode
        )
        return Reply(200, msgspec.json.encode(view), (*headers, (b"idempotency-replayed", b"true")))

    async def preview(self, request: Request) -> Reply:
        """Quote an order without placing it."""
        ask, _ = self._ask(request)
        return Reply(200, msgspec.json.encode(await self._previews.preview(ask)))

    def routes(self) -> APIRouter:
        """Return the ordinary routes."""
        router = APIRouter(prefix="/api/orders", tags=["orders"])

        @router.get(
            "",
            **needs(Permission.ORDERS_READ),
            responses=returns(PageView),
            summary="List orders, newest first",
        )
        async def page(request: Framed, asked: Annotated[PageQuery, Query()]) -> Response:
            wanted = Filter(
                account_id=request.scope["principal"].account_id,
                mode=asked.mode or self._orders.rules.mode,
                status=asked.status,
                pair=None if asked.pair is None else _market(asked.pair).pair,
                before=asked.cursor,
                limit=asked.limit + 1,
            )
            return json(await self._page(wanted, asked.limit))

        @router.get(
            "/{order_id}",
            **needs(Permission.ORDERS_READ),
            responses=returns(OrderView),
            summary="One order",
        )
        async def get(request: Framed, order_id: str) -> Response:
            order = await self._own(request, order_id)
            return json(order_view(order, await self._orders.events([order.id])))

        @router.delete(
            "/{order_id}",
            **needs(Permission.ORDERS_WRITE),
            responses=returns(OrderView),
            summary="Cancel an order",
        )
        async def cancel(request: Framed, order_id: str) -> Response:
            account_id = request.scope["principal"].account_id
            order = await self._orders.cancel(account_id, _order_id(order_id))
            return json(order_view(order, await self._orders.events([order.id])))

        @router.get(
            "/{order_id}/evidence",
            **needs(Permission.ORDERS_READ),
            responses=returns(EvidenceView),
            summary="What proves an order",
        )
        async def evidence(request: Framed, order_id: str) -> Response:
            order = await self._own(request, order_id)
            decision: dict[str, Any] = await self._orders.decision(order.id)
            prices = [await self._proven(price) for price in decision.get("prices", ())]
            attempts = await self._orders.attempts(order.id)
            return json(_evidence(order, decision | {"prices": prices}, attempts))

        return router

    async def _proven(self, price: dict[str, Any]) -> dict[str, Any]:
        """Return a price with what the messages behind it prove, where they prove anything."""
        proofs = await self._prove(price["symbol"], price.get("rawIds", ()))
        return price | {"proofs": dict(proofs)} if proofs else price

    async def _own(self, request: Framed, order_id: str) -> Order:
        return await self._orders.get(request.scope["principal"].account_id, _order_id(order_id))

    async def _page(self, wanted: Filter, limit: int) -> PageView:
        found = await self._orders.page(wanted)
        shown = found[:limit]
        logs: dict[UUID, list[Any]] = {order.id: [] for order in shown}
        for event in await self._orders.events([order.id for order in shown]):
            logs[event.order_id].append(event)
        return PageView(
            orders=[order_view(order, logs[order.id]) for order in shown],
            next_cursor=str(shown[-1].id) if len(found) > limit else None,
        )

    def _ask(self, request: Request) -> tuple[Ask, UUID | None]:
        wanted = _read(request.body)
        key = _key(request, wanted)
        ask = Ask(
            account_id=request.principal.account_id,
            market=_market(wanted.pair),
            side=wanted.direction,
            amount=_amount(wanted.amount),
            slippage_bps=wanted.slippage_bps,
            limit_price=_limit_price(wanted.limit_price),
            expires_ms=_expires_ms(wanted),
            priority=wanted.priority or None,
            key=key,
            body_hash=b"" if key is None else _meaning(wanted),
        )
        return ask, wanted.quote_id


def _read(body: bytes) -> NewOrderRequest:
    try:
        wanted = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as problem:
        raise _malformed(explained(problem, body)) from problem
    if (name := repeated(body)) is not None:
        raise _malformed(f"{name} is there twice; say it once")
    return wanted


def _market(pair: str) -> Market:
    return market(pair if len(pair) <= _PAIR_MAX else cut(pair))


def _amount(raw: msgspec.Raw) -> Decimal:
    amount = _number(raw, "amount")
    if amount is None:
        raise _malformed(HOW["amount"])
    if amount.adjusted() < _FINEST:
        raise Refused("amount is finer than any token", code="amount.precision")
    return amount


def _limit_price(raw: msgspec.Raw) -> Decimal | None:
    price = _number(raw, "limitPrice")
    if price is not None and abs(price.adjusted()) > _ADJUSTED_MAX:
        raise Refused(f"no market ever trades at {price}", code="limit_price.range")
    return price


def _number(raw: msgspec.Raw, name: str) -> Decimal | None:
    text = bytes(raw)
    if text == b"null":
        return None
    if text[:1] not in _NUMBER_STARTS:
        raise _malformed(HOW[name])
    if len(text) > _NUMBER_CHARACTERS_MAX:
        raise _malformed(f"{name} holds at most {_NUMBER_CHARACTERS_MAX} characters")
    try:
        value = Decimal(text.decode())
    except InvalidOperation as problem:
        raise _malformed(f"{name} is beyond all numbers") from problem
    if not value > 0:
        raise _malformed(HOW[name])
    return value


def _expires_ms(wanted: NewOrderRequest) -> int | None:
    if wanted.expires_at is None:
        return None
    if wanted.expires_at.year not in _YEARS:
        raise _malformed(f"expiresAt must be from {_YEARS[0]} to {_YEARS[-1]}")
    if bytes(wanted.limit_price) == b"null":
        raise _malformed("expiresAt is of orders that wait: it needs a limitPrice")
    return unix_ms(wanted.expires_at)


def _key(request: Request, wanted: NewOrderRequest) -> str | None:
    header = request.headers.get(b"idempotency-key")
    key = wanted.idempotency_key if header is None else header.decode("latin-1")
    if key is None:
        return None
    if not _KEY.fullmatch(key):
        raise _malformed(HOW["idempotencyKey"])
    if wanted.idempotency_key not in {None, key}:
        raise _malformed("Idempotency-Key and idempotencyKey differ: send one of them")
    return key


def _meaning(wanted: NewOrderRequest) -> bytes:
    """Return a hash of what is asked, however it is spelled.

    Keys are kept for days: a field that came later counts only where it is there, so that a request
    from before it, sent again, is the same request.
    """
    said = msgspec.structs.replace(wanted, idempotency_key=None, priority=wanted.priority or UNSET)
    spelled = msgspec.json.encode(said)
    return hashlib.sha256(spelled).digest()


def _order_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Refused(f"there is no order {cut(text)}", code="order.unknown") from None


def _malformed(detail: str) -> Refused:
    return Refused(detail, code="request.malformed")


def _evidence(order: Order, decision: dict[str, Any], attempts: list[Attempt]) -> EvidenceView:
    last = attempts[-1] if attempts else None
    return EvidenceView(
        intent={
            "orderId": str(order.id),
            "pair": order.pair,
            "direction": order.side.value,
            "baseRaw": order.base_raw,
            "slippageBps": order.slippage_bps,
            "limitPrice": None if order.limit_price is None else f"{order.limit_price:f}",
            "priority": order.priority,
            "mode": order.mode,
            "createdAt": iso(order.created_ms),
        },
        risk_decision=decision,
        quotes=last.route.get("quotes", []) if last else [],
        attempts=[_attempt(attempt) for attempt in attempts],
        receipt=last.receipt if last else None,
        realised=_realised(order),
        prices=decision.get("prices", []),
    )


def _realised(order: Order) -> dict[str, Any] | None:
    if order.filled is None:
        return None
    filled = filled_view(order, order.filled)
    return {
        "base": filled.base,
        "quote": filled.quote,
        "networkFeeLamports": filled.network_fee_lamports,
    }


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.attempt,
        route=attempt.route,
        simulation=attempt.simulation,
        transaction=base64.b64encode(attempt.raw).decode(),
        signature=attempt.signature,
        last_valid_block_height=attempt.last_valid_height,
        sent_at=iso(attempt.signed_ms),
        outcome=attempt.outcome,
    )
