"""The SQL of the keys that sign tokens."""

from uuid import UUID

import msgspec

from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection


class SigningKey(msgspec.Struct, frozen=True):
    """A key that signs tokens, or did; times are Unix milliseconds."""

    id: UUID
    sealed: bytes
    public: bytes
    made_ms: int
    retired_ms: int | None


async def signing_keys(c: Connection) -> list[SigningKey]:
    """Return every key that signs or signed tokens, the oldest first."""
    rows = await c.fetch(
        "select id, sealed, public, made_at, retired_at from signing_keys order by made_at, id"
    )
    return [
        SigningKey(
            row["id"],
            row["sealed"],
            row["public"],
            unix_ms(row["made_at"]),
            row["retired_at"] and unix_ms(row["retired_at"]),
        )
        for row in rows
    ]


async def lock_signing_keys(c: Connection) -> None:
    """Let one process at a time make a signing key until this transaction ends."""
    await c.execute("lock table signing_keys in share row exclusive mode")


async def add_signing_key(c: Connection, key: SigningKey) -> None:
    """Insert a signing key; those before it sign no more."""
    await c.execute(
        "update signing_keys set retired_at = $1 where retired_at is null", utc(key.made_ms)
    )
    await c.execute(
        "insert into signing_keys (id, sealed, public, made_at) values ($1, $2, $3, $4)",
        key.id,
        key.sealed,
        key.public,
        utc(key.made_ms),
    )


async def forget_signing_keys(c: Connection, *, retired_before_ms: int) -> None:
    """Delete signing keys all of whose tokens have expired."""
    await c.execute("delete from signing_keys where retired_at < $1", utc(retired_before_ms))
