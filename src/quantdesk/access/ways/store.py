"""The SQL that looks at every way into an account at once; each way's own is in its own place."""

from uuid import UUID

from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


async def without_wallets(c: Connection, account_id: UUID) -> bool:
    """Return whether an account can be signed in to by anything but a wallet."""
    found: bool = await c.fetchval(
        """select exists(select from passwords where account_id = $1)
             or exists(select from oauth_identities where account_id = $1)
             or exists(select from passkeys where account_id = $1)""",
        account_id,
    )
    return found


async def without_identity(c: Connection, account_id: UUID) -> bool:
    """Return whether an account could do without one of its identities elsewhere."""
    found: bool = await c.fetchval(
        """select exists(select from passwords where account_id = $1)
             or exists(select from wallets where account_id = $1)
             or exists(select from passkeys where account_id = $1)
             or 1 < (select count(*) from oauth_identities where account_id = $1)""",
        account_id,
    )
    return found


async def has_password(c: Connection, account_id: UUID) -> str | None:
    """Return the hash of an account's password, if it has one."""
    kept: str | None = await c.fetchval(
        "select hash from passwords where account_id = $1", account_id
    )
    return kept


async def drop_tickets(c: Connection, account_id: UUID) -> None:
    """Void the tickets that wait for a second factor of an account."""
    await c.execute("delete from tickets where account_id = $1", account_id)


async def drop_all(c: Connection, account_id: UUID, *, at_ms: int) -> None:
    """Take away an account's wallets, identities elsewhere and API keys."""
    await c.execute("delete from wallets where account_id = $1", account_id)
    await c.execute("delete from oauth_identities where account_id = $1", account_id)
    await c.execute(
        "update api_keys set revoked_at = $2 where account_id = $1 and revoked_at is null",
        account_id,
        utc(at_ms),
    )
