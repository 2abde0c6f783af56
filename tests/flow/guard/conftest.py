"""Accounts, and books of limits on one database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from uuid import UUID

import pytest

from quantdesk.access import store as accounts
from quantdesk.access.model import Account, Role
from quantdesk.guard.book import LimitBook
from quantdesk.guard.check import Limits
from quantdesk.guard.store import Changed
from quantdesk.store.pool import Connection, Pools
from quantdesk.testing.clock import ManualClock

ANNA, BERT = UUID(int=11), UUID(int=12)
SETTINGS = Limits(order_notional_usd_max=Decimal(1_000))


@dataclass
class Office:
    """Several processes on one database, and what their callers noted."""

    pools: Pools
    clock: ManualClock = field(default_factory=ManualClock)
    noted: list[Changed] = field(default_factory=list)

    async def book(self, settings: Limits = SETTINGS) -> LimitBook:
        """Open the book of another process."""
        book = LimitBook(settings=settings, pools=self.pools, clock=self.clock)
        await book.load()
        return book

    async def note(self, _: Connection, changes: Sequence[Changed]) -> None:
        """Note changes."""
        self.noted += changes


@pytest.fixture
async def office(pools: Pools) -> Office:
    async with pools.write.transaction() as c:
        for account_id in (ANNA, BERT):
            await accounts.add_account(
                c, Account(id=account_id, name="anna", role=Role.TRADER, created_ms=1)
            )
    return Office(pools)
