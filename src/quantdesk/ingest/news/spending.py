"""What sources may ask and spend, written down in Postgres: the ledger of `sources/budget.py`."""

from datetime import date
from decimal import Decimal

from quantdesk.ingest.news import store
from quantdesk.sources.budget import Cost
from quantdesk.store.pool import WritePool


class Spending:
    """A `Ledger` that no restart forgets, and that all desks of one database share."""

    def __init__(self, pool: WritePool) -> None:
        self._pool = pool

    async def reserve(self, name: str, day: str, cost: Cost, limit: Cost) -> Cost | None:
        """Add a cost to the day's unless that would pass the limit; raise `Unavailable`."""
        async with self._pool.transaction() as c:
            spent = await store.reserve(
                c,
                name,
                date.fromisoformat(day),
                cost=(cost.requests, cost.usd),
                limit=(limit.requests, limit.usd),
            )
        return None if spent is None else Cost(*spent)

    async def refund(self, name: str, day: str, usd: Decimal) -> None:
        """Take what was not charged off the day's dollars; raise `Unavailable`."""
        async with self._pool.transaction() as c:
            await store.refund(c, name, date.fromisoformat(day), usd)
