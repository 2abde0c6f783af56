"""Promise: what earlier versions filled and entered is in the ledger of this one, told truly."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from tests.flow.orders.books import SPLIT, Trade, World

from quantdesk.store.migrate import migrate, shipped
from quantdesk.store.pool import Pools, connect
from quantdesk.testing.stage import Stage

pytestmark = pytest.mark.anyio


async def test_that_orders_from_before_the_ledger_are_entered_too(
    empty_database: str, stage: Stage
) -> None:
    await migrate(empty_database, shipped()[:1])
    world = World(stage)
    old = await world.fill()
    rows = {table: await _rows(stage.pools, table, old) for table in _OF_AN_ORDER}
    async with await connect(empty_database, write_max=2, read_max=2) as pools:
        for table, kept in rows.items():
            await _restore(pools, table, kept)
        await migrate(empty_database)
        stage.pools = pools
        ledger = world.ledger()
        await ledger.step()

        assert [entry.order_id for entry in await world.entries(ledger)] == [old]


async def test_that_entries_of_earlier_versions_say_what_they_share_and_paid(
    empty_database: str, stage: Stage
) -> None:
    await migrate(empty_database, shipped()[:16])
    world = World(stage)
    ledger = world.ledger()
    split = await world.fill(SPLIT)
    lone = await world.fill(Trade(simulation={"quoteRaw": 100_050_000}))
    untold = await world.fill(Trade(receipt={"otherFees": {"BNB": "0.0003"}}))
    await ledger.step()
    async with await connect(empty_database, write_max=2, read_max=2) as pools:
        for order_id in (split, lone, untold):
            rows = await _rows(stage.pools, "execution_quality", order_id)
            for row in rows:
                del row["simulated_measured"], row["other_fees"]
            await _restore(pools, "execution_quality", rows)
            for table in _OF_AN_ORDER:
                await _restore(pools, table, await _rows(stage.pools, table, order_id))
        await migrate(empty_database)
        stage.pools = pools

        found = await world.entries(world.ledger())

    told = {entry.order_id: entry.simulated_measured for entry in found}
    assert (len(found), told) == (4, {split: False, lone: True, untold: False})
    fees = {entry.order_id: entry.other_fees for entry in found if entry.other_fees}
    assert fees == {untold: {"BNB": Decimal("0.0003")}}


_OF_AN_ORDER = {"orders": "id", "order_events": "order_id", "order_attempts": "order_id"}


async def _rows(pools: Pools, table: str, order_id: UUID) -> list[Any]:
    column = _OF_AN_ORDER.get(table, "order_id")
    async with pools.read.connection() as c:
        rows = await c.fetch(
            f"select to_jsonb({table}) as row from {table} where {column} = $1", order_id
        )
    return [row["row"] for row in rows]


async def _restore(pools: Pools, table: str, rows: Sequence[Any]) -> None:
    async with pools.write.connection() as c:
        await c.execute(
            f"insert into {table} select * from jsonb_populate_recordset(null::{table}, $1)", rows
        )
