"""The SQL of passwords, and of what a proven mailbox changes in its account."""

from typing import Any
from uuid import UUID

from quantdesk.access.model import Account
from quantdesk.access.passwords.model import Known
from quantdesk.access.store import account_of
from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection

_KNOWN = """
select a.id, a.name, a.role, a.email, a.email_verified_at is not null as email_verified,
    a.disabled_at is not null as disabled, a.kyc, a.plan, a.created_at, p.hash, p.version
from accounts a left join passwords p on p.account_id = a.id
"""


async def by_email(c: Connection, email: str) -> Known | None:
    """Return the account of an address and its password, in one look."""
    return _known(await c.fetchrow(f"{_KNOWN} where a.email = $1", email))


async def by_id(c: Connection, account_id: UUID) -> Known | None:
    """Return an account and its password."""
    return _known(await c.fetchrow(f"{_KNOWN} where a.id = $1", account_id))


async def give_email(c: Connection, account: Account, email: str) -> None:
    """Give an account an address that is not verified; a taken one is the unique violation."""
    await c.execute(
        "update accounts set email = $2, email_verified_at = null where id = $1", account.id, email
    )


async def set_hash(c: Connection, account_id: UUID, hashed: str, *, at_ms: int) -> None:
    """Give an account this password."""
    await c.execute(
        """insert into passwords (account_id, hash, changed_at) values ($1, $2, $3)
           on conflict (account_id) do update
               set hash = excluded.hash, changed_at = excluded.changed_at,
                   version = passwords.version + 1""",
        account_id,
        hashed,
        utc(at_ms),
    )


async def choose_hash(c: Connection, account_id: UUID, *, old: str, new: str, at_ms: int) -> bool:
    """Give an account another password if it still has this one; return whether it had."""
    done = await c.execute(
        """update passwords set hash = $3, changed_at = $4, version = version + 1
           where account_id = $1 and hash = $2""",
        account_id,
        old,
        new,
        utc(at_ms),
    )
    return done == "UPDATE 1"


async def swap_hash(c: Connection, account_id: UUID, *, old: str, new: str) -> None:
    """Replace a hash by another of the same password, if it is still this one."""
    await c.execute(
        "update passwords set hash = $3 where account_id = $1 and hash = $2", account_id, old, new
    )


async def version(c: Connection, account_id: UUID) -> int | None:
    """Return which of its passwords an account has now, counting those it chose."""
    found: int | None = await c.fetchval(
        "select version from passwords where account_id = $1", account_id
    )
    return found


async def verify_email(c: Connection, account_id: UUID, email: str, *, at_ms: int) -> bool:
    """Note that somebody reads the mailbox of an account; False when its address is another."""
    done = await c.execute(
        """update accounts set email_verified_at = coalesce(email_verified_at, $3)
           where id = $1 and email = $2""",
        account_id,
        email,
        utc(at_ms),
    )
    return done == "UPDATE 1"


def _known(row: Any | None) -> Known | None:  # noqa: ANN401 - a row
    if row is None:
        return None
    return Known(account=account_of(row), hash=row["hash"], version=row["version"])
