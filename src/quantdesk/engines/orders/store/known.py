"""What a process that counts open orders asks of those that others place and end."""

from collections.abc import Sequence
from uuid import UUID

from quantdesk.engines.orders.model import Order, OrderStatus
from quantdesk.engines.orders.store.read import order_of
from quantdesk.store.pool import Connection


async def still_open(c: Connection, order_ids: Sequence[UUID], *, mode: str) -> list[Order]:
    """Return those of these orders that are open."""
    rows = await c.fetch(
        "select * from orders where id = any($1::uuid[]) and mode = $2 and open",
        order_ids,
        mode,
    )
    return [order_of(row) for row in rows]


async def ended(
    c: Connection, order_ids: Sequence[UUID], *, mode: str
) -> list[tuple[UUID, OrderStatus]]:
    """Return those of these orders that have ended, and how."""
    rows = await c.fetch(
        "select id, status from orders where id = any($1::uuid[]) and mode = $2 and not open",
        order_ids,
        mode,
    )
    return [(row["id"], OrderStatus(row["status"])) for row in rows]
