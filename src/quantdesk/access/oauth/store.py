"""The SQL of OAuth: requests under way, and which account an identity elsewhere belongs to."""

from uuid import UUID

import msgspec

from quantdesk.access.model import Account
from quantdesk.access.oauth.provider import Identity
from quantdesk.access.store import account_of
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection

_OPEN_MAX = 10_000  # requests under way at once, by all; the oldest go first


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A request under way; `sealed` holds what only its own answer needs."""

    state_hash: bytes
    browser_hash: bytes
    provider: str
    sealed: bytes
    account_id: UUID | None
    cookie: bool
    expires_ms: int


class Linked(msgspec.Struct, frozen=True, kw_only=True):
    """An identity elsewhere that an account signs in with."""

    provider: str
    issuer: str
    subject: str
    email: str | None
    linked_ms: int


async def wait(c: Connection, waiting: Waiting, *, now_ms: int) -> None:
    """Remember a request, and forget those that are over or one too many."""
    await c.execute(
        """delete from oauth_requests where expires_at < $1 or state_hash in (
             select state_hash from oauth_requests order by expires_at desc offset $2)""",
        utc(now_ms),
        _OPEN_MAX,
    )
    await c.execute(
        """insert into oauth_requests
             (state_hash, browser_hash, provider, sealed, account_id, cookie, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        waiting.state_hash,
        waiting.browser_hash,
        waiting.provider,
        waiting.sealed,
        waiting.account_id,
        waiting.cookie,
        utc(waiting.expires_ms),
    )


async def take(c: Connection, state_hash: bytes) -> Waiting | None:
    """Return a request and forget it: of two answers with one state, one finds it."""
    row = await c.fetchrow(
        "delete from oauth_requests where state_hash = $1 returning *", state_hash
    )
    return row and Waiting(
        state_hash=row["state_hash"],
        browser_hash=row["browser_hash"],
        provider=row["provider"],
        sealed=row["sealed"],
        account_id=row["account_id"],
        cookie=row["cookie"],
        expires_ms=unix_ms(row["expires_at"]),
    )


async def holder(c: Connection, identity: Identity) -> Account | None:
    """Return the account an identity signs in to."""
    row = await c.fetchrow(
        """select a.*, a.email_verified_at is not null as email_verified,
             a.disabled_at is not null as disabled
           from accounts a join oauth_identities i on i.account_id = a.id
           where (i.issuer, i.subject) = ($1, $2)""",
        identity.issuer,
        identity.subject,
    )
    return row and account_of(row)


async def link(
    c: Connection, account_id: UUID, identity: Identity, *, provider: str, at_ms: int
) -> None:
    """Let an identity sign in to an account; one that has an account is the unique violation."""
    await c.execute(
        """insert into oauth_identities (issuer, subject, account_id, provider, email, linked_at)
           values ($1, $2, $3, $4, $5, $6)""",
        identity.issuer,
        identity.subject,
        account_id,
        provider,
        identity.email,
        utc(at_ms),
    )


async def linked(c: Connection, account_id: UUID) -> list[Linked]:
    """Return the identities of an account, the oldest first."""
    rows = await c.fetch(
        "select * from oauth_identities where account_id = $1 order by linked_at", account_id
    )
    return [
        Linked(
            provider=row["provider"],
            issuer=row["issuer"],
            subject=row["subject"],
            email=row["email"],
            linked_ms=unix_ms(row["linked_at"]),
        )
        for row in rows
    ]


async def unlink(c: Connection, account_id: UUID, *, provider: str, subject: str) -> bool:
    """Let an identity sign in no more; return whether there was one."""
    gone = await c.fetchval(
        """delete from oauth_identities where (account_id, provider, subject) = ($1, $2, $3)
           returning subject""",
        account_id,
        provider,
        subject,
    )
    return gone is not None
