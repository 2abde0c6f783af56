"""Forgetting: what a source told in a range is declared bad and taken out, and that is kept.

Candles taken out are missing afterwards, so that a backfill fetches them again.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from quantdesk.core.clock import utc
from quantdesk.store.pool import Connection

# $1 source, $2..3 symbol and currency or null, $4..5 the range.
_OF: Final = """source = $1 and ($2::text is null or symbol = $2)
  and ($3::text is null or currency = $3)"""

_TICKS: Final = f"delete from ticks where {_OF} and received_at >= $4 and received_at < $5"  # noqa: S608 - of constants
_CANDLES: Final = f"delete from candles where {_OF} and open_at >= $4 and open_at < $5"  # noqa: S608 - of constants
_ABSENT: Final = f"""
delete from market_gaps where {_OF} and kind = 'candles' and fate = 'absent'
  and from_at < $5 and to_at > $4
"""  # noqa: S608 - of constants

_NOTE: Final = """
insert into market_forgotten (source, symbol, currency, from_at, to_at, id, at, actor, reason,
  ticks, candles) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What to take out, by whom and why; times are Unix milliseconds, the end not included.

    All that a source told, unless `symbol`, or `currency` too, say of what.
    """

    id: UUID
    at_ms: int
    actor: str
    reason: str
    source: str
    symbol: str | None
    currency: str | None
    from_ms: int
    to_ms: int


async def forget(c: Connection, what: Forgetting) -> tuple[int, int]:
    """Take it out and note that; return how many ticks and candles went. In a transaction.

    A candle goes when it opened in the range: the larger ones around it are added up anew by the
    next backfill.
    """
    of = (what.source, what.symbol, what.currency, utc(what.from_ms), utc(what.to_ms))
    ticks = await c.execute(_TICKS, *of)
    candles = await c.execute(_CANDLES, *of)
    await c.execute(_ABSENT, *of)
    gone = (_count(ticks), _count(candles))
    await c.execute(_NOTE, *of, what.id, utc(what.at_ms), what.actor, what.reason, *gone)
    return gone


def _count(tag: str) -> int:
    return int(tag.rpartition(" ")[2])
