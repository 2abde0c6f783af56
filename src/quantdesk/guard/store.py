"""The SQL of limits and halts: what holds now, its version, and the history that only grows."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.core.clock import unix_ms, utc
from quantdesk.core.errors import Refused
from quantdesk.store.pool import Connection

Known = Mapping[UUID | None, Mapping[str, Any]]
"""JSON values by name, by account; None is the desk."""


class Changed(msgspec.Struct, frozen=True, kw_only=True):
    """One value that was changed; None is none."""

    version: int
    account_id: UUID | None
    name: str
    before: Any
    after: Any
    by: UUID
    at_ms: int


async def version(c: Connection) -> int:
    """Return the number of the last change."""
    found: int = await c.fetchval("select version from guard_state")
    return found


async def next_version(c: Connection) -> int:
    """Return the number of the change this transaction makes; others wait for its end."""
    found: int = await c.fetchval("update guard_state set version = version + 1 returning version")
    return found


async def state(c: Connection) -> tuple[int, Known]:
    """Return what holds, and the change since which it does, as of one moment."""
    rows = await c.fetch(
        """select s.version, v.account_id, v.name, v.value
           from guard_state s left join guard_values v on true"""
    )
    known: dict[UUID | None, dict[str, Any]] = {}
    for row in rows:
        if row["name"] is not None:
            known.setdefault(row["account_id"], {})[row["name"]] = row["value"]
    return rows[0]["version"], known


async def change(c: Connection, changes: Sequence[Changed]) -> None:
    """Put changes into effect and into the history.

    Raises `Refused` (`account.unknown`).
    """
    try:
        for one in changes:
            await c.execute(
                "delete from guard_values where account_id is not distinct from $1 and name = $2",
                one.account_id,
                one.name,
            )
            if one.after is not None:
                await c.execute(
                    "insert into guard_values (account_id, name, value) values ($1, $2, $3)",
                    one.account_id,
                    one.name,
                    one.after,
                )
    except asyncpg.ForeignKeyViolationError:
        raise Refused("there is no such account", code="account.unknown") from None
    await c.executemany(
        """insert into guard_history (version, account_id, name, before, after, by, at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        [(o.version, o.account_id, o.name, o.before, o.after, o.by, utc(o.at_ms)) for o in changes],
    )


async def is_account(c: Connection, account_id: UUID) -> bool:
    """Return whether there is such an account."""
    found: bool = await c.fetchval("select exists (select from accounts where id = $1)", account_id)
    return found


async def history(
    c: Connection, *, account_id: UUID | None, below: int | None, limit: int
) -> list[Changed]:
    """Return changes of the desk and of an account, newest first, of versions below one."""
    rows = await c.fetch(
        """select * from guard_history
           where (account_id is null or account_id = $1) and ($2::bigint is null or version < $2)
           order by version desc, name limit $3""",
        account_id,
        below,
        limit,
    )
    return [
        Changed(
            version=row["version"], account_id=row["account_id"], name=row["name"],
            before=row["before"], after=row["after"], by=row["by"], at_ms=unix_ms(row["at"]),
        )
        for row in rows
    ]  # fmt: skip
