"""The SQL of what is known: everything once, then what changed since a number."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.model import Role
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

CHANGES_MAX = 500


class Holder(msgspec.Struct, frozen=True):
    """An account, as far as it decides what its credentials may do."""

    id: UUID
    role: Role
    disabled: bool


class KnownKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key that works; `scopes` None is all that its account's role may."""

    id: UUID
    hash: bytes
    account_id: UUID
    scopes: tuple[str, ...] | None
    allow_ips: tuple[str, ...]
    expires_ms: int | None
    local: bool


class KnownSession(msgspec.Struct, frozen=True, kw_only=True):
    """A session that is open; times are Unix milliseconds."""

    id: UUID
    account_id: UUID
    proven_ms: int
    expires_ms: int


class Change(msgspec.Struct, frozen=True):
    """Something of a kind that was added or changed."""

    number: int
    kind: str
    id: UUID


async def number(c: Connection) -> int:
    """Return the number of the last change."""
    last: int = await c.fetchval("select number from access_clock")
    return last


async def changes(c: Connection, since: int) -> list[Change]:
    """Return what changed after a number, in order, the first 500 of them."""
    rows = await c.fetch(
        "select number, kind, id from access_changes where number > $1 order by number limit $2",
        since,
        CHANGES_MAX,
    )
    return [Change(row["number"], row["kind"], row["id"]) for row in rows]


async def holders(c: Connection, only: Sequence[UUID] | None = None) -> list[Holder]:
    """Return the accounts with these ids, None for all."""
    rows = await c.fetch(
        """select id, role, disabled_at is not null as disabled from accounts
           where $1::uuid[] is null or id = any($1)""",
        only,
    )
    return [Holder(row["id"], Role(row["role"]), row["disabled"]) for row in rows]


async def keys(c: Connection, only: Sequence[UUID] | None = None) -> list[KnownKey]:
    """Return the API keys with these ids that work, None for all."""
    rows = await c.fetch(
        """select id, hash, account_id, scopes, allow_ips, expires_at, local from api_keys
           where revoked_at is null and ($1::uuid[] is null or id = any($1))""",
        only,
    )
    return [_key(row) for row in rows]


async def sessions(
    c: Connection, *, now_ms: int, only: Sequence[UUID] | None = None
) -> list[KnownSession]:
    """Return the sessions with these ids that are open, None for all."""
    rows = await c.fetch(
        """select id, account_id, proven_at, expires_at from sessions
           where ended_at is null and expires_at > $2
             and ($1::uuid[] is null or id = any($1))""",
        only,
        utc(now_ms),
    )
    return [
        KnownSession(
            id=row["id"],
            account_id=row["account_id"],
            proven_ms=unix_ms(row["proven_at"]),
            expires_ms=unix_ms(row["expires_at"]),
        )
        for row in rows
    ]


def _key(row: Any) -> KnownKey:  # noqa: ANN401 - a row
    return KnownKey(
        id=row["id"],
        hash=row["hash"],
        account_id=row["account_id"],
        scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        allow_ips=tuple(row["allow_ips"]),
        expires_ms=row["expires_at"] and unix_ms(row["expires_at"]),
        local=row["local"],
    )
