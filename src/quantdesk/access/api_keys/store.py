"""The SQL of API keys."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection


class ApiKey(msgspec.Struct, frozen=True, kw_only=True):
    """An API key without its secret; times are Unix milliseconds.

    `scopes` None is all that its account's role may; `allow_ips` empty is from anywhere.
    """

    id: UUID
    account_id: UUID
    name: str
    prefix: str
    scopes: tuple[str, ...] | None
    allow_ips: tuple[str, ...]
    created_ms: int
    expires_ms: int | None = None
    used_ms: int | None = None
    local: bool = False


_KEY = """
select id, account_id, name, prefix, scopes, allow_ips, created_at, expires_at, used_at, local
from api_keys
"""


async def keys(c: Connection, account_id: UUID, *, now_ms: int) -> list[ApiKey]:
    """Return an account's keys that work, the newest first."""
    rows = await c.fetch(
        f"""{_KEY} where account_id = $1 and revoked_at is null
            and (expires_at is null or expires_at > $2) order by created_at desc, id desc""",
        account_id,
        utc(now_ms),
    )
    return [_key(row) for row in rows]


async def lock_account(c: Connection, account_id: UUID) -> None:
    """Let one transaction at a time change an account's keys."""
    await c.execute("select from accounts where id = $1 for no key update", account_id)


async def lock_key(c: Connection, account_id: UUID, key_id: UUID, *, now_ms: int) -> ApiKey | None:
    """Return an account's key that works, locked until this transaction ends."""
    row = await c.fetchrow(
        f"""{_KEY} where id = $2 and account_id = $1 and revoked_at is null
            and (expires_at is null or expires_at > $3) for update""",
        account_id,
        key_id,
        utc(now_ms),
    )
    return row and _key(row)


async def add(c: Connection, key: ApiKey, key_hash: bytes) -> None:
    """Insert a key."""
    await c.execute(
        """insert into api_keys (id, account_id, name, hash, prefix, scopes, allow_ips,
               created_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        key.id,
        key.account_id,
        key.name,
        key_hash,
        key.prefix,
        key.scopes,
        key.allow_ips,
        utc(key.created_ms),
        None if key.expires_ms is None else utc(key.expires_ms),
    )


async def expire(c: Connection, key_id: UUID, *, at_ms: int) -> None:
    """Let a key work until a moment."""
    await c.execute("update api_keys set expires_at = $2 where id = $1", key_id, utc(at_ms))


async def revoke(c: Connection, key_id: UUID, *, at_ms: int) -> None:
    """End a key."""
    await c.execute("update api_keys set revoked_at = $2 where id = $1", key_id, utc(at_ms))


async def note_uses(c: Connection, uses: Mapping[UUID, int]) -> None:
    """Note when keys were used last (Unix milliseconds)."""
    await c.execute(
        """update api_keys k set used_at = greatest(k.used_at, u.at)
           from unnest($1::uuid[], $2::timestamptz[]) as u (id, at) where k.id = u.id""",
        list(uses),
        [utc(at_ms) for at_ms in uses.values()],
    )


def _key(row: Any) -> ApiKey:  # noqa: ANN401 - a row
    return ApiKey(
        id=row["id"],
        account_id=row["account_id"],
        name=row["name"],
        prefix=row["prefix"],
        scopes=None if row["scopes"] is None else tuple(row["scopes"]),
        allow_ips=tuple(row["allow_ips"]),
        created_ms=unix_ms(row["created_at"]),
        expires_ms=row["expires_at"] and unix_ms(row["expires_at"]),
        used_ms=row["used_at"] and unix_ms(row["used_at"]),
        local=row["local"],
    )
