"""The SQL of links."""

from typing import Any
from uuid import UUID

from quantdesk.access.links.model import Link, Purpose
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

_LINK = "select id, purpose, account_id, email, made_at, expires_at from links"


async def lock(c: Connection, account_id: UUID) -> None:
    """Keep others from making links of this account until this transaction ends."""
    await c.fetchval("select id from accounts where id = $1 for no key update", account_id)


async def is_newest(c: Connection, link: Link) -> bool:
    """Return whether no link of its purpose is newer and this one was not used."""
    found: bool = await c.fetchval(
        """select not exists (select from links
               where (account_id, purpose) = ($1, $2)
                   and ((made_at, id) > ($3, $4) or id = $4 and used_at is not null))""",
        link.account_id,
        link.purpose,
        utc(link.made_ms),
        link.id,
    )
    return found


async def void(
    c: Connection, account_id: UUID, purpose: Purpose, *, but: UUID | None = None
) -> None:
    """Delete an account's links of a purpose, but for one."""
    await c.execute(
        "delete from links where (account_id, purpose) = ($1, $2) and id is distinct from $3",
        account_id,
        purpose,
        but,
    )


async def put(c: Connection, link: Link, *, token_hash: bytes) -> None:
    """Insert a link, or give the one that is there this hash."""
    await c.execute(
        """insert into links (id, hash, purpose, account_id, email, made_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7)
           on conflict (id) do update set hash = excluded.hash""",
        link.id,
        token_hash,
        link.purpose,
        link.account_id,
        link.email,
        utc(link.made_ms),
        utc(link.expires_ms),
    )


async def find(c: Connection, token_hash: bytes, purpose: Purpose, *, now_ms: int) -> Link | None:
    """Return the link of a token if it can be used for this."""
    row = await c.fetchrow(
        f"""{_LINK}
            where hash = $1 and purpose = $2 and used_at is null and expires_at > $3""",
        token_hash,
        purpose,
        utc(now_ms),
    )
    return row and _link(row)


async def use(c: Connection, token_hash: bytes, purpose: Purpose, *, now_ms: int) -> Link | None:
    """Mark the link of a token as used if it can be, and return it."""
    row = await c.fetchrow(
        """update links set used_at = $3
            where hash = $1 and purpose = $2 and used_at is null and expires_at > $3
            returning id, purpose, account_id, email, made_at, expires_at""",
        token_hash,
        purpose,
        utc(now_ms),
    )
    return row and _link(row)


def _link(row: Any) -> Link:  # noqa: ANN401 - a row
    return Link(
        id=row["id"],
        purpose=Purpose(row["purpose"]),
        account_id=row["account_id"],
        email=row["email"],
        made_ms=unix_ms(row["made_at"]),
        expires_ms=unix_ms(row["expires_at"]),
    )
