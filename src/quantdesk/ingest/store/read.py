"""Reading market data: candles, ticks, gaps, and which candles are there. Every answer is bounded.

Times are Unix milliseconds; ranges hold their beginning and not their end.
"""

from typing import Any, Final

import asyncpg

from quantdesk.core.candles import INTERVALS, Candle
from quantdesk.core.clock import unix_ms, utc
from quantdesk.ingest.store.model import Gap, Market, Tick
from quantdesk.store.pool import Connection

CANDLES_MAX: Final = 5_000
TICKS_MAX: Final = 10_000
GAPS_MAX: Final = 5_000
_NS_PER_MS: Final = 1_000_000

# Without the zeros behind the last digit, as candles in memory are told.
_CANDLE: Final = """source, symbol, currency, interval, open_at, trim_scale(open)::text as open,
  trim_scale(high)::text as high, trim_scale(low)::text as low, trim_scale(close)::text as close,
  trim_scale(volume)::text as volume, trim_scale(quote_volume)::text as quote_volume,
  trim_scale(taker_buy_volume)::text as taker_buy_volume, trades, first_id, last_id, revision,
  flat, gap, origin, reconciled"""

_OF: Final = "source = $1 and symbol = $2 and currency = $3"

_CANDLES: Final = f"""
select {_CANDLE} from candles
where {_OF} and interval = $4 and open_at >= $5 and open_at < $6 order by open_at limit $7
"""  # noqa: S608 - of constants

_LAST_CANDLES: Final = f"""
select * from (select {_CANDLE} from candles
  where {_OF} and interval = $4 and open_at < $5 order by open_at desc limit $6) as last
order by open_at
"""  # noqa: S608 - of constants

_TICKS: Final = f"""
select * from (select * from ticks where {_OF} and received_at >= $4 and received_at < $5
  order by received_at desc limit $6) as last order by received_at
"""  # noqa: S608 - of constants

# Candles that follow each other make an island; what lies between islands is missing.
_ISLANDS: Final = f"""
select min(open_at) as begin, max(open_at) + $7::interval as end
from (select open_at, open_at - row_number() over (order by open_at) * $7::interval as island
  from candles
  where {_OF} and interval = $4 and open_at >= $5 and open_at < $6 and not gap) as good
group by island order by 1
"""  # noqa: S608 - of constants

_ABSENT: Final = f"""
select from_at, to_at from market_gaps
where kind = 'candles' and {_OF} and interval = $4 and fate = 'absent'
  and from_at < $6 and to_at > $5
order by from_at
"""  # noqa: S608 - of constants

_GAPS: Final = """
select * from market_gaps where ($1::text is null or fate = $1)
order by from_at desc, kind, source, symbol, currency, interval limit $2
"""


async def candles(
    c: Connection, market: Market, interval: str, *, from_ms: int | None, to_ms: int, limit: int
) -> list[Candle]:
    """Return closed candles that open in a range, oldest first.

    The first `limit` of them with `from_ms`, the last ones without; 5,000 at most.
    """
    limit = min(limit, CANDLES_MAX)
    if from_ms is None:
        rows = await c.fetch(_LAST_CANDLES, *market, interval, utc(to_ms), limit)
    else:
        rows = await c.fetch(_CANDLES, *market, interval, utc(from_ms), utc(to_ms), limit)
    return [_candle(row) for row in rows]


async def ticks(
    c: Connection, market: Market, *, from_ms: int, to_ms: int, limit: int
) -> list[Tick]:
    """Return the last sampled prices of a market that arrived in a range, oldest first.

    All its feeds together (quotes, trades …); 10,000 at most.
    """
    rows = await c.fetch(_TICKS, *market, utc(from_ms), utc(to_ms), min(limit, TICKS_MAX))
    return [_tick(row) for row in rows]


async def gaps(c: Connection, *, fate: str | None = None, limit: int = GAPS_MAX) -> list[Gap]:
    """Return what is noted as missing, the latest first; of one fate, or of all."""
    return [_gap(row) for row in await c.fetch(_GAPS, fate, min(limit, GAPS_MAX))]


async def covered(
    c: Connection, market: Market, interval: str, *, from_ms: int, to_ms: int
) -> list[tuple[int, int]]:
    """Return the ranges that need no asking: whole candles are there, or known not to exist.

    In the order of their beginnings, and they may overlap.
    """
    begin, end = utc(from_ms), utc(to_ms)
    width = utc(INTERVALS[interval]) - utc(0)
    islands = await c.fetch(_ISLANDS, *market, interval, begin, end, width)
    absent = await c.fetch(_ABSENT, *market, interval, begin, end)
    return sorted((unix_ms(one[0]), unix_ms(one[1])) for one in (*islands, *absent))


async def markets(c: Connection, *, limit: int) -> list[Market]:
    """Return the markets that candles of a minute are kept of."""
    rows = await c.fetch(
        "select distinct source, symbol, currency from candles where interval = '1m'"
        " order by 1, 2, 3 limit $1",
        limit,
    )
    return [(row["source"], row["symbol"], row["currency"]) for row in rows]


def _candle(row: asyncpg.Record) -> Candle:
    told: dict[str, Any] = dict(row)
    open_ms = unix_ms(told.pop("open_at"))
    return Candle(**told, open_ms=open_ms, closed=True)


def _tick(row: asyncpg.Record) -> Tick:
    event_at, raw_ns = row["event_at"], row["raw_ns"]
    return Tick(
        source=row["source"],
        symbol=row["symbol"],
        currency=row["currency"],
        kind=row["kind"],
        event_ms=None if event_at is None else unix_ms(event_at),
        received_ns=unix_ms(row["received_at"]) * _NS_PER_MS if raw_ns is None else raw_ns,
        price=row["price"],
        confidence=row["confidence"],
        validity=row["validity"],
        is_raw=raw_ns is not None,
    )


def _gap(row: asyncpg.Record) -> Gap:
    filled_at = row["filled_at"]
    return Gap(
        kind=row["kind"],
        source=row["source"],
        symbol=row["symbol"],
        currency=row["currency"],
        interval=row["interval"],
        from_ms=unix_ms(row["from_at"]),
        to_ms=unix_ms(row["to_at"]),
        count=row["count"],
        reason=row["reason"],
        fate=row["fate"],
        filled_ms=None if filled_at is None else unix_ms(filled_at),
    )
