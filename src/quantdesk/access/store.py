"""The SQL of access: accounts, their wallets, and the owner's own key."""

from typing import Any, Final
from uuid import UUID

from quantdesk.access.keys import SHOWN, digest
from quantdesk.access.model import Account, Role
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

BY_KEY: Final = "key"
"""The method of sessions that the owner's key opened."""


async def is_local_key(c: Connection, key_hash: bytes) -> bool:
    """Return whether this is the key of the machine's own tools, and works."""
    found: bool = await c.fetchval(
        """select exists (select from api_keys
           where hash = $1 and local and revoked_at is null)""",
        key_hash,
    )
    return found


async def local_keys(c: Connection) -> list[tuple[bytes, UUID]]:
    """Return hash and account of the keys of the machine's own tools that work, one as a rule."""
    rows = await c.fetch(
        """select hash, account_id from api_keys
           where local and scopes is null and revoked_at is null and expires_at is null"""
    )
    return [(row["hash"], row["account_id"]) for row in rows]


async def owner(c: Connection) -> UUID | None:
    """Return the owner's account, if there is one yet."""
    found: UUID | None = await c.fetchval(
        "select id from accounts where role = 'owner' order by created_at, id limit 1"
    )
    return found


async def add_owner(c: Connection, account_id: UUID, *, created_ms: int) -> None:
    """Insert the owner's account."""
    await c.execute(
        "insert into accounts (id, name, role, created_at) values ($1, 'owner', 'owner', $2)",
        account_id,
        utc(created_ms),
    )


async def replace_local_key(
    c: Connection, account_id: UUID, *, key_id: UUID, name: str, key: str, created_ms: int
) -> None:
    """Give the machine's own tools a key; an earlier one stops working."""
    await c.execute(
        """update api_keys set revoked_at = $2
           where account_id = $1 and local and revoked_at is null""",
        account_id,
        utc(created_ms),
    )
    await c.execute(
        """insert into api_keys (id, account_id, name, hash, prefix, created_at, local)
           values ($1, $2, $3, $4, $5, $6, true)""",
        key_id,
        account_id,
        name,
        digest(key),
        key[:SHOWN],
        utc(created_ms),
    )


async def end_key_sessions(c: Connection, account_id: UUID, *, at_ms: int) -> list[UUID]:
    """End what was opened with an account's key, half-way sign-ins too; return which sessions."""
    await c.execute("delete from tickets where account_id = $1 and method = $2", account_id, BY_KEY)
    rows = await c.fetch(
        """update sessions set ended_at = $3, ended_why = 'key replaced'
           where account_id = $1 and ended_at is null and split_part(method, '+', 1) = $2
           returning id""",
        account_id,
        BY_KEY,
        utc(at_ms),
    )
    return [row["id"] for row in rows]


ACCOUNT = """
select id, name, role, email, email_verified_at is not null as email_verified,
    disabled_at is not null as disabled, kyc, plan, created_at from accounts
"""


async def account(c: Connection, account_id: UUID) -> Account | None:
    """Return an account, if there is one."""
    row = await c.fetchrow(f"{ACCOUNT} where id = $1", account_id)
    return row and account_of(row)


async def account_by_email(c: Connection, email: str) -> Account | None:
    """Return the account with an email address (lower case), if there is one."""
    row = await c.fetchrow(f"{ACCOUNT} where email = $1", email)
    return row and account_of(row)


async def account_by_wallet(c: Connection, *, chain: str, address: str) -> Account | None:
    """Return the account a wallet belongs to, if there is one."""
    row = await c.fetchrow(
        f"""{ACCOUNT} join wallets on account_id = accounts.id
            where (chain, address) = ($1, $2)""",
        chain,
        address,
    )
    return row and account_of(row)


async def add_account(c: Connection, account: Account) -> None:
    """Insert an account; a taken email address is the database's unique violation."""
    await c.execute(
        """insert into accounts (id, name, role, email, email_verified_at, kyc, plan, created_at)
           values ($1, $2, $3, $4, case when $5 then $8::timestamptz end, $6, $7, $8)""",
        account.id,
        account.name,
        account.role,
        account.email,
        account.email_verified,
        account.kyc,
        account.plan,
        utc(account.created_ms),
    )


async def link_wallet(
    c: Connection, account_id: UUID, *, chain: str, address: str, at_ms: int
) -> None:
    """Give a wallet to an account; one that has another owner is the unique violation."""
    await c.execute(
        "insert into wallets (chain, address, account_id, added_at) values ($1, $2, $3, $4)",
        chain,
        address,
        account_id,
        utc(at_ms),
    )


def account_of(row: Any) -> Account:  # noqa: ANN401 - a row
    """Return the noun of a row of `accounts`."""
    return Account(
        id=row["id"],
        name=row["name"],
        role=Role(row["role"]),
        email=row["email"],
        email_verified=row["email_verified"],
        disabled=row["disabled"],
        kyc=row["kyc"],
        plan=row["plan"],
        created_ms=unix_ms(row["created_at"]),
    )
