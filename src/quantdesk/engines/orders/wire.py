"""Orders and their events in the words of the HTTP and WebSocket contract.

camelCase, ISO times, and numbers exactly as decimal literals where the documents show numbers;
realized amounts are decimal strings. API and hub both speak these words.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.core.clock import iso
from quantdesk.core.markets import market
from quantdesk.core.money import from_raw, written
from quantdesk.engines.orders.model import Failure, Filled, Order, OrderEvent, Terms

encode = msgspec.json.Encoder(decimal_format="number").encode


class TermsView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What an order asks for, as it is asked for."""

    pair: str
    amount: Decimal
    direction: str
    slippage_bps: int
    limit_price: Decimal | None = None
    expires_at: str | None = None
    priority: str | None = None


class EventView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """One version of an order: the WebSocket message, and the entries of `logs`.

    The first message of an order tells its `terms`; `logs` stand beside them.
    """

    order_id: UUID
    status: str
    timestamp: str
    version: int
    attempt: int
    mode: str
    execution_price: Decimal | None = None
    tx_hash: str | None = None
    waiting: str | None = None
    outcome: str | None = None
    error: Failure | None = None
    terms: TermsView | None = None


class FilledView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What really moved; the network fee is in neither amount.

    `other_fees` are those paid in a third asset, such as BNB, by symbol; told only where paid.
    """

    base: str
    quote: str
    network_fee_lamports: int
    platform_fee: str
    other_fees: dict[str, str] | None = None


class OrderView(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """An order as it stands."""

    order_id: str
    pair: str
    amount: Decimal
    direction: str
    status: str
    mode: str
    version: int
    attempt: int
    created_at: str
    updated_at: str
    slippage_bps: int
    logs: list[EventView]
    execution_price: Decimal | None = None
    tx_hash: str | None = None
    route: dict[str, Any] | None = None
    limit_price: Decimal | None = None
    expires_at: str | None = None
    priority: str | None = None
    waiting: str | None = None
    outcome: str | None = None
    filled: FilledView | None = None
    error: Failure | None = None


def event_view(event: OrderEvent, *, mode: str) -> EventView:
    """Return an event as clients read it."""
    return EventView(
        order_id=event.order_id,
        status=event.status.value,
        timestamp=iso(event.at_ms),
        version=event.version,
        attempt=event.attempt,
        mode=mode,
        execution_price=event.execution_price,
        tx_hash=event.tx_hash,
        waiting=event.waiting,
        outcome=event.outcome,
        error=event.error,
    )


def message_view(event: OrderEvent, *, mode: str) -> EventView:
    """Return an event as clients hear it who may not know its order."""
    view = event_view(event, mode=mode)
    return msgspec.structs.replace(view, terms=terms_view(event.terms)) if event.terms else view


def terms_view(terms: Terms) -> TermsView:
    """Return an order's terms as clients read them."""
    return TermsView(
        pair=terms.pair,
        amount=from_raw(terms.base_raw, market(terms.pair).base.decimals),
        direction=terms.side.value,
        slippage_bps=terms.slippage_bps,
        limit_price=terms.limit_price,
        expires_at=None if terms.expires_ms is None else iso(terms.expires_ms),
        priority=terms.priority,
    )


def order_view(order: Order, events: list[OrderEvent]) -> OrderView:
    """Return an order with its events as clients read it."""
    traded = market(order.pair)
    return OrderView(
        order_id=str(order.id),
        pair=order.pair,
        amount=from_raw(order.base_raw, traded.base.decimals),
        direction=order.side.value,
        status=order.status.value,
        mode=order.mode,
        version=order.version,
        attempt=order.attempt,
        created_at=iso(order.created_ms),
        updated_at=iso(order.updated_ms),
        slippage_bps=order.slippage_bps,
        logs=[event_view(told, mode=order.mode) for told in events],
        execution_price=order.execution_price,
        tx_hash=order.tx_hash,
        route=order.route or None,
        limit_price=order.limit_price,
        expires_at=None if order.expires_ms is None else iso(order.expires_ms),
        priority=order.priority,
        waiting=order.waiting,
        outcome=order.outcome,
        filled=filled_view(order, order.filled, events) if order.filled else None,
        error=order.error,
    )


def filled_view(order: Order, filled: Filled, events: Sequence[OrderEvent] = ()) -> FilledView:
    """Return realized amounts as decimal strings; the last of `events` holds the receipt."""
    traded = market(order.pair)
    receipt = events[-1].receipt if events else None
    return FilledView(
        base=written(filled.base_raw, traded.base.decimals),
        quote=written(filled.quote_raw, traded.quote.decimals),
        network_fee_lamports=filled.network_fee_lamports,
        platform_fee="0",
        other_fees=receipt.get("otherFees") if receipt else None,
    )
