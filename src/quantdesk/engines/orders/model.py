"""An order and the only moves it can make.

The table below is the state machine of the whole engine: the worker, the store, the web page and
the tests all read it, and nothing else decides.

    PENDING → ROUTING → BUILDING → SUBMITTED → CONFIRMED

Three moves look odd and are not. An order may stay PENDING while it waits for its price. ROUTING
may follow ROUTING or BUILDING when nothing was signed yet and a fresh attempt is due. ROUTING may
follow SUBMITTED only after the chain proved that the signed bytes can never execute: this is the
one place where a double fill could be made, and `execution.py` reaches it through `DEAD` and
`REVERTED` alone. SUBMITTED may follow SUBMITTED to say that the chain does not answer (`outcome`
"unknown").
"""

from decimal import Decimal
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.errors import Corrupt
from quantdesk.core.markets import Side


class OrderStatus(StrEnum):
    """Where an order stands; the names the browser sees."""

    PENDING = "PENDING"
    ROUTING = "ROUTING"
    BUILDING = "BUILDING"
    SUBMITTED = "SUBMITTED"
    CONFIRMED = "CONFIRMED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"


S = OrderStatus
MOVES: dict[OrderStatus, frozenset[OrderStatus]] = {
    S.PENDING: frozenset({S.PENDING, S.ROUTING, S.FAILED, S.CANCELLED}),
    S.ROUTING: frozenset({S.ROUTING, S.BUILDING, S.FAILED, S.CANCELLED}),
    S.BUILDING: frozenset({S.ROUTING, S.SUBMITTED, S.FAILED, S.CANCELLED}),
    S.SUBMITTED: frozenset({S.SUBMITTED, S.ROUTING, S.CONFIRMED, S.FAILED}),
    S.CONFIRMED: frozenset(),
    S.FAILED: frozenset(),
    S.CANCELLED: frozenset(),
}
OPEN: frozenset[OrderStatus] = frozenset(status for status, moves in MOVES.items() if moves)
CANCELLABLE: frozenset[OrderStatus] = frozenset(
    status for status, moves in MOVES.items() if S.CANCELLED in moves
)


class Filled(msgspec.Struct, frozen=True):
    """What really moved, in base units; the network fee is in neither amount."""

    base_raw: int
    quote_raw: int
    network_fee_lamports: int


class Failure(msgspec.Struct, frozen=True):
    """Why an order failed, as the trader reads it."""

    code: str
    detail: str
    retryable: bool


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """A trader's wish to buy or sell exactly `base_raw` base units, and how far it has come.

    Times are Unix milliseconds. `version` counts events from 1 without gap; `attempt` counts
    transactions signed or tried.
    """

    id: UUID
    mode: str
    account_id: UUID
    pair: str
    side: Side
    base_raw: int
    slippage_bps: int
    notional_usd: Decimal
    created_ms: int
    updated_ms: int
    limit_price: Decimal | None = None
    expires_ms: int | None = None
    priority: Priority | None = None
    status: OrderStatus = S.PENDING
    version: int = 1
    attempt: int = 1
    waiting: str | None = None
    outcome: str | None = None
    execution_price: Decimal | None = None
    tx_hash: str | None = None
    route: dict[str, Any] | None = None
    filled: Filled | None = None
    error: Failure | None = None

    def moved(self, to: OrderStatus, *, at_ms: int, **changes: object) -> "Order":
        """Return this order one version on; raise `Corrupt` on an illegal move."""
        if to not in MOVES[self.status]:
            raise Corrupt(f"order {self.id}: {self.status} cannot become {to}", code="order.move")
        return msgspec.structs.replace(
            self,
            status=to,
            version=self.version + 1,
            updated_ms=at_ms,
            waiting=changes.pop("waiting", None),
            outcome=changes.pop("outcome", None),
            **changes,
        )

    @property
    def is_open(self) -> bool:
        """Return whether anything may still happen to it."""
        return self.status in OPEN


class Terms(msgspec.Struct, frozen=True, omit_defaults=True):
    """What an order asks for, none of which ever changes.

    An order without a `priority` lands by the desk's, as that is set at each attempt.
    """

    pair: str
    side: Side
    base_raw: int
    slippage_bps: int
    limit_price: Decimal | None = None
    expires_ms: int | None = None
    priority: Priority | None = None


class OrderEvent(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of an order, as it is stored, published and streamed.

    The first one tells the order's `terms`, so that whoever hears of it need not ask.
    `fate` (LANDED, REVERTED or DEAD) and `receipt` say what became of the transaction that this
    event ends.
    """

    order_id: UUID
    account_id: UUID
    version: int
    status: OrderStatus
    attempt: int
    at_ms: int
    execution_price: Decimal | None = None
    tx_hash: str | None = None
    waiting: str | None = None
    outcome: str | None = None
    error: Failure | None = None
    fate: str | None = None
    receipt: dict[str, Any] | None = None
    terms: Terms | None = None


def event(
    order: Order, *, fate: str | None = None, receipt: dict[str, Any] | None = None
) -> OrderEvent:
    """Return the event that says what the order's latest version is."""
    return OrderEvent(
        order_id=order.id,
        account_id=order.account_id,
        version=order.version,
        status=order.status,
        attempt=order.attempt,
        at_ms=order.updated_ms,
        execution_price=order.execution_price,
        tx_hash=order.tx_hash,
        waiting=order.waiting,
        outcome=order.outcome,
        error=order.error,
        fate=fate,
        receipt=receipt,
        terms=terms(order) if order.version == 1 else None,
    )


def terms(order: Order) -> Terms:
    """Return what an order asks for."""
    return Terms(
        order.pair,
        order.side,
        order.base_raw,
        order.slippage_bps,
        order.limit_price,
        order.expires_ms,
        order.priority,
    )


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One signed transaction of an order, and everything that led to it.

    `route` holds the quotes seen and the choice; `outcome` is LANDED, REVERTED or DEAD once known,
    as the event that ended the attempt says.
    """

    attempt: int
    route: dict[str, Any]
    simulation: dict[str, Any]
    raw: bytes
    signature: str
    last_valid_height: int
    signed_ms: int
    outcome: str | None = None
    receipt: dict[str, Any] | None = None


class NewOrder(msgspec.Struct, frozen=True):
    """A row to insert: the order, the approval it stands on, and its idempotency key if any."""

    order: Order
    decision_id: UUID
    decision: dict[str, Any]
    key: str | None = None
    body_hash: bytes = b""


class Step(msgspec.Struct, frozen=True):
    """Moves of one order to be committed together: from `version_from` to `order.version`.

    The first step of an order starts from version 0 and carries the row to insert.
    """

    version_from: int
    order: Order
    events: tuple[OrderEvent, ...]
    attempts: tuple[Attempt, ...]
    new: NewOrder | None = None
