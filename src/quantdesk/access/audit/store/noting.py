"""Acts and batches until they are chained: noted by whoever does them, taken by the keeper.

Taking is deleting, in the transaction that appends to the audit. So each is in exactly one of both
at any moment, and one that a long transaction commits late, under a low number, is taken later.
"""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from quantdesk.access.acts import Act
from quantdesk.access.audit.chain import Batch, canonical
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection

_NOTE = "insert into acts (id, at, act) values ($1, $2, $3::text::json)"


class Noted(msgspec.Struct, frozen=True):
    """An act that waits, as it was stored."""

    number: int
    id: UUID
    act: str


async def note(c: Connection, *acts: Act) -> None:
    """Note acts in the transaction that does them."""
    await c.executemany(_NOTE, [_row(act) for act in acts])


async def note_once(c: Connection, acts: Iterable[Act]) -> None:
    """Note acts of which some may wait already, because an earlier answer was lost."""
    await c.executemany(f"{_NOTE} on conflict do nothing", [_row(act) for act in acts])


async def waits(c: Connection) -> bool:
    """Return whether anything waits to be chained."""
    found: bool = await c.fetchval(
        "select exists(select from acts) or exists(select from order_batches)"
    )
    return found


async def take_acts(c: Connection, *, limit: int) -> list[Noted]:
    """Take the first acts that wait, in order."""
    rows = await c.fetch(
        """delete from acts where number in (select number from acts order by number limit $1)
           returning number, id, act::text as act""",
        limit,
    )
    return sorted((Noted(*row) for row in rows), key=lambda noted: noted.number)


async def take_batches(c: Connection, *, limit: int) -> list[Batch]:
    """Take the first batches of orders that wait, in order."""
    rows = await c.fetch(
        """delete from order_batches where (kind, batch) in
             (select kind, batch from order_batches order by kind, batch limit $1)
           returning kind, batch, rows, digest""",
        limit,
    )
    return sorted((Batch(*row) for row in rows), key=lambda batch: (batch.kind, batch.number))


async def chained(c: Connection, ids: list[UUID]) -> set[UUID]:
    """Return which of these acts stand in the audit already."""
    rows = await c.fetch(
        "select (body ->> 'id')::uuid from audit where (body ->> 'id')::uuid = any($1::uuid[])", ids
    )
    return {row[0] for row in rows}


async def waiting(c: Connection) -> tuple[int, dict[str, int]]:
    """Return how many acts wait, and how many rows of orders, by kind."""
    acts: int = await c.fetchval("select count(*) from acts")
    rows = await c.fetch("select kind, sum(rows)::bigint from order_batches group by kind")
    return acts, {row[0]: row[1] for row in rows}


def _row(act: Act) -> tuple[object, ...]:
    return act.id, utc(act.at_ms), canonical(msgspec.to_builtins(act)).decode()
