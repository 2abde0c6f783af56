"""Reading orders back: rows become nouns here and nowhere else."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.chains.port import Priority
from quantdesk.core.clock import unix_ms
from quantdesk.core.ids import first_id
from quantdesk.core.markets import Side
from quantdesk.engines.orders.model import (
    Attempt,
    Failure,
    Filled,
    Order,
    OrderEvent,
    OrderStatus,
    Terms,
)
from quantdesk.store.pool import Connection


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which orders a page holds: one account's, older than `before`, at most `limit`."""

    account_id: UUID
    mode: str
    status: str | None = None
    pair: str | None = None
    before: UUID | None = None
    open_only: bool = False
    limit: int = 50


_READ = """
select o.*, coalesce(a.route, '{}') as route from orders o
left join order_attempts a on a.order_id = o.id and a.attempt = o.attempt
"""


async def get(c: Connection, order_id: UUID, *, mode: str) -> Order | None:
    """Return an order as it stands."""
    row = await c.fetchrow(f"{_READ} where o.id = $1 and o.mode = $2", order_id, mode)
    return order_of(row) if row else None


async def page(c: Connection, wanted: Filter) -> list[Order]:
    """Return the orders wanted, newest first."""
    rows = await c.fetch(
        f"""{_READ} where o.account_id = $1 and o.mode = $2
            and ($3::text is null or o.status = $3) and ($4::text is null or o.pair = $4)
            and ($5::uuid is null or o.id < $5) and (not $6 or o.open)
            order by o.id desc limit $7""",
        wanted.account_id,
        wanted.mode,
        wanted.status,
        wanted.pair,
        wanted.before,
        wanted.open_only,
        wanted.limit,
    )
    return [order_of(row) for row in rows]


async def events(c: Connection, order_ids: Sequence[UUID]) -> list[OrderEvent]:
    """Return all that happened to these orders, in the order it happened to each."""
    rows = await c.fetch(
        """select e.*, o.account_id, o.pair, o.side, o.base_raw, o.slippage_bps, o.limit_price,
             o.expires_at, o.priority
           from order_events e join orders o on o.id = e.order_id
           where e.order_id = any($1::uuid[]) order by e.order_id, e.version""",
        order_ids,
    )
    return [
        OrderEvent(
            order_id=row["order_id"],
            account_id=row["account_id"],
            version=row["version"],
            status=OrderStatus(row["status"]),
            attempt=row["attempt"],
            at_ms=unix_ms(row["at"]),
            execution_price=_decimal(row["data"].get("executionPrice")),
            tx_hash=row["data"].get("txHash"),
            waiting=row["data"].get("waiting"),
            outcome=row["data"].get("outcome"),
            error=_failure(row["data"].get("error")),
            fate=row["data"].get("fate"),
            receipt=row["data"].get("receipt"),
            terms=_terms(row) if row["version"] == 1 else None,
        )
        for row in rows
    ]


async def attempts(c: Connection, order_ids: Sequence[UUID]) -> dict[UUID, list[Attempt]]:
    """Return the signed attempts of each order, first to last, each with what became of it."""
    rows = await c.fetch(
        """select a.*, e.data ->> 'fate' as outcome, e.data -> 'receipt' as receipt
           from order_attempts a left join order_events e on e.order_id = a.order_id
             and e.data -> 'fate' is not null
             and a.attempt = e.attempt - case when e.status = 'ROUTING' then 1 else 0 end
           where a.order_id = any($1::uuid[]) order by a.attempt""",
        order_ids,
    )
    found: dict[UUID, list[Attempt]] = {}
    for row in rows:
        found.setdefault(row["order_id"], []).append(
            Attempt(
                attempt=row["attempt"],
                route=row["route"],
                simulation=row["simulation"],
                raw=row["raw"],
                signature=row["signature"],
                last_valid_height=row["last_valid_height"],
                signed_ms=unix_ms(row["signed_at"]),
                outcome=row["outcome"],
                receipt=row["receipt"],
            )
        )
    return found


async def decision(c: Connection, order_id: UUID) -> dict[str, Any]:
    """Return the approval an order stands on."""
    found: dict[str, Any] = await c.fetchval(
        "select data -> 'decision' from order_events where order_id = $1 and version = 1", order_id
    )
    return found


async def held_key(c: Connection, account_id: UUID, key: str) -> tuple[UUID, bytes] | None:
    """Return the order an idempotency key stands for, and the hash of the request that made it."""
    row = await c.fetchrow(
        "select order_id, body_hash from idempotency_keys where account_id = $1 and key = $2",
        account_id,
        key,
    )
    return None if row is None else (row["order_id"], row["body_hash"])


async def open_orders(c: Connection, *, mode: str) -> list[Order]:
    """Return every open order, whoever leads it."""
    rows = await c.fetch("select * from orders where open and mode = $1", mode)
    return [order_of(row) for row in rows]


async def filled_usd(c: Connection, *, mode: str, since_ms: int) -> dict[UUID, Decimal]:
    """Return the US dollars of each account's orders made since that ended CONFIRMED."""
    rows = await c.fetch(
        """select account_id, sum(notional_usd) as usd from orders
           where mode = $1 and id >= $2 and status = 'CONFIRMED' group by account_id""",
        mode,
        first_id(since_ms),
    )
    return {row["account_id"]: row["usd"] for row in rows}


def order_of(row: asyncpg.Record) -> Order:
    """Return the noun of a row of `orders`, with its attempt's `route` where joined."""
    filled = row["filled_base_raw"]
    return Order(
        id=row["id"],
        mode=row["mode"],
        account_id=row["account_id"],
        pair=row["pair"],
        side=Side(row["side"]),
        base_raw=row["base_raw"],
        limit_price=row["limit_price"],
        slippage_bps=row["slippage_bps"],
        expires_ms=None if row["expires_at"] is None else unix_ms(row["expires_at"]),
        priority=_priority(row),
        notional_usd=row["notional_usd"],
        status=OrderStatus(row["status"]),
        version=row["version"],
        attempt=row["attempt"],
        waiting=row["waiting"],
        outcome=row["outcome"],
        execution_price=row["execution_price"],
        tx_hash=row["tx_hash"],
        route=row.get("route"),
        filled=None
        if filled is None
        else Filled(filled, row["filled_quote_raw"], row["network_fee_lamports"]),
        error=_failure(row["error"]),
        created_ms=unix_ms(row["created_at"]),
        updated_ms=unix_ms(row["updated_at"]),
    )


def _terms(row: asyncpg.Record) -> Terms:
    expires_at = row["expires_at"]
    return Terms(
        row["pair"],
        Side(row["side"]),
        row["base_raw"],
        row["slippage_bps"],
        row["limit_price"],
        None if expires_at is None else unix_ms(expires_at),
        _priority(row),
    )


def _priority(row: asyncpg.Record) -> Priority | None:
    return None if row["priority"] is None else Priority(row["priority"])


def _failure(data: dict[str, Any] | None) -> Failure | None:
    return None if data is None else Failure(**data)


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
