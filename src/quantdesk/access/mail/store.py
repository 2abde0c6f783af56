"""The SQL of mail that waits."""

from collections.abc import Collection
from typing import Any

from quantdesk.access.mail.model import Errand, Outcome
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection


async def waiting(c: Connection, *, up_to: int) -> int:
    """Return how many errands wait, counting no further than `up_to`."""
    count: int = await c.fetchval(
        "select count(*) from (select from letters where done_at is null limit $1) waiting", up_to
    )
    return count


async def put(c: Connection, errand: Errand, *, since_ms: int, at_most: int) -> None:
    """Insert an errand, unless its address had `at_most` of its kind since then."""
    await c.execute(
        """insert into letters (id, kind, recipient, made_at, due_at, expires_at)
           select $1, $2, $3, $4, $4, $5 where $7 > (
               select count(*) from letters
               where recipient = $3 and kind = $2 and made_at > $6)""",
        errand.id,
        errand.kind,
        errand.recipient,
        utc(errand.made_ms),
        utc(errand.expires_ms),
        utc(since_ms),
        at_most,
    )


async def claim(
    c: Connection, *, kinds: Collection[str], now_ms: int, lease_ms: int
) -> Errand | None:
    """Take up the errand that is due the longest; nobody else does before the lease is over."""
    row = await c.fetchrow(
        """update letters set due_at = $3, tries = tries + 1 where id = (
               select id from letters
               where done_at is null and due_at <= $2 and kind = any($1)
               order by due_at limit 1 for update skip locked)
           returning id, kind, recipient, made_at, expires_at, tries""",
        list(kinds),
        utc(now_ms),
        utc(now_ms + lease_ms),
    )
    return row and _errand(row)


async def postpone(c: Connection, errand: Errand, *, due_ms: int) -> None:
    """Try again then."""
    await c.execute(
        "update letters set due_at = $2 where id = $1 and done_at is null",
        errand.id,
        utc(due_ms),
    )


async def finish(c: Connection, errand: Errand, outcome: Outcome, *, now_ms: int) -> None:
    """Note how an errand ended."""
    await c.execute(
        "update letters set done_at = $2, outcome = $3 where id = $1 and done_at is null",
        errand.id,
        utc(now_ms),
        outcome,
    )


async def forget(c: Connection, *, before_ms: int, at_most: int) -> None:
    """Delete errands that ended before then."""
    await c.execute(
        """delete from letters where id in (
               select id from letters where done_at < $1 order by done_at limit $2)""",
        utc(before_ms),
        at_most,
    )


def _errand(row: Any) -> Errand:  # noqa: ANN401 - a row
    return Errand(
        id=row["id"],
        kind=row["kind"],
        recipient=row["recipient"],
        made_ms=unix_ms(row["made_at"]),
        expires_ms=unix_ms(row["expires_at"]),
        tries=row["tries"],
    )
