"""Cancelling everything at once: the kill switch.

Orders are taken in the order of their ids, some hundreds at a time, and one that is just being
moved is passed over: nothing here waits for a lock while it holds another, so it cannot deadlock
with the batches of the journal. What is passed over is found by the next call, or moved itself.
"""

from typing import Final
from uuid import UUID

from quantdesk.core.clock import utc
from quantdesk.engines.orders.model import CANCELLABLE, OrderEvent, OrderStatus
from quantdesk.store.pool import Connection

_EACH_MAX: Final = 500


async def cancel_open(
    c: Connection, *, mode: str, account_id: UUID | None, at_ms: int
) -> list[OrderEvent]:
    """Cancel some hundred orders of which nothing is signed; none are left to when it is empty."""
    rows = await c.fetch(
        """with due as (
             select id from orders
             where open and mode = $1 and status = any($2::text[])
               and ($3::uuid is null or account_id = $3)
             order by id limit $4 for update skip locked),
           moved as (
             update orders o set status = 'CANCELLED', open = false, version = version + 1,
                 waiting = null, lease_owner = null, updated_at = $5
             from due where o.id = due.id and o.mode = $1
             returning o.id, o.account_id, o.version, o.attempt),
           told as (
             insert into order_events (order_id, version, status, attempt, at, data)
             select id, version, 'CANCELLED', attempt, $5, '{}' from moved)
           select id, account_id, version, attempt from moved""",
        mode,
        [status.value for status in CANCELLABLE],
        account_id,
        _EACH_MAX,
        utc(at_ms),
    )
    return [
        OrderEvent(
            order_id=row["id"],
            account_id=row["account_id"],
            version=row["version"],
            status=OrderStatus.CANCELLED,
            attempt=row["attempt"],
            at_ms=at_ms,
        )
        for row in rows
    ]
