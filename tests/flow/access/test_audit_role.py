"""Promise: a desk cannot change its audit, also where its login may not make roles."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from quantdesk.cli.audit_checks import protection
from quantdesk.cli.checks import Level
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import connect
from quantdesk.store.role import ROLE

pytestmark = pytest.mark.anyio


@pytest.fixture
async def owner(empty_database: str) -> AsyncIterator[Any]:
    c = await asyncpg.connect(empty_database)
    yield c
    await c.execute("drop owned by plain cascade")
    await c.execute("drop role plain")
    await c.close()


async def plain(c: Any, url: str, *, member: bool) -> str:  # noqa: ANN401
    """Make a login that may make no roles, and return its URL."""
    if not await c.fetchval("select exists (select from pg_roles where rolname = $1)", ROLE):
        await c.execute(f"create role {ROLE} nologin")
    await c.execute("create role plain login nosuperuser nocreaterole")
    await c.execute("grant create on schema public to plain")
    if member:
        await c.execute(f"grant {ROLE} to plain; grant usage, create on schema public to {ROLE}")
    return url.replace("//quantdesk@", "//plain@")


async def test_that_without_the_role_triggers_refuse(owner: Any, empty_database: str) -> None:  # noqa: ANN401
    url = await plain(owner, empty_database, member=False)
    assert await migrate(url)
    async with (
        await connect(url, write_max=1, read_max=1) as pools,
        pools.write.connection() as c,
    ):
        assert await c.fetchval("select current_user") == "plain"
        for change in ("delete from audit", "update audit set seq = 1", "truncate audit"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="append-only"):
                await c.execute(change)
    said = await protection(url)
    assert said.level is Level.WARN
    assert f"grant {ROLE}" in said.cure


async def test_that_a_login_given_the_role_uses_it(owner: Any, empty_database: str) -> None:  # noqa: ANN401
    url = await plain(owner, empty_database, member=True)
    assert await migrate(url)
    async with (
        await connect(url, write_max=1, read_max=1) as pools,
        pools.write.connection() as c,
    ):
        assert await c.fetchval("select current_user") == ROLE
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="permission denied"):
            await c.execute("delete from audit")
        await c.execute("delete from acts")
        await c.execute("create table ticks_20991231 (like ticks including all)")
        await c.execute(
            "alter table ticks attach partition ticks_20991231"
            " for values from ('2099-12-31') to ('2100-01-01')"
        )
        await c.execute("drop table ticks_20991231")
    assert (await protection(url)).level is Level.OK
    assert await migrate(url) == []


async def test_that_missing_triggers_are_a_failure(database: str) -> None:
    assert (await protection(database)).level is Level.OK
    c = await asyncpg.connect(database)
    await c.execute("alter table audit disable trigger append_only")
    await c.close()
    assert (await protection(database)).level is Level.FAIL


async def test_that_a_database_without_tables_has_no_audit_yet(empty_database: str) -> None:
    said = await protection(empty_database)
    assert (said.level, "none yet" in said.said) == (Level.OK, True)
