"""The SQL of master keys: sealed secrets, whichever table they are in, found and replaced.

Names of tables and columns come from `columns.py`, whose nouns hold nothing but names.
"""

from collections.abc import Collection, Sequence
from typing import Any

from quantdesk.access.master.columns import Column
from quantdesk.access.sealing import NUMBER_BYTES
from quantdesk.store.pool import Connection


async def numbers(c: Connection, column: Column) -> dict[int, int]:
    """Return how many secrets of a column each master key has sealed."""
    rows = await c.fetch(
        f"""select substring({column.column} from 1 for {NUMBER_BYTES}) as number, count(*) as many
            from {column.table} where {column.column} is not null group by 1"""  # noqa: S608 - names
    )
    return {int.from_bytes(row["number"], "big"): row["many"] for row in rows}


async def one(c: Connection, column: Column, *, number: int) -> Any:  # noqa: ANN401 - a row
    """Return a row whose secret this master key has sealed, None when there is none."""
    return await c.fetchrow(f"{_rows(column, '=')} limit 1", _prefix(number))


async def behind(c: Connection, column: Column, *, newest: int, at_most: int) -> Sequence[Any]:
    """Return rows whose secrets another master key than the newest has sealed, and lock them."""
    found: Sequence[Any] = await c.fetch(
        f"{_rows(column, '<>')} limit {at_most:d} for update", _prefix(newest)
    )
    return found


async def put(c: Connection, column: Column, row: Any, sealed: bytes) -> None:  # noqa: ANN401 - a row
    """Put a sealed secret in the place of the one a locked row holds."""
    named = " and ".join(f"{name} = ${place}" for place, name in enumerate(column.key, 2))
    await c.execute(
        f"update {column.table} set {column.column} = $1 where {named}",  # noqa: S608 - names
        sealed,
        *(row[name] for name in column.key),
    )


async def connected(c: Connection, *, but: Collection[int]) -> int:
    """Return how many connections desks have to this database, beside those of some processes."""
    count: int = await c.fetchval(
        """select count(*) from pg_stat_activity where datname = current_database()
           and application_name = current_setting('application_name') and pid <> all($1::int[])""",
        list(but),
    )
    return count


async def process(c: Connection) -> int:
    """Return the number of the server's process behind a connection."""
    number: int = await c.fetchval("select pg_backend_pid()")
    return number


async def sealed_columns(c: Connection) -> set[tuple[str, str]]:
    """Return table and column of all bytes that are named like something to be sealed."""
    rows = await c.fetch(
        """select table_name, column_name from information_schema.columns
           where table_schema = current_schema() and data_type = 'bytea'
           and column_name ~ '(sealed|seed|secret|private|cipher)'"""
    )
    return {(row["table_name"], row["column_name"]) for row in rows}


def _rows(column: Column, compared: str) -> str:
    names = ", ".join((*column.key, column.column))
    return (
        f"select {names} from {column.table} where {column.column} is not null"  # noqa: S608 - names
        f" and substring({column.column} from 1 for {NUMBER_BYTES}) {compared} $1"
    )


def _prefix(number: int) -> bytes:
    return number.to_bytes(NUMBER_BYTES, "big")
