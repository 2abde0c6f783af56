"""Migrations: plain numbered SQL files, applied in order, each once, before anything else starts.

`quantdesk up` and every `run ROLE` call `migrate` at start; several at once queue on an advisory
lock. What was applied is recorded with its hash, so a file changed afterwards, a gap, or a database
that a newer desk has moved on stops the start instead of guessing.
"""

import hashlib
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any

import asyncpg

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.store.pool import anticipated
from quantdesk.store.role import confine

_OLDEST_SERVER = 15
_LOCK = 0x71_64_6D_69  # "qdmi"; any number that nothing else in this database locks
_LOCK_S = 60  # longest wait for another process that is migrating
_CONNECT_S = 10.0
_NAME = re.compile(r"(\d{4})_([a-z0-9_]+)\.sql")

_TABLE = """
create table if not exists migrations (
    number     integer primary key,
    name       text not null,
    sha256     text not null,
    applied_at timestamptz not null default now()
)
"""
_APPLIED = "select number, name, sha256 from migrations order by number"
_RECORD = "insert into migrations (number, name, sha256) values ($1, $2, $3)"


@dataclass(frozen=True, slots=True)
class Migration:
    """One numbered file."""

    number: int
    name: str
    sql: str

    @property
    def file(self) -> str:
        """Return the file's name."""
        return f"{self.number:04d}_{self.name}.sql"

    @property
    def sha256(self) -> str:
        """Return the hash that is recorded when it is applied."""
        return hashlib.sha256(self.sql.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Applied:
    """What a database remembers of a migration."""

    number: int
    name: str
    sha256: str


def shipped() -> list[Migration]:
    """Return the migrations of this version of the desk, in order."""
    folder = resources.files("quantdesk.store") / "migrations"
    found = []
    for file in folder.iterdir():
        match = _NAME.fullmatch(file.name)
        if match:
            sql = file.read_text(encoding="utf-8")
            found.append(Migration(int(match[1]), match[2], sql))
    return sorted(found, key=lambda migration: migration.number)


def outstanding(known: Sequence[Migration], applied: Sequence[Applied]) -> list[Migration]:
    """Return the migrations still to apply, in order.

    Raises Refused `database.migrations` when the files or the database are not what they must be.
    """
    numbers = [migration.number for migration in known]
    if numbers != list(range(1, len(known) + 1)):
        raise _refused(f"the migration files are numbered {numbers}, not 1, 2, 3 …", _REINSTALL)
    if [row.number for row in applied] != list(range(1, len(applied) + 1)):
        raise _refused("the database lacks a migration between two it has", _RESTORE)
    if len(applied) > len(known):
        newest = f"{len(applied)}, this desk knows {len(known)}"
        raise _refused(f"the database is newer than this desk (migration {newest})", _UPGRADE)
    for row, migration in zip(applied, known, strict=False):
        if row.sha256 != migration.sha256:
            raise _refused(f"{migration.file} was changed after it was applied", _REINSTALL)
    return list(known[len(applied) :])


async def migrate(url: str, known: Sequence[Migration] | None = None) -> list[str]:
    """Apply what is outstanding and return the names of the files applied.

    Each file is one transaction: it happens whole or not at all. Afterwards the desk's own role has
    its rights on what there is now (`store/role.py`). Raises Refused
    `database.migrations` (see `outstanding`) and `database.version` (a server older than 15), and
    Unavailable when the database is away.
    """
    known = shipped() if known is None else known
    async with _connection(url) as c:
        await c.execute(f"set lock_timeout = '{_LOCK_S}s'")
        await c.execute("select pg_advisory_lock($1)", _LOCK)
        await c.execute(_TABLE)
        todo = outstanding(known, await _applied(c))
        for migration in todo:
            await _apply(c, migration)
        await confine(c)
        return [migration.file for migration in todo]


async def pending(url: str, known: Sequence[Migration] | None = None) -> list[str]:
    """Return the names of the files `migrate` would apply, changing nothing; raises as it does."""
    known = shipped() if known is None else known
    async with _connection(url) as c:
        return [migration.file for migration in outstanding(known, await _applied(c))]


async def _apply(c: Any, migration: Migration) -> None:  # noqa: ANN401 - asyncpg has no types
    try:
        async with c.transaction():
            await c.execute(migration.sql)
            await c.execute(_RECORD, migration.number, migration.name, migration.sha256)
    except asyncpg.PostgresError as problem:
        if anticipated(problem):
            raise
        raise _refused(f"{migration.file} does not apply: {problem}", _RESTORE) from problem


async def _applied(c: Any) -> list[Applied]:  # noqa: ANN401 - asyncpg has no types
    if await c.fetchval("select to_regclass('migrations') is null"):
        return []
    return [Applied(*row) for row in await c.fetch(_APPLIED)]


@asynccontextmanager
async def _connection(url: str) -> AsyncIterator[Any]:
    try:
        c = await asyncpg.connect(url, timeout=_CONNECT_S)
        try:
            _check_version(c.get_server_version().major)
            yield c
        finally:
            # Closing also gives the lock back.
            await c.close(timeout=_CONNECT_S)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError) as problem:
        raise anticipated(problem) or Unavailable(
            f"database: {problem}", code="database.unavailable"
        ) from problem


def _check_version(major: int) -> None:
    if major < _OLDEST_SERVER:
        detail = f"the database is Postgres {major}; the desk needs {_OLDEST_SERVER} or newer"
        raise Refused(detail, code="database.version")


_REINSTALL = "reinstall the desk, or restore the file as it was released"
_UPGRADE = "install the newer version of the desk again, or restore a backup from before it"
_RESTORE = "restore a backup, or report this with the text above; nothing was changed"


def _refused(what: str, cure: str) -> Refused:
    return Refused(f"{what}: {cure}", code="database.migrations")
