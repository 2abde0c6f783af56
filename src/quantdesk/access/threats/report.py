"""What a day came to, for whoever looks after the desk: acts, refusals, events and blocks."""

from collections.abc import Sequence
from typing import Final

import msgspec

from quantdesk.access.threats import store
from quantdesk.access.threats.model import Severity
from quantdesk.store.pool import Pools

DAY_MS: Final = 86_400_000


class EventCount(msgspec.Struct, frozen=True, rename="camel"):
    """How many security events of a kind there were."""

    kind: str
    severity: Severity
    events: int


class ActCount(msgspec.Struct, frozen=True, rename="camel"):
    """How many acts of a kind there were, and how many of them were refused."""

    action: str
    acts: int
    refused: int
    accounts: int
    networks: int


class Report(msgspec.Struct, frozen=True, rename="camel"):
    """One UTC day (`day` is YYYY-MM-DD)."""

    day: str
    events: list[EventCount]
    acts: list[ActCount]
    blocks: int


async def report(
    pools: Pools, *, day: str, from_ms: int, acts: Sequence[ActCount], blocks: int
) -> Report:
    """Return the report of a day; `acts` are the audit's own counts."""
    async with pools.read.connection() as c:
        found = await store.by_kind(c, from_ms=from_ms, to_ms=from_ms + DAY_MS)
    return Report(day, [EventCount(*one) for one in found], list(acts), blocks)
