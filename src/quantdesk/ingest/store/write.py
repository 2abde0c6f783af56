"""Writing market data: a writer's batches, each stored once however often it is tried.

A batch moves its writer's number in the same transaction. Where nobody can say whether a commit
happened, the batch is simply tried again: a number that stands there already stores nothing.

Commits do not wait for the disk: after a power cut what came in the last half second is gone too,
candles come back by backfill, and orders never wait behind market data for the disk.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final
from uuid import UUID

import asyncpg

from quantdesk.core.candles import Candle
from quantdesk.core.clock import utc
from quantdesk.core.errors import Corrupt
from quantdesk.ingest.store.copying import COLUMNS, packed
from quantdesk.ingest.store.model import Batch, Gap
from quantdesk.store.pool import Connection

_CANDLE_COLUMNS: Final = """source, symbol, currency, interval, open_at, open, high, low, close,
    volume, quote_volume, taker_buy_volume, trades, first_id, last_id, revision, flat, gap, origin,
    reconciled, backfilled"""

_VALUES: Final = "open, high, low, close, volume, quote_volume, taker_buy_volume, trades"

# Numbers come as the text they are known by, and are read by the server.
_INCOMING: Final = """
select source, symbol, currency, interval, to_timestamp(open_ms / 1000.0) as open_at,
  open::numeric, high::numeric, low::numeric, close::numeric, volume::numeric,
  quote_volume::numeric, taker_buy_volume::numeric, trades, first_id, last_id, revision, flat, gap,
  origin, reconciled
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[],
  $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::bigint[], $14::bigint[],
  $15::bigint[], $16::integer[], $17::boolean[], $18::boolean[], $19::text[], $20::boolean[])
  as u(source, symbol, currency, interval, open_ms, open, high, low, close, volume, quote_volume,
  taker_buy_volume, trades, first_id, last_id, revision, flat, gap, origin, reconciled)
order by 1, 2, 3, 4, 5
"""

# A later word on the same window wins. What a desk counted in part after its start is no later
# word on what the exchange told of the whole.
_LIVE: Final = f"""
insert into candles as c ({_CANDLE_COLUMNS})
select i.*, false from ({_INCOMING}) as i
on conflict (source, symbol, currency, interval, open_at) do update set
  (open, high, low, close, volume, quote_volume, taker_buy_volume, trades, first_id, last_id,
   revision, flat, gap, origin, reconciled, backfilled) =
  (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
   excluded.quote_volume, excluded.taker_buy_volume, excluded.trades, excluded.first_id,
   excluded.last_id, excluded.revision, excluded.flat, excluded.gap, excluded.origin,
   excluded.reconciled, false)
where (excluded.revision > c.revision
    or (excluded.revision = c.revision and excluded.reconciled and not c.reconciled))
  and not (c.backfilled and excluded.gap)
"""  # noqa: S608 - of constants

# What the exchange tells afterwards fills holes; what was counted here in whole stays.
_FILL: Final = f"""
insert into candles as c ({_CANDLE_COLUMNS})
select i.*, true from ({_INCOMING}) as i
on conflict (source, symbol, currency, interval, open_at) do update set
  (open, high, low, close, volume, quote_volume, taker_buy_volume, trades, first_id, last_id,
   revision, flat, gap, origin, reconciled, backfilled) =
  (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
   excluded.quote_volume, excluded.taker_buy_volume, excluded.trades, excluded.first_id,
   excluded.last_id, c.revision + 1, excluded.flat, false, excluded.origin, excluded.reconciled,
   true)
where c.gap
"""  # noqa: S608 - of constants

_GAPS: Final = """
insert into market_gaps as g (kind, source, symbol, currency, interval, from_at, to_at, count,
  reason, fate, noted_at)
select kind, source, symbol, currency, interval, to_timestamp(from_ms / 1000.0),
  to_timestamp(to_ms / 1000.0), count, reason, fate, $10
from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::bigint[],
  $8::bigint[], $9::text[], $11::text[])
  as u(kind, source, symbol, currency, interval, from_ms, to_ms, count, reason, fate)
on conflict (kind, source, symbol, currency, interval, from_at, fate) do update set
  to_at = greatest(g.to_at, excluded.to_at), count = greatest(g.count, excluded.count)
"""

_SAME: Final = """kind = 'candles' and (source, symbol, currency, interval, from_at)
= ($1, $2, $3, $4, $5)"""

_FILLED_BEFORE: Final = f"delete from market_gaps where fate = 'filled' and {_SAME}"  # noqa: S608 - of constants
_FILLED: Final = f"""
update market_gaps set fate = 'filled', filled_at = $6 where fate = 'missing' and {_SAME}
"""  # noqa: S608 - of constants

_BEGIN: Final = """
insert into market_writers as w (id, batch, at) values ($1, $2, $3)
on conflict (id) do update set batch = excluded.batch, at = excluded.at
where w.batch < excluded.batch
returning batch
"""


async def store(c: Connection, writer: UUID, batch: Batch, *, now_ms: int) -> bool:
    """Store a batch; say no, and store nothing, when it is stored already.

    `c` is in a transaction. Raises `Corrupt` (`market.unstorable`) for rows that no table takes.
    """
    await c.execute("set local synchronous_commit = off")
    if await c.fetchval(_BEGIN, writer, batch.number, utc(now_ms)) is None:
        return False
    try:
        if batch.ticks:
            await c.copy_to_table(
                "ticks", source=_in_turns(packed(batch.ticks)), columns=COLUMNS, format="binary"
            )
        if batch.candles:
            await c.execute(_LIVE, *_candle_columns(batch.candles))
        if batch.gaps:
            await note(c, batch.gaps, now_ms=now_ms)
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as problem:
        raise Corrupt(f"no table takes this: {problem}", code="market.unstorable") from problem
    return True


async def fill(c: Connection, candles: Sequence[Candle]) -> int:
    """Store candles told afterwards where none is, or one with a gap; return how many were.

    Raises `Corrupt` (`market.unstorable`) for candles that contradict themselves.
    """
    try:
        tag = await c.execute(_FILL, *_candle_columns(candles))
    except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as problem:
        raise Corrupt(f"no table takes this: {problem}", code="market.unstorable") from problem
    return int(tag.rpartition(" ")[2])


async def note(c: Connection, gaps: Sequence[Gap], *, now_ms: int) -> None:
    """Note what is missing; a gap that begins where a known one does makes that longer."""
    columns = [
        [gap.kind for gap in gaps], [gap.source for gap in gaps], [gap.symbol for gap in gaps],
        [gap.currency for gap in gaps], [gap.interval for gap in gaps],
        [gap.from_ms for gap in gaps], [gap.to_ms for gap in gaps],
        [gap.count for gap in gaps], [gap.reason for gap in gaps],
    ]  # fmt: skip
    await c.execute(_GAPS, *columns, utc(now_ms), [gap.fate for gap in gaps])


async def note_filled(c: Connection, gap: Gap, *, now_ms: int) -> None:
    """Note that a gap of candles that was missing is filled."""
    row = (*gap.market, gap.interval, utc(gap.from_ms))
    await c.execute(_FILLED_BEFORE, *row)
    await c.execute(_FILLED, *row, utc(now_ms))


async def purge(c: Connection, *, before_ms: int) -> None:
    """Delete what nobody asks for any more: writers long gone, and gaps that cannot be filled."""
    await c.execute("delete from market_writers where at < $1", utc(before_ms))
    await c.execute(
        "delete from market_gaps where to_at < $1 and fate in ('lost', 'filled')", utc(before_ms)
    )


async def _in_turns(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0)  # messages wait for a piece at most, not for a batch


def _candle_columns(candles: Sequence[Candle]) -> list[list[Any]]:
    rows = (
        (
            *(one.source, one.symbol, one.currency, one.interval, one.open_ms),
            *(one.open, one.high, one.low, one.close),
            *(one.volume, one.quote_volume, one.taker_buy_volume),
            *(one.trades, one.first_id, one.last_id, one.revision, one.flat, one.gap),
            *(one.origin, one.reconciled),
        )
        for one in candles
    )
    return [list(column) for column in zip(*rows, strict=True)]
