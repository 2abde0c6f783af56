"""The SQL of limits on requests and on tries to sign in."""

from collections.abc import Sequence

import msgspec

from quantdesk.access.limits.tries import Tries
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


class Spending(msgspec.Struct, frozen=True):
    """Tokens spent of one bucket, all of them or since last told."""

    subject: str
    spent: float
    per_s: float


async def spend(c: Connection, spending: Sequence[Spending], *, at_ms: int) -> dict[str, float]:
    """Add tokens to what all processes spent, and return the whole of it, by subject."""
    ordered = sorted(spending, key=lambda one: one.subject)  # one order of locks for everybody
    rows = await c.fetch(
        """insert into rate_spending as known (subject, spent, at)
           select subject, spent, $4 from unnest($1::text[], $2::float8[], $3::float8[])
               as told (subject, spent, per_s) order by subject
           on conflict (subject) do update set
               spent = excluded.spent + greatest(0, known.spent - greatest(
                   0, extract(epoch from excluded.at - known.at)) * (
                   select per_s from unnest($1::text[], $3::float8[]) as t (subject, per_s)
                   where t.subject = known.subject)),
               at = greatest(known.at, excluded.at)
           returning subject, spent""",
        [one.subject for one in ordered],
        [one.spent for one in ordered],
        [one.per_s for one in ordered],
        utc(at_ms),
    )
    return {row["subject"]: row["spent"] for row in rows}


async def forget_spending(c: Connection, *, before_ms: int) -> None:
    """Drop buckets that are full again."""
    await c.execute("delete from rate_spending where at < $1", utc(before_ms))


async def tries(c: Connection, subject: bytes | None, network: str, *, at_ms: int) -> Tries:
    """Return the tries of an account's name from a network, locked until the transaction's end."""
    await c.execute(
        """insert into sign_in_tries (subject, network, at) values ($1, $2, $3)
           on conflict do nothing""",
        subject,
        network,
        utc(at_ms),
    )
    row = await c.fetchrow(
        """select tries_ms, locks, until_ms from sign_in_tries
           where subject is not distinct from $1 and network = $2 for update""",
        subject,
        network,
    )
    if row is None:  # swept between the two: as good as new
        return await tries(c, subject, network, at_ms=at_ms)
    return Tries(tuple(row["tries_ms"]), row["locks"], row["until_ms"])


async def keep_tries(
    c: Connection, subject: bytes | None, network: str, tries: Tries, *, at_ms: int
) -> None:
    """Store what was decided about tries."""
    await c.execute(
        """update sign_in_tries set tries_ms = $3, locks = $4, until_ms = $5, at = $6
           where subject is not distinct from $1 and network = $2""",
        subject,
        network,
        list(tries.tries_ms),
        tries.locks,
        tries.until_ms,
        utc(at_ms),
    )


async def forget_tries(c: Connection, *, before_ms: int, now_ms: int, rows_max: int) -> None:
    """Drop tries that count no more, and the oldest past a number of rows."""
    # Rows in use are passed over: waiting for them could deadlock with those who count.
    await c.execute(
        """delete from sign_in_tries where ctid = any(array(
             select ctid from sign_in_tries where at < $1 and until_ms < $2
             for update skip locked))""",
        utc(before_ms),
        now_ms,
    )
    await c.execute(
        """delete from sign_in_tries where ctid = any(array(
             select ctid from sign_in_tries order by at desc offset $1 for update skip locked))""",
        rows_max,
    )
