"""The SQL of the watch over threats: events, blocks, and what a day came to."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.threats.model import Block, SecurityEvent, Severity
from quantdesk.core.clock import unix_ms, utc
from quantdesk.store.pool import Connection


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which events are wanted, the newest first."""

    kind: str | None = None
    severity: str | None = None
    before: UUID | None = None
    limit: int = 50


async def add(c: Connection, event: SecurityEvent) -> None:
    """Insert an event, and the block it asks for; a longer one that stands stays."""
    await c.execute(
        """insert into security_events (id, at, kind, severity, subject, count, since, detail,
             network, account_id, block_s)
           values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)""",
        event.id,
        utc(event.at_ms),
        event.kind,
        event.severity,
        event.subject,
        event.count,
        utc(event.since_ms),
        event.detail,
        event.network,
        event.account_id,
        event.block_s,
    )
    if event.block_s and event.network:
        await c.execute(
            """insert into blocks (network, until, event_id, reason) values ($1, $2, $3, $4)
               on conflict (network) do update set until = excluded.until,
                 event_id = excluded.event_id, reason = excluded.reason
               where blocks.until < excluded.until""",
            event.network,
            utc(event.at_ms + event.block_s * 1000),
            event.id,
            event.kind,
        )


async def blocks(c: Connection, *, now_ms: int) -> list[Block]:
    """Return the blocks that stand, the one that ends first first."""
    rows = await c.fetch("select * from blocks where until > $1 order by until", utc(now_ms))
    return [
        Block(
            network=row["network"],
            until_ms=unix_ms(row["until"]),
            event_id=row["event_id"],
            reason=row["reason"],
        )
        for row in rows
    ]


async def lift(c: Connection, network: str) -> bool:
    """Let a network in again; return whether it was kept out."""
    gone = await c.fetchval("delete from blocks where network = $1 returning network", network)
    return gone is not None


async def events(c: Connection, wanted: Filter) -> list[SecurityEvent]:
    """Return events, the newest first."""
    rows = await c.fetch(
        """select * from security_events
           where ($1::text is null or kind = $1) and ($2::text is null or severity = $2)
             and ($3::uuid is null or id < $3) order by id desc limit $4""",
        wanted.kind,
        wanted.severity,
        wanted.before,
        wanted.limit,
    )
    return [_event(row) for row in rows]


async def to_notify(c: Connection, *, tries_max: int, limit: int) -> list[SecurityEvent]:
    """Return events whose notice is still to be sent, the oldest first."""
    rows = await c.fetch(
        """select * from security_events where notified_at is null and tries < $1
           order by at limit $2""",
        tries_max,
        limit,
    )
    return [_event(row) for row in rows]


async def notified(c: Connection, event_id: UUID, *, at_ms: int) -> None:
    """Note that an event's notice was sent."""
    await c.execute(
        "update security_events set notified_at = $2 where id = $1", event_id, utc(at_ms)
    )


async def tried(c: Connection, event_id: UUID) -> None:
    """Note that sending an event's notice failed."""
    await c.execute("update security_events set tries = tries + 1 where id = $1", event_id)


async def by_kind(
    c: Connection, *, from_ms: int, to_ms: int
) -> Sequence[tuple[str, Severity, int]]:
    """Return how many events there were of each kind."""
    rows = await c.fetch(
        """select kind, severity, count(*) as events from security_events
           where at >= $1 and at < $2 group by kind, severity order by events desc, kind""",
        utc(from_ms),
        utc(to_ms),
    )
    return [(row["kind"], Severity(row["severity"]), row["events"]) for row in rows]


def _event(row: Any) -> SecurityEvent:  # noqa: ANN401 - a row
    return SecurityEvent(
        id=row["id"],
        at_ms=unix_ms(row["at"]),
        kind=row["kind"],
        severity=Severity(row["severity"]),
        subject=row["subject"],
        count=row["count"],
        since_ms=unix_ms(row["since"]),
        detail=row["detail"],
        network=row["network"],
        account_id=row["account_id"],
        block_s=row["block_s"],
    )
