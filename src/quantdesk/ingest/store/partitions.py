"""Partitions: made before the first row needs them, dropped whole when they are old.

A partition is made as a table of its own and then attached, which unlike `partition of` lets others
read and write the rest meanwhile. Dropping needs the table for itself for a moment: it waits
`_LOCK_S` at most, and is tried again with the next sweep.

https://www.postgresql.org/docs/current/ddl-partitioning.html
"""

from collections.abc import Iterable
from typing import Final

from quantdesk.ingest.store.periods import Period, named
from quantdesk.store.pool import Connection

_LOCK: Final = 0x71_64_70_74  # "qdpt"; any number that nothing else in this database locks
_LOCK_S: Final = 2


async def create(c: Connection, periods: Iterable[Period]) -> None:
    """Make the partitions that are not there yet; `c` is in a transaction."""
    await _alone(c)
    for period in sorted(periods):
        if await c.fetchval("select to_regclass($1) is not null", period.name):
            continue
        begin, end = period.begin.isoformat(), period.end.isoformat()
        await c.execute(f"create table {period.name} (like {period.parent} including all)")
        await c.execute(
            f"alter table {period.parent} attach partition {period.name}"
            f" for values from ('{begin}') to ('{end}')"
        )


async def existing(c: Connection, parent: str) -> list[Period]:
    """Return the partitions of a table, the oldest first."""
    rows = await c.fetch(
        "select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid"
        " where i.inhparent = to_regclass($1) order by 1",
        parent,
    )
    found = (named(parent, row["relname"]) for row in rows)
    return [period for period in found if period is not None]


async def drop(c: Connection, period: Period) -> None:
    """Drop a partition with all its rows; `c` is in a transaction."""
    await _alone(c)
    await c.execute(f"drop table if exists {period.name}")


async def _alone(c: Connection) -> None:
    await c.execute(f"set local lock_timeout = '{_LOCK_S}s'")
    await c.execute("select pg_advisory_xact_lock($1)", _LOCK)
