"""Promise: a transaction happens whole or not at all, a reader cannot write, values stay exact."""

import asyncio
from decimal import Decimal
from uuid import UUID

import asyncpg
import pytest

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.pool import Pools, connect

pytestmark = pytest.mark.anyio

_TABLE = "create table notes (id int primary key, body text)"


async def _notes(pools: Pools) -> list[int]:
    async with pools.read.connection() as c:
        return [row["id"] for row in await c.fetch("select id from notes order by id")]


async def test_a_transaction_commits_what_it_wrote(pools: Pools) -> None:
    async with pools.write.transaction() as c:
        await c.execute(_TABLE)
        await c.execute("insert into notes values (1)")
    assert await _notes(pools) == [1]


async def test_an_error_inside_a_transaction_undoes_all_of_it(pools: Pools) -> None:
    async with pools.write.connection() as c:
        await c.execute(_TABLE)

    async def fail() -> None:
        async with pools.write.transaction() as c:
            await c.execute("insert into notes values (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert await _notes(pools) == []


async def test_a_cancelled_transaction_is_undone_and_its_connection_used_again(
    pools: Pools, database: str
) -> None:
    async with await connect(database, write_max=1, read_max=1) as narrow:
        async with narrow.write.connection() as c:
            await c.execute(_TABLE)
        inside = asyncio.Event()

        async def hang() -> None:
            async with narrow.write.transaction() as c:
                await c.execute("insert into notes values (1)")
                inside.set()
                await c.execute("select pg_sleep(60)")

        task = asyncio.create_task(hang())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await narrow.write.ping()
        assert await _notes(narrow) == []


async def test_a_unique_violation_reaches_the_caller_as_it_is(pools: Pools) -> None:
    async with pools.write.connection() as c:
        await c.execute(_TABLE)
    with pytest.raises(asyncpg.UniqueViolationError):
        async with pools.write.transaction() as c:
            await c.execute("insert into notes values (1), (1)")


@pytest.mark.parametrize(
    "statement", ["insert into migrations values (99, 'x', 'x')", "delete from orders", _TABLE]
)
async def test_a_reader_cannot_write(pools: Pools, statement: str) -> None:
    assert not hasattr(pools.read, "transaction")
    with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
        async with pools.read.connection() as c:
            await c.execute(statement)


async def test_sessions_plan_for_the_values_at_hand_and_never_compile(pools: Pools) -> None:
    for pool in (pools.write, pools.read):
        async with pool.connection() as c:
            assert await c.fetchval("show plan_cache_mode") == "force_custom_plan"
            assert await c.fetchval("show jit") == "off"
            assert await c.fetchval("show statement_timeout") != "0"


async def test_numbers_json_and_ids_come_back_exact(pools: Pools) -> None:
    sent = {"price": Decimal("0.1"), "at": [1, None, "x"], "ratio": 0.1}
    one = UUID(int=7)
    async with pools.read.connection() as c:
        row = await c.fetchrow(
            "select $1::jsonb, $2::numeric, $3::uuid", sent, Decimal("1e-18"), one
        )
        many = await c.fetchval("select $1::jsonb[]", [{"a": 1}, None])
    assert row is not None
    assert list(row) == [
        {"price": "0.1", "at": [1, None, "x"], "ratio": Decimal("0.1")},
        Decimal("1e-18"),
        one,
    ]
    assert many == [{"a": 1}, None]


async def test_writers_that_block_each_other_for_ever_are_told_it_is_busy(pools: Pools) -> None:
    async with pools.write.transaction() as c:
        await c.execute(_TABLE)
        await c.execute("insert into notes values (1), (2)")
    both = asyncio.Barrier(2)

    async def swap(first: int, second: int) -> None:
        async with pools.write.transaction() as c:
            await c.execute("update notes set body = 'x' where id = $1", first)
            await both.wait()
            await c.execute("update notes set body = 'x' where id = $1", second)

    ends = await asyncio.gather(swap(1, 2), swap(2, 1), return_exceptions=True)
    (lost,) = [end for end in ends if end is not None]
    assert isinstance(lost, Unavailable)
    assert lost.code == "database.busy"


async def test_a_lost_connection_is_unavailable_and_the_next_use_opens_another(
    pools: Pools,
) -> None:
    with pytest.raises(Unavailable) as lost:
        async with pools.write.connection() as c:
            await c.execute("reset role; select pg_terminate_backend(pg_backend_pid())")
    assert lost.value.code == "database.unavailable"
    await pools.ping()


async def test_misuse_of_a_healthy_connection_stays_a_bug(pools: Pools) -> None:
    with pytest.raises(asyncpg.InterfaceError):
        async with pools.read.connection() as c:
            await c.fetchval("select $1::int", 1, 2)


async def test_a_closed_pool_is_unavailable(database: str) -> None:
    opened = await connect(database, write_max=1, read_max=1)
    await opened.aclose()
    with pytest.raises(Unavailable) as closed:
        await opened.ping()
    assert closed.value.code == "database.unavailable"


async def test_connecting_where_nothing_listens_is_unavailable() -> None:
    with pytest.raises(Unavailable) as away:
        await connect("postgresql://x@/x?host=/nowhere", write_max=1, read_max=1)
    assert away.value.code == "database.unavailable"


@pytest.mark.parametrize("change", [("/test_", "/no_such_"), ("quantdesk@", "stranger@")])
async def test_a_database_that_does_not_let_us_in_is_refused(
    database: str, change: tuple[str, str]
) -> None:
    with pytest.raises(Refused) as refused:
        await connect(database.replace(*change), write_max=1, read_max=1)
    assert refused.value.code == "database.url"


@pytest.mark.parametrize("url", ["", "redis://localhost/0", "postgresql://x@h:port/x"])
async def test_an_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        await connect(url, write_max=1, read_max=1)
    assert refused.value.code == "database.url"
