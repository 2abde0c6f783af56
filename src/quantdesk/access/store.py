"""The SQL of access: accounts and API keys."""

from uuid import UUID

from quantdesk.access.keys import Principal
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


async def keys(c: Connection) -> dict[bytes, Principal]:
    """Return who each valid key speaks for, by the key's digest."""
    rows = await c.fetch(
        """select k.id, k.hash, k.account_id, a.role from api_keys k
           join accounts a on a.id = k.account_id where k.revoked_at is null"""
    )
    return {
        row["hash"]: Principal(account_id=row["account_id"], role=row["role"], key_id=row["id"])
        for row in rows
    }


async def owner(c: Connection) -> UUID | None:
    """Return the owner's account, if there is one yet."""
    found: UUID | None = await c.fetchval("select id from accounts where role = 'owner'")
    return found


async def add_owner(c: Connection, account_id: UUID, *, created_ms: int) -> None:
    """Insert the owner's account."""
    await c.execute(
        "insert into accounts (id, name, role, created_at) values ($1, 'owner', 'owner', $2)",
        account_id,
        utc(created_ms),
    )


async def replace_key(
    c: Connection, principal: Principal, *, name: str, key_hash: bytes, created_ms: int
) -> None:
    """Give an account a key under a name; an earlier key of that name stops working."""
    await c.execute(
        """update api_keys set revoked_at = $3
           where account_id = $1 and name = $2 and revoked_at is null""",
        principal.account_id,
        name,
        utc(created_ms),
    )
    await c.execute(
        """insert into api_keys (id, account_id, name, hash, created_at)
           values ($1, $2, $3, $4, $5)""",
        principal.key_id,
        principal.account_id,
        name,
        key_hash,
        utc(created_ms),
    )
