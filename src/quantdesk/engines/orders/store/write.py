"""Writing orders: many per statement, every move a compare-and-set on `version`.

One statement inserts new orders, moves others, appends the events and attempts of both, and notes
which of them filled for the ledgers of execution quality and of the portfolio: one round trip and
nothing to undo. A batch travels as one JSON document per table, which costs the desk a seventh of
what typed arrays do (docs/decisions/0002). Two traps are stepped round on purpose. The
compare-and-set hides inside `case`, so that the planner does not mistake an unseen lease owner for
a way to find few rows; the mode comes as a column, so that it sees the primary key and not a
constant.
"""

from base64 import b64encode
from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.core.clock import utc
from quantdesk.engines.orders.model import (
    CANCELLABLE,
    Attempt,
    Failure,
    NewOrder,
    Order,
    OrderEvent,
    OrderStatus,
    Step,
)
from quantdesk.engines.orders.store.read import order_of
from quantdesk.store.pool import Connection


class _Row(msgspec.Struct, frozen=True):
    id: UUID
    mode: str
    was: int
    status: str
    open: bool
    version: int
    attempt: int
    waiting: str | None
    outcome: str | None
    price: Decimal | None
    tx: str | None
    base: int | None
    quote: int | None
    fee: int | None
    error: Failure | None
    at: int
    new: "_New | None"


class _New(msgspec.Struct, frozen=True):
    account: UUID
    pair: str
    side: str
    base: int
    price: Decimal | None
    slippage: int
    expires: int | None
    priority: str | None
    usd: Decimal
    decision_id: UUID
    at: int


class _Key(msgspec.Struct, frozen=True):
    account: UUID
    key: str
    body_hash: str
    order_id: UUID
    at: int


class _Event(msgspec.Struct, frozen=True):
    order_id: UUID
    version: int
    status: str
    attempt: int
    at: int
    data: dict[str, Any]


class _Attempt(msgspec.Struct, frozen=True):
    order_id: UUID
    attempt: int
    route: dict[str, Any]
    simulation: dict[str, Any]
    raw: str
    signature: str
    last_valid_height: int
    at: int


_KEYS = """
insert into idempotency_keys (account_id, key, body_hash, order_id, created_at)
select account, key, decode(body_hash, 'base64'), order_id, to_timestamp(at / 1000.0)
from json_to_recordset($1::json)
  as u(account uuid, key text, body_hash text, order_id uuid, at bigint)
on conflict do nothing returning order_id
"""

_HOLDERS = """
select k.account_id, k.key, k.order_id from idempotency_keys k
join json_to_recordset($1::json) as u(account uuid, key text)
  on (k.account_id, k.key) = (u.account, u.key)
"""


async def _claim_keys(c: Connection, new: Sequence[NewOrder]) -> dict[UUID, UUID]:
    """Claim the keys; return, for each order that came too late, the order that holds its key."""
    # Always in the same order, so that two batches wait for each other and never both.
    keyed = sorted((row for row in new if row.key is not None), key=_key_order)
    claimed = await c.fetch(_KEYS, [_key(row) for row in keyed])
    won = {record["order_id"] for record in claimed}
    lost = [row for row in keyed if row.order.id not in won]
    if not lost:
        return {}
    holders = await c.fetch(_HOLDERS, [_key(row) for row in lost])
    held = {(record["account_id"], record["key"]): record["order_id"] for record in holders}
    return {row.order.id: held[row.order.account_id, row.key] for row in lost}


_COMMIT = """
with u as materialized (
  select * from json_to_recordset($1::json) as u(id uuid, mode text, was int, status text,
      open boolean, version int, attempt int, waiting text, outcome text, price numeric, tx text,
      base bigint, quote bigint, fee bigint, error jsonb, at bigint, new json)),
born as (
  insert into orders (id, mode, account_id, pair, side, base_raw, limit_price, slippage_bps,
      expires_at, priority, notional_usd, decision_id, status, open, version, attempt, waiting,
      execution_price, tx_hash, error, lease_owner, lease_until, created_at, updated_at)
  select u.id, u.mode, n.account, n.pair, n.side, n.base, n.price, n.slippage,
      to_timestamp(n.expires / 1000.0), n.priority, n.usd, n.decision_id, u.status, u.open,
      u.version, u.attempt, u.waiting, u.price, u.tx, u.error,
      case when u.open then $4::uuid end, now() + make_interval(secs => $5),
      to_timestamp(n.at / 1000.0), to_timestamp(u.at / 1000.0)
  from u, json_to_record(u.new) as n(account uuid, pair text, side text, base bigint,
      price numeric, slippage int, expires bigint, priority text, usd numeric, decision_id uuid,
      at bigint)
  where u.was = 0
  returning id),
moved as (
  update orders o set status = u.status, open = u.open, version = u.version, attempt = u.attempt,
      waiting = u.waiting, outcome = u.outcome, execution_price = u.price, tx_hash = u.tx,
      filled_base_raw = u.base, filled_quote_raw = u.quote, network_fee_lamports = u.fee,
      error = u.error, updated_at = to_timestamp(u.at / 1000.0),
      lease_owner = case when u.open then o.lease_owner end
  from u
  where (o.id, o.mode) = (u.id, u.mode) and u.was > 0
    and case when o.version = u.was and o.lease_owner = $4 then true else false end
  returning o.id),
done as (select id from born union all select id from moved),
events as (
  insert into order_events (order_id, version, status, attempt, at, data)
  select order_id, version, status, attempt, to_timestamp(at / 1000.0), data
  from json_to_recordset($2::json) as e(order_id uuid, version int, status text, attempt int,
      at bigint, data json)
  where order_id in (select id from done)),
attempts as (
  insert into order_attempts (order_id, attempt, route, simulation, raw, signature,
      last_valid_height, signed_at)
  select order_id, attempt, route, simulation, decode(raw, 'base64'), signature,
      last_valid_height, to_timestamp(at / 1000.0)
  from json_to_recordset($3::json) as a(order_id uuid, attempt int, route json, simulation json,
      raw text, signature text, last_valid_height bigint, at bigint)
  where order_id in (select id from done)),
noted as (
  insert into execution_unread (order_id)
  select u.id from u join done using (id) where u.status = 'CONFIRMED' on conflict do nothing
  returning order_id),
filled as (insert into portfolio_unread (order_id) select order_id from noted)
select id from done
"""

_DONE = """
select e.order_id from order_events e
join json_to_recordset($1::json) as u(order_id uuid, version int, status text, attempt int,
    at bigint, data jsonb)
  on (e.order_id, e.version, e.status, e.attempt, e.at, e.data::jsonb)
   = (u.order_id, u.version, u.status, u.attempt, to_timestamp(u.at / 1000.0), u.data)
"""


def has_keys(steps: Sequence[Step]) -> bool:
    """Return whether `commit` needs a transaction: keys are claimed before orders are inserted."""
    return any(step.new is not None and step.new.key is not None for step in steps)


async def commit(
    c: Connection, steps: Sequence[Step], *, owner: UUID | None, lease_s: float
) -> dict[UUID, UUID]:
    """Commit steps: new orders, and moves of orders that stand where we left them and are ours.

    Returns, for each order that now stands at its step's version because of us (also by an earlier
    call whose answer was lost), its own id; for a new order whose idempotency key an earlier one
    holds, that one's id. Orders that belong to someone else now are missing. New orders of nobody
    (`owner` None, `lease_s` 0) are anybody's to claim; nobody moves any.
    """
    stands: dict[UUID, UUID] = {}
    if has_keys(steps):
        stands = await _claim_keys(c, [step.new for step in steps if step.new is not None])
        steps = [step for step in steps if step.order.id not in stands]
    if not steps:
        return stands
    done = await c.fetch(
        _COMMIT,
        [_row(step) for step in steps],
        [_event(e, step.new) for step in steps for e in step.events],
        [_attempt(step.order.id, a) for step in steps for a in step.attempts],
        owner,
        lease_s,
    )
    stands.update((record["id"], record["id"]) for record in done)
    missed = [step for step in steps if step.order.id not in stands]
    if missed:
        last = [_event(step.events[-1], step.new) for step in missed]
        found = await c.fetch(_DONE, last)
        stands.update((record["order_id"], record["order_id"]) for record in found)
    return stands


async def claim(
    c: Connection, *, mode: str, owner: UUID, lease_s: float, limit: int
) -> list[Order]:
    """Lease open orders whose lease has run out to `owner`, oldest lease first."""
    rows = await c.fetch(
        """update orders set lease_owner = $1, lease_until = now() + make_interval(secs => $2)
           where open and (id, mode) in (
             select id, mode from orders where open and mode = $3 and lease_until < now()
             order by lease_until limit $4 for update skip locked) returning *""",
        owner,
        lease_s,
        mode,
        limit,
    )
    return [order_of(row) for row in rows]


async def renew(c: Connection, order_ids: Sequence[UUID], *, owner: UUID, lease_s: float) -> None:
    """Keep the leases of these orders, if they are still `owner`'s.

    One that a commit moves at this moment is left for the next time: waiting for it while holding
    others, which that commit may want, would be a deadlock.
    """
    await c.execute(
        """update orders set lease_until = now() + make_interval(secs => $3)
           where open and (id, mode) in (
             select id, mode from orders where id = any($1::uuid[]) and open
               and case when lease_owner = $2 then true else false end
             for update skip locked)""",
        order_ids,
        owner,
        lease_s,
    )


async def release(c: Connection, *, owner: UUID) -> None:
    """Give up every lease of `owner`, so that the next desk starts at once."""
    await c.execute("update orders set lease_until = now() where open and lease_owner = $1", owner)


async def cancel(c: Connection, order_id: UUID, *, mode: str, at_ms: int) -> OrderEvent | None:
    """Cancel an order if nothing of it was signed; the version makes its worker lose the race.

    Returns the event, or None when it is too late.
    """
    row = await c.fetchrow(
        """with moved as (
             update orders set status = 'CANCELLED', open = false, version = version + 1,
                 waiting = null, lease_owner = null, updated_at = $3
             where id = $1 and mode = $2 and status = any($4::text[])
             returning id, account_id, version, attempt)
           insert into order_events (order_id, version, status, attempt, at, data)
           select id, version, 'CANCELLED', attempt, $3, '{}' from moved
           returning version, attempt, (select account_id from moved) as account_id""",
        order_id,
        mode,
        utc(at_ms),
        [status.value for status in CANCELLABLE],
    )
    return row and OrderEvent(
        order_id=order_id,
        account_id=row["account_id"],
        version=row["version"],
        status=OrderStatus.CANCELLED,
        attempt=row["attempt"],
        at_ms=at_ms,
    )


async def forget_keys(c: Connection, *, before_ms: int) -> None:
    """Drop idempotency keys older than their promise."""
    await c.execute("delete from idempotency_keys where created_at < $1", utc(before_ms))


def _row(step: Step) -> _Row:
    order = step.order
    filled = order.filled
    return _Row(
        order.id,
        order.mode,
        step.version_from,
        order.status.value,
        order.is_open,
        order.version,
        order.attempt,
        order.waiting,
        order.outcome,
        order.execution_price,
        order.tx_hash,
        filled.base_raw if filled else None,
        filled.quote_raw if filled else None,
        filled.network_fee_lamports if filled else None,
        order.error,
        order.updated_ms,
        None if step.new is None else _new(step.new),
    )


def _new(new: NewOrder) -> _New:
    order = new.order
    return _New(
        order.account_id,
        order.pair,
        order.side.value,
        order.base_raw,
        order.limit_price,
        order.slippage_bps,
        order.expires_ms,
        order.priority,
        order.notional_usd,
        new.decision_id,
        order.created_ms,
    )


def _key(row: NewOrder) -> _Key:
    assert row.key is not None, "only orders with a key claim one"
    order = row.order
    hashed = b64encode(row.body_hash).decode()
    return _Key(order.account_id, row.key, hashed, order.id, order.created_ms)


def _key_order(row: NewOrder) -> tuple[bytes, str]:
    return row.order.account_id.bytes, row.key or ""


def _event(e: OrderEvent, new: NewOrder | None) -> _Event:
    data = {name: value for name, value in _facts(e) if value is not None}
    if e.version == 1:
        assert new is not None, "the first event comes with the order and its approval"
        data["decision"] = new.decision
    return _Event(e.order_id, e.version, e.status.value, e.attempt, e.at_ms, data)


def _facts(e: OrderEvent) -> tuple[tuple[str, Any], ...]:
    return (
        ("executionPrice", e.execution_price),
        ("txHash", e.tx_hash),
        ("waiting", e.waiting),
        ("outcome", e.outcome),
        ("error", e.error),
        ("fate", e.fate),
        ("receipt", e.receipt),
    )


def _attempt(order_id: UUID, a: Attempt) -> _Attempt:
    return _Attempt(
        order_id,
        a.attempt,
        a.route,
        a.simulation,
        b64encode(a.raw).decode(),
        a.signature,
        a.last_valid_height,
        a.signed_ms,
    )
