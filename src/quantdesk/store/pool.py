"""Pools: how every module reaches Postgres, and where its failures become the desk's.

A `ReadPool` hands out connections that cannot write; only a `WritePool` hands out transactions. SQL
stays in the modules' own `store.py`; this file knows nothing of any table.

Both go as the desk's own role where there is one (`store/role.py`).

Connections are not reset when they come back: that costs a round trip per use. So nothing may leave
session state behind: use `set local`, transaction-level advisory locks, and no `listen` here.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from types import TracebackType
from typing import Any, Literal, Protocol, Self

import asyncpg
import msgspec

from quantdesk.core.errors import DeskError, Refused, Unavailable
from quantdesk.store.role import take_role

_ACQUIRE_S = 5.0  # longest wait for a free connection, or for a new one to open
_RELEASE_S = 5.0  # longest wait for the server to confirm a cancelled query
_READ_S = 10  # longest read
_WRITE_S = 30  # longest statement that writes, and longest idle moment inside a transaction
_GRACE_S = 5  # the server stops a statement first; this much later we stop waiting for it
_LEAST_OPEN = 2  # connections a pool keeps open when idle

_SETTINGS = {
    "application_name": "quantdesk",
    "jit": "off",
    # A plan made for an empty table is ruinous once it is full; planning is paid once per batch.
    "plan_cache_mode": "force_custom_plan",
    "timezone": "UTC",
    "idle_in_transaction_session_timeout": f"{_WRITE_S}s",
}
_ONLY_READ = {"default_transaction_read_only": "on", "statement_timeout": f"{_READ_S}s"}
_ALSO_WRITE = {"default_transaction_read_only": "off", "statement_timeout": f"{_WRITE_S}s"}

_GONE = (
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # its goodbye came between two questions, and the driver tripped
    OSError,
)
_BUSY = (
    asyncpg.QueryCanceledError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
)
_WRONG = (
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.InsufficientPrivilegeError,
    asyncpg.ClientConfigurationError,
)


class Connection(Protocol):
    """What a `store.py` may ask of a connection: asyncpg's queries, `$1` parameters."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement and return its command tag."""

    async def executemany(self, command: str, args: Sequence[Sequence[object]]) -> None:
        """Run one statement for each tuple of arguments, all or none."""

    async def fetch(self, query: str, *args: object) -> list[Any]:
        """Return the rows."""

    async def fetchrow(self, query: str, *args: object) -> Any | None:  # noqa: ANN401 - a row
        """Return the first row, or None."""

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 - a column
        """Return the first column of the first row, or None."""

    async def copy_to_table(
        self,
        table_name: str,
        *,
        source: AsyncIterable[bytes],
        columns: Sequence[str],
        format: Literal["binary"],  # noqa: A002 - the driver's own name
    ) -> str:
        """Copy packed rows into a table, all or none, and return the command tag."""


def anticipated(problem: BaseException) -> DeskError | None:
    """Return what a driver's failure means to the desk, or None where it is the caller's own.

    Unique and foreign key violations stay as they are: callers decide by them.
    """
    match problem:
        case DeskError():
            return None
        case asyncpg.DiskFullError():
            return Unavailable(f"the database's disk is full: {problem}", code="database.full")
        case _ if isinstance(problem, _BUSY):
            return Unavailable(f"the database is busy: {problem}", code="database.busy")
        case _ if isinstance(problem, _GONE):
            detail = str(problem) or type(problem).__name__
            return Unavailable(f"the database is away: {detail}", code="database.unavailable")
        case _:
            return None


class _Lease:
    """One use of one connection."""

    __slots__ = ("_connection", "_pool")

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._connection: Any = None

    async def __aenter__(self) -> Connection:
        try:
            self._connection = await self._pool.acquire(timeout=_ACQUIRE_S)
        except TimeoutError as problem:
            detail = f"no connection to the database came free within {_ACQUIRE_S:g} s"
            raise Unavailable(detail, code="database.busy") from problem
        except asyncpg.InterfaceError as problem:
            raise Unavailable(f"database: {problem}", code="database.unavailable") from problem
        except (asyncpg.PostgresError, asyncpg.InternalClientError, OSError) as problem:
            raise anticipated(problem) or problem from problem
        connection: Connection = self._connection
        return connection

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if problem is None:
            await self._release()
            return
        # Our own misuse of a healthy connection is a bug and stays one.
        lost = isinstance(problem, asyncpg.InterfaceError) and _is_closed(self._connection)
        await self._release()
        if lost:
            raise Unavailable(f"database: {problem}", code="database.unavailable") from problem
        meaning = anticipated(problem)
        if meaning is not None:
            raise meaning from problem

    async def _release(self) -> None:
        # What was committed stays so: a connection that dies on its way back is only replaced.
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            await self._pool.release(self._connection, timeout=_RELEASE_S)


def _is_closed(connection: Any) -> bool:  # noqa: ANN401 - asyncpg has no types
    try:
        closed: bool = connection.is_closed()
    except asyncpg.InterfaceError:  # it closed, and the pool has taken it back already
        return True
    return closed


class ReadPool:
    """Connections that can only read."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    def connection(self) -> _Lease:
        """Lend a connection: `async with pool.connection() as c`.

        Raises Unavailable `database.unavailable`, `database.busy`.
        """
        return _Lease(self._pool)

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[Connection]:
        """Lend a connection that sees the database as it is at its first question.

        Raises Unavailable as `connection` does.
        """
        lease = self.connection()
        async with (
            lease as c,
            lease._connection.transaction(isolation="repeatable_read", readonly=True),  # noqa: SLF001 - same file
        ):
            yield c

    async def ping(self) -> None:
        """Return when Postgres answers; raises Unavailable."""
        async with self.connection() as c:
            await c.fetchval("select 1")


class WritePool:
    """Connections that may write."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool

    def connection(self) -> _Lease:
        """Lend a connection on which each statement commits by itself.

        Raises Unavailable `database.unavailable`, `database.busy`, `database.full`.
        """
        return _Lease(self._pool)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction: committed at the end, rolled back on any error.

        Raises Unavailable `database.unavailable`, `database.busy`, `database.full`. If the database
        goes away during the commit, nobody can say whether it happened: read before trying again.
        """
        lease = self.connection()
        async with lease as c, lease._connection.transaction():  # noqa: SLF001 - same file
            yield c

    async def ping(self) -> None:
        """Return when Postgres answers and takes writes; raises Unavailable."""
        async with self.connection() as c:
            if await c.fetchval("select pg_is_in_recovery()"):
                detail = "the database is a standby: it does not take writes"
                raise Unavailable(detail, code="database.unavailable")


@dataclass(frozen=True, slots=True)
class Pools:
    """Both ways to the database."""

    write: WritePool
    read: ReadPool
    _opened: tuple[asyncpg.Pool, ...] = ()

    async def ping(self) -> None:
        """Return when both pools answer; raises Unavailable."""
        await self.write.ping()
        await self.read.ping()

    async def aclose(self) -> None:
        """Close every connection, waiting a little for those in use."""
        for pool in self._opened:
            await _close(pool)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


async def connect(url: str, *, write_max: int, read_max: int) -> Pools:
    """Open the pools of a database, at most so many connections each.

    Raises Unavailable `database.unavailable` when it does not answer, and Refused `database.url`
    when it answers but does not let us in.
    """
    if "://" not in url:  # the driver would look for a database on its own
        raise Refused(f"not a database URL: {url!r}", code="database.url")
    write = await _open(url, size=write_max, settings=_ALSO_WRITE, seconds=_WRITE_S)
    try:
        read = await _open(url, size=read_max, settings=_ONLY_READ, seconds=_READ_S)
    except BaseException:
        write.terminate()
        raise
    return Pools(WritePool(write), ReadPool(read), (write, read))


async def _open(url: str, *, size: int, settings: dict[str, str], seconds: int) -> asyncpg.Pool:
    try:
        return await asyncpg.create_pool(
            url,
            min_size=min(_LEAST_OPEN, size),
            max_size=size,
            timeout=_ACQUIRE_S,
            command_timeout=seconds + _GRACE_S,
            server_settings=_SETTINGS | settings,
            init=_prepare,
            reset=_leave,
        )
    except _WRONG as problem:
        detail = f"the database does not let us in: {problem}; check QD_DATABASE_URL"
        raise Refused(detail, code="database.url") from problem
    except ValueError as problem:
        raise Refused(f"not a database URL: {problem}", code="database.url") from problem
    except (asyncpg.PostgresError, OSError) as problem:
        raise anticipated(problem) or problem from problem


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_RELEASE_S):
            await pool.close()
    except (TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        pool.terminate()


async def _prepare(connection: Any) -> None:  # noqa: ANN401 - asyncpg has no types
    await take_role(connection)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=_jsonb, decoder=_from_jsonb, format="binary"
    )
    await connection.set_type_codec(
        "json", schema="pg_catalog", encoder=_encode, decoder=_decode, format="binary"
    )


async def _leave(_: object) -> None:
    return


_encode = msgspec.json.Encoder().encode
# Numbers with a fraction stay exact: money is never float, in documents neither.
_decode = msgspec.json.Decoder(float_hook=Decimal).decode
# jsonb_recv in https://github.com/postgres/postgres/blob/REL_18_STABLE/src/backend/utils/adt/jsonb.c
_JSONB_VERSION = b"\x01"


def _jsonb(value: object) -> bytes:
    return _JSONB_VERSION + _encode(value)


def _from_jsonb(data: bytes) -> object:
    return _decode(data[1:])
