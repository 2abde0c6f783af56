"""The SQL of preferences."""

from uuid import UUID

from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


async def read(c: Connection, account_id: UUID) -> str | None:
    """Return a user's document as they wrote it."""
    found: str | None = await c.fetchval(
        "select document from user_settings where account_id = $1", account_id
    )
    return found


async def write(c: Connection, account_id: UUID, document: str, *, at_ms: int) -> None:
    """Keep a user's document in place of the one before."""
    await c.execute(
        """insert into user_settings (account_id, document, updated_at) values ($1, $2, $3)
           on conflict (account_id) do update set document = excluded.document,
               updated_at = excluded.updated_at""",
        account_id,
        document,
        utc(at_ms),
    )
