"""A real Postgres for every flow test: one server per session, one fresh migrated database each."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from itertools import count

import asyncpg
import pytest

from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import migrate
from quantdesk.store.pool import Pools, connect

_numbers = count(1)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run the embedded server for the whole session; the URL of its empty database."""
    server = Embedded(tmp_path_factory.mktemp("desk"))
    yield asyncio.run(server.start())
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def migrated(postgres: str) -> str:
    """Name a database with every migration applied, for others to be copied from."""
    _run(postgres, "create database migrated")
    asyncio.run(migrate(_named(postgres, "migrated")))
    return "migrated"


@pytest.fixture
def database(postgres: str, migrated: str) -> Iterator[str]:
    """Make a fresh migrated database for one test; its URL."""
    yield from _fresh(postgres, template=migrated)


@pytest.fixture
def empty_database(postgres: str) -> Iterator[str]:
    """Make a database without a single table for one test; its URL."""
    yield from _fresh(postgres, template="template1")


@pytest.fixture
async def pools(database: str) -> AsyncIterator[Pools]:
    """Open the pools of this test's own database."""
    async with await connect(database, write_max=4, read_max=4) as opened:
        yield opened


def _fresh(postgres: str, *, template: str) -> Iterator[str]:
    name = f"test_{next(_numbers)}"
    _run(postgres, f"create database {name} template {template}")
    yield _named(postgres, name)
    _run(postgres, f"drop database {name} with (force)")


def _named(postgres: str, name: str) -> str:
    return postgres.replace("/quantdesk?", f"/{name}?")


def _run(postgres: str, statement: str) -> None:
    async def run() -> None:
        c = await asyncpg.connect(postgres)
        try:
            await c.execute(statement)
        finally:
            await c.close()

    asyncio.run(run())
