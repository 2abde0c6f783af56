"""Promise: a database is moved on in order, once, by one at a time, and never by guessing."""

import asyncio
from collections.abc import Sequence

import asyncpg
import pytest

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.store.migrate import Migration, migrate, pending, shipped

pytestmark = pytest.mark.anyio

_ONE = Migration(1, "one", "create table one (id int); insert into one values (1);")
_TWO = Migration(2, "two", "alter table one add column name text;")
_BAD = Migration(2, "bad", "insert into one values (2); select 1 / 0;")


async def _value(url: str, query: str) -> object:
    c = await asyncpg.connect(url)
    try:
        return await c.fetchval(query)
    finally:
        await c.close()


async def test_the_shipped_migrations_apply_and_are_then_done(empty_database: str) -> None:
    names = [migration.file for migration in shipped()]
    assert names[0].startswith("0001_")
    assert await pending(empty_database) == names
    assert await migrate(empty_database) == names
    assert await migrate(empty_database) == []
    assert await pending(empty_database) == []


async def test_only_what_is_outstanding_is_applied(empty_database: str) -> None:
    assert await migrate(empty_database, [_ONE]) == ["0001_one.sql"]
    assert await pending(empty_database, [_ONE, _TWO]) == ["0002_two.sql"]
    assert await migrate(empty_database, [_ONE, _TWO]) == ["0002_two.sql"]


async def test_asking_what_is_pending_changes_nothing(empty_database: str) -> None:
    await pending(empty_database, [_ONE])
    tables = "select count(*) from pg_tables where schemaname = 'public'"
    assert await _value(empty_database, tables) == 0


async def test_desks_that_start_at_once_apply_each_file_once(empty_database: str) -> None:
    done = await asyncio.gather(*(migrate(empty_database, [_ONE, _TWO]) for _ in range(4)))
    assert sorted(done) == [[], [], [], ["0001_one.sql", "0002_two.sql"]]
    assert await _value(empty_database, "select count(*) from one") == 1


async def test_a_file_that_fails_leaves_nothing_behind_and_keeps_those_before_it(
    empty_database: str,
) -> None:
    with pytest.raises(Refused, match=r"0002_bad\.sql does not apply: division by zero") as refused:
        await migrate(empty_database, [_ONE, _BAD])
    assert refused.value.code == "database.migrations"
    assert await _value(empty_database, "select count(*) from one") == 1
    assert await migrate(empty_database, [_ONE, _TWO]) == ["0002_two.sql"]


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ([_ONE], "newer than this desk"),
        ([_ONE, Migration(2, "two", _TWO.sql + " ")], "0002_two.sql was changed"),
        ([_ONE, _TWO, Migration(4, "four", "select 1")], "numbered"),
    ],
)
async def test_a_database_or_files_that_do_not_fit_stop_the_start(
    empty_database: str, known: Sequence[Migration], says: str
) -> None:
    await migrate(empty_database, [_ONE, _TWO])
    for door in (migrate, pending):
        with pytest.raises(Refused, match=says) as refused:
            await door(empty_database, known)
        assert refused.value.code == "database.migrations"


@pytest.mark.parametrize("door", [migrate, pending])
async def test_no_database_is_unavailable(door: object) -> None:
    with pytest.raises(DeskError) as away:
        await door("postgresql://x@/x?host=/nowhere")  # type: ignore[operator]
    assert isinstance(away.value, Unavailable)
    assert away.value.code == "database.unavailable"
