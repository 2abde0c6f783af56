"""The SQL of sessions: themselves, their their refresh tokens, and tickets."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.model import Origin
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """A session as it is stored; times are Unix milliseconds."""

    id: UUID
    account_id: UUID
    method: str
    ip: str
    agent: str
    opened_ms: int
    proven_ms: int
    renewed_ms: int
    expires_ms: int


class Refresh(msgspec.Struct, frozen=True):
    """A refresh token that was issued: of which session, whether it is used, and the session."""

    session_id: UUID
    account_id: UUID
    spent: bool
    open: bool


class Ticket(msgspec.Struct, frozen=True):
    """What a ticket stands for."""

    account_id: UUID
    method: str
    session_id: UUID | None
    key_id: UUID | None


_SESSION = """
select id, account_id, method, ip, agent, opened_at, proven_at, renewed_at, expires_at
from sessions
"""


async def open_session(c: Connection, session: Session) -> None:
    """Insert a session."""
    await c.execute(
        """insert into sessions (id, account_id, method, ip, agent, opened_at, proven_at,
               renewed_at, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9)""",
        session.id,
        session.account_id,
        session.method,
        session.ip,
        session.agent,
        utc(session.opened_ms),
        utc(session.proven_ms),
        utc(session.renewed_ms),
        utc(session.expires_ms),
    )


async def sessions(c: Connection, account_id: UUID, *, now_ms: int) -> list[Session]:
    """Return an account's open sessions, the newest first."""
    rows = await c.fetch(
        f"""{_SESSION} where account_id = $1 and ended_at is null and expires_at > $2
            order by opened_at desc, id desc""",
        account_id,
        utc(now_ms),
    )
    return [_session(row) for row in rows]


async def surplus(c: Connection, account_id: UUID, *, keep: int, now_ms: int) -> list[UUID]:
    """Return an account's open sessions but those it renewed last."""
    rows = await c.fetch(
        """select id from sessions
           where account_id = $1 and ended_at is null and expires_at > $3
           order by renewed_at desc, id desc offset $2""",
        account_id,
        keep,
        utc(now_ms),
    )
    return [row["id"] for row in rows]


async def end_sessions(
    c: Connection,
    account_id: UUID,
    *,
    only: Sequence[UUID] | None,
    spare: UUID | None,
    why: str,
    at_ms: int,
) -> list[UUID]:
    """End open sessions of an account: those named, or all but one; return which were open."""
    rows = await c.fetch(
        """update sessions set ended_at = $4, ended_why = $5
           where account_id = $1 and ended_at is null
             and ($2::uuid[] is null or id = any($2)) and id is distinct from $3
           returning id""",
        account_id,
        only,
        spare,
        utc(at_ms),
        why,
    )
    return [row["id"] for row in rows]


async def prove(c: Connection, session_id: UUID, *, at_ms: int) -> None:
    """Note that the person behind a session proved to be there."""
    await c.execute("update sessions set proven_at = $2 where id = $1", session_id, utc(at_ms))


async def renew(
    c: Connection, session_id: UUID, *, origin: Origin, at_ms: int, until_ms: int
) -> None:
    """Let a session last longer and note where it is used from."""
    await c.execute(
        """update sessions set renewed_at = $2, expires_at = $3, ip = $4, agent = $5
           where id = $1""",
        session_id,
        utc(at_ms),
        utc(until_ms),
        origin.ip,
        origin.agent,
    )


async def add_refresh(c: Connection, session_id: UUID, token_hash: bytes, *, at_ms: int) -> None:
    """Give a session its next refresh token."""
    await c.execute(
        "insert into refresh_tokens (hash, session_id, made_at) values ($1, $2, $3)",
        token_hash,
        session_id,
        utc(at_ms),
    )


async def spend_refresh(c: Connection, token_hash: bytes, *, at_ms: int) -> Refresh | None:
    """Spend a refresh token and return what it was before; others that try wait meanwhile."""
    row = await c.fetchrow(
        """select t.session_id, s.account_id, t.spent_at is not null as spent,
               s.ended_at is null and s.expires_at > $2 as open
           from refresh_tokens t join sessions s on s.id = t.session_id
           where t.hash = $1 for update of t, s""",
        token_hash,
        utc(at_ms),
    )
    if row is None:
        return None
    found = Refresh(row["session_id"], row["account_id"], spent=row["spent"], open=row["open"])
    if not found.spent:
        await c.execute(
            "update refresh_tokens set spent_at = $2 where hash = $1", token_hash, utc(at_ms)
        )
    return found


async def refresh_owner(c: Connection, token_hash: bytes) -> tuple[UUID, UUID] | None:
    """Return session and account of a refresh token, used or not."""
    row = await c.fetchrow(
        """select s.id, s.account_id from refresh_tokens t join sessions s on s.id = t.session_id
           where t.hash = $1""",
        token_hash,
    )
    return row and (row["id"], row["account_id"])


async def add_ticket(
    c: Connection, token_hash: bytes, ticket: Ticket, *, purpose: str, expires_ms: int
) -> None:
    """Insert a ticket."""
    await c.execute(
        """insert into tickets (hash, purpose, account_id, method, session_id, key_id, expires_at)
           values ($1, $2, $3, $4, $5, $6, $7)""",
        token_hash,
        purpose,
        ticket.account_id,
        ticket.method,
        ticket.session_id,
        ticket.key_id,
        utc(expires_ms),
    )


async def ticket(c: Connection, token_hash: bytes, *, purpose: str, now_ms: int) -> Ticket | None:
    """Return what a ticket stands for while it is valid."""
    row = await c.fetchrow(
        """select account_id, method, session_id, key_id from tickets
           where hash = $1 and purpose = $2 and expires_at > $3""",
        token_hash,
        purpose,
        utc(now_ms),
    )
    return row and Ticket(**row)


async def take_ticket(
    c: Connection, token_hash: bytes, *, purpose: str, now_ms: int
) -> Ticket | None:
    """Take a ticket and return what it stood for; nobody takes it twice."""
    row = await c.fetchrow(
        """delete from tickets where hash = $1 and purpose = $2 and expires_at > $3
           returning account_id, method, session_id, key_id""",
        token_hash,
        purpose,
        utc(now_ms),
    )
    return row and Ticket(**row)


async def forget(c: Connection, *, now_ms: int, ended_before_ms: int) -> None:
    """Delete tickets that ran out, sessions that ended long ago, and what refreshed them."""
    await c.execute("delete from tickets where expires_at <= $1", utc(now_ms))
    await c.execute(
        "delete from sessions where expires_at < $1 or ended_at < $1", utc(ended_before_ms)
    )
    await c.execute("delete from refresh_tokens where spent_at < $1", utc(ended_before_ms))


def _session(row: Any) -> Session:  # noqa: ANN401 - a row
    return Session(
        id=row["id"],
        account_id=row["account_id"],
        method=row["method"],
        ip=row["ip"],
        agent=row["agent"],
        opened_ms=unix_ms(row["opened_at"]),
        proven_ms=unix_ms(row["proven_at"]),
        renewed_ms=unix_ms(row["renewed_at"]),
        expires_ms=unix_ms(row["expires_at"]),
    )
