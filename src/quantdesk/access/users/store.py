"""The SQL of users."""

from uuid import UUID

from quantdesk.access.model import Account
from quantdesk.access.store import ACCOUNT, account_of
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection


async def page(c: Connection, *, before: UUID | None, limit: int) -> list[Account]:
    """Return users, the newest first, from before one of them."""
    rows = await c.fetch(
        f"{ACCOUNT} where $1::uuid is null or id < $1 order by id desc limit $2", before, limit
    )
    return [account_of(row) for row in rows]


async def wallets(c: Connection, account_id: UUID) -> list[tuple[str, str]]:
    """Return chain and address of an account's wallets, the first linked first."""
    rows = await c.fetch(
        "select chain, address from wallets where account_id = $1 order by added_at, address",
        account_id,
    )
    return [(row["chain"], row["address"]) for row in rows]


async def lock(c: Connection, account_id: UUID) -> Account | None:
    """Return a user, locked until this transaction ends."""
    row = await c.fetchrow(f"{ACCOUNT} where id = $1 for no key update", account_id)
    return row and account_of(row)


async def lock_owners(c: Connection) -> int:
    """Return how many owners are not disabled; none can change until this transaction ends."""
    rows = await c.fetch(
        """select id from accounts where role = 'owner' and disabled_at is null
           order by id for update"""
    )
    return len(rows)


async def change(c: Connection, user: Account, *, at_ms: int) -> None:
    """Write down what an admin decided of a user."""
    await c.execute(
        """update accounts set name = $2, role = $3, kyc = $4, plan = $5,
               disabled_at = case when $6 then coalesce(disabled_at, $7) end
           where id = $1""",
        user.id,
        user.name,
        user.role,
        user.kyc,
        user.plan,
        user.disabled,
        utc(at_ms),
    )
