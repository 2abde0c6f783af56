"""Counting what the audit holds: how often what was done in a time."""

from collections.abc import Sequence

from quantdesk.store.pool import Connection

_KINDS_MAX = 200

Count = tuple[str, int, int, int, int]
"""An action, how often it was, how often refused, by how many accounts, from how many addresses."""


async def counted(c: Connection, *, from_ms: int, to_ms: int) -> Sequence[Count]:
    """Return how often what was done in [from, to), the most frequent first."""
    rows = await c.fetch(
        """select body ->> 'action' as action, count(*) as acts,
             count(*) filter (where coalesce(body ->> 'code', '') <> '') as refused,
             count(distinct body ->> 'account') as accounts,
             count(distinct body ->> 'ip') as addresses
           from audit where (body ->> 'at')::bigint >= $1 and (body ->> 'at')::bigint < $2
           group by 1 order by acts desc, action limit $3""",
        from_ms,
        to_ms,
        _KINDS_MAX,
    )
    return [tuple(row) for row in rows]
