"""The rows of orders that batches cover: their digests made again, and one order's rows to show.

`event_leaf` stands in migration 0018, `attempt_leaf` in 0012; what is shown of a row here is what
its leaf is made of.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import msgspec

from quantdesk.access.audit.chain import Batch
from quantdesk.store.pool import Connection

_EVENTS: Final = """order_events r left join orders o on r.version = 1 and o.id = r.order_id"""
_OF: Final[Mapping[str, tuple[str, str, str]]] = MappingProxyType(
    {
        "event": (_EVENTS, "version", "event_leaf(r, o)"),
        "attempt": ("order_attempts r", "attempt", "attempt_leaf(r)"),
    }
)
KINDS: Final = tuple(_OF)
_LEAVES = 20_000  # a statement


class Place(msgspec.Struct, frozen=True):
    """Where a row stands in its batch."""

    order_id: UUID
    number: int


async def digests(c: Connection, kind: str, numbers: Sequence[int]) -> dict[int, Batch]:
    """Return these batches as their rows are now; one without rows is missing."""
    table, number, leaf = _OF[kind]
    rows = await c.fetch(
        f"""select r.batch, count(*) as rows,
              sha256(string_agg({leaf}, ''::bytea order by r.order_id, r.{number})) as digest
            from {table} where r.batch between $1 and $2 and r.batch = any($3::bigint[])
            group by r.batch""",  # noqa: S608 - of constants
        min(numbers),
        max(numbers),
        numbers,
    )
    return {row["batch"]: Batch(kind, row["batch"], row["rows"], row["digest"]) for row in rows}


async def leaves(
    c: Connection, kind: str, batch: int, *, after: Place | None = None, limit: int = _LEAVES
) -> list[tuple[Place, bytes]]:
    """Return the leaves of a batch with their rows, in order, a page at a time."""
    table, number, leaf = _OF[kind]
    rows = await c.fetch(
        f"""select r.order_id, r.{number} as number, {leaf} as leaf from {table}
            where r.batch = $1 and ($2::uuid is null or (r.order_id, r.{number}) > ($2, $3::int))
            order by r.order_id, r.{number} limit $4""",  # noqa: S608 - of constants
        batch,
        after and after.order_id,
        after and after.number,
        limit,
    )
    return [(Place(row["order_id"], row["number"]), row["leaf"]) for row in rows]


async def counts(c: Connection) -> dict[str, int]:
    """Return how many rows there are, by kind."""
    row = await c.fetchrow(
        """select (select count(*) from order_events) as event,
                  (select count(*) from order_attempts) as attempt"""
    )
    assert row is not None, "a count has a row"
    return dict(row.items())


async def account_of(c: Connection, order_id: UUID) -> UUID | None:
    """Return whose order it is, if there is one."""
    found: UUID | None = await c.fetchval(
        "select account_id from orders where id = $1 limit 1", order_id
    )
    return found


async def events(c: Connection, order_id: UUID) -> list[dict[str, Any]]:
    """Return an order's events as their leaves are made, the first with what was asked for."""
    rows = await c.fetch(
        """select batch, order_id, version, attempt, at, status, data::text as data
           from order_events where order_id = $1 order by version""",
        order_id,
    )
    wanted = await c.fetchrow(
        """select account_id, base_raw, slippage_bps, decision_id, created_at, expires_at, mode,
             pair, side, limit_price::text, notional_usd::text, priority
           from orders where id = $1 limit 1""",
        order_id,
    )
    found = [dict(row.items()) for row in rows]
    if found and wanted is not None and found[0]["version"] == 1:
        found[0]["intent"] = dict(wanted.items())
    return found


async def attempts(c: Connection, order_id: UUID) -> list[dict[str, Any]]:
    """Return an order's attempts as their leaves are made."""
    rows = await c.fetch(
        """select batch, order_id, attempt, last_valid_height, signed_at, signature, raw,
             simulation::text as simulation, route::text as route
           from order_attempts where order_id = $1 order by attempt""",
        order_id,
    )
    return [dict(row.items()) for row in rows]


async def covering(c: Connection, batches: Sequence[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Return which row of the audit covers each of these batches."""
    rows = await c.fetch(
        """select kind, batch, seq from audited_batches join
             unnest($1::text[], $2::bigint[]) as u(kind, batch) using (kind, batch)""",
        [kind for kind, _ in batches],
        [number for _, number in batches],
    )
    return {(row["kind"], row["batch"]): row["seq"] for row in rows}
