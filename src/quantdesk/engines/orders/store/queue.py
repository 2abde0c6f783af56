"""What is open, added up: how many orders stand where, and since when. For operators."""

import msgspec

from quantdesk.core.clock import unix_ms
from quantdesk.store.pool import Connection


class Standing(msgspec.Struct, frozen=True):
    """How many open orders stand in a state, resting ones apart, and when the oldest was made."""

    status: str
    resting: bool
    count: int
    oldest_ms: int


async def standing(c: Connection, *, mode: str) -> list[Standing]:
    """Return the open orders of a mode by state; Unix milliseconds."""
    rows = await c.fetch(
        """select status, waiting is not null as resting, count(*) as count,
             min(created_at) as oldest
           from orders where open and mode = $1 group by 1, 2 order by 1, 2""",
        mode,
    )
    return [
        Standing(row["status"], row["resting"], row["count"], unix_ms(row["oldest"]))
        for row in rows
    ]
