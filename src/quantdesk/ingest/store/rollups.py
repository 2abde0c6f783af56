"""Roll-ups: candles of five minutes to a day, added up from stored ones of a minute.

For ranges that were backfilled; live candles are added up in memory. The rules are those of
`ingest/candles/window.py` (`fold`), which the tests hold this to: prices and ids of the parts that
traded, a count of trades only where every part that traded has one, and all flat parts a flat
whole. A gap in a part is one in the whole, and so is a minute that nobody has.
"""

from typing import Final

from quantdesk.core.candles import INTERVALS
from quantdesk.core.clock import utc
from quantdesk.ingest.store.model import Market
from quantdesk.store.pool import Connection

BASE: Final = "1m"
TARGETS: Final = ("5m", "15m", "1h", "4h", "1d")

# $1..3 market, $4 interval, $5 its length, $6..7 the range on its grid, $8 minutes in one.
# A window is told again only where that is better than what stands there: where a candle counted
# in part is now whole or holds more, and where what was added up before adds up to something else.
_ROLL_UP: Final = """
with parts as (
  select *, date_bin($5::interval, open_at, 'epoch'::timestamptz) as opens, not flat as moved,
    (trades > 0 or volume = 0) as counted
  from candles
  where source = $1 and symbol = $2 and currency = $3 and interval = '1m'
    and open_at >= $6 and open_at < $7
), wholes as (
  select opens,
    coalesce((array_agg(open order by open_at) filter (where moved))[1],
      (array_agg(close order by open_at))[1]) as open,
    coalesce(max(high) filter (where moved), (array_agg(close order by open_at))[1]) as high,
    coalesce(min(low) filter (where moved), (array_agg(close order by open_at))[1]) as low,
    coalesce((array_agg(close order by open_at desc) filter (where moved))[1],
      (array_agg(close order by open_at))[1]) as close,
    coalesce(sum(volume), 0) as volume,
    case when bool_and(quote_volume is not null or flat)
      then coalesce(sum(quote_volume), 0) end as quote_volume,
    case when bool_and(taker_buy_volume is not null or flat)
      then coalesce(sum(taker_buy_volume), 0) end as taker_buy_volume,
    case when bool_and(counted) then coalesce(sum(trades), 0)::bigint else 0 end as trades,
    case when bool_and(counted)
      then coalesce((array_agg(first_id order by open_at) filter (where moved))[1], -1)
      else -1 end as first_id,
    case when bool_and(counted) then coalesce(max(last_id) filter (where moved), -1)
      else -1 end as last_id,
    not bool_or(moved) as flat,
    bool_or(gap) or count(*) < $8 as gap
  from parts group by opens
)
insert into candles as c (source, symbol, currency, interval, open_at, open, high, low, close,
  volume, quote_volume, taker_buy_volume, trades, first_id, last_id, revision, flat, gap, origin,
  reconciled, backfilled)
select $1, $2, $3, $4, opens, open, high, low, close, volume, quote_volume, taker_buy_volume,
  trades, first_id, last_id, 0, flat, gap, 'trades', false, true
from wholes order by opens
on conflict (source, symbol, currency, interval, open_at) do update set
  (open, high, low, close, volume, quote_volume, taker_buy_volume, trades, first_id, last_id,
   revision, flat, gap, origin, reconciled, backfilled) =
  (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
   excluded.quote_volume, excluded.taker_buy_volume, excluded.trades, excluded.first_id,
   excluded.last_id, c.revision + 1, excluded.flat, excluded.gap, excluded.origin,
   excluded.reconciled, true)
where (c.gap and (not excluded.gap or excluded.volume > c.volume))
  or (c.backfilled and c.origin = 'trades'
    and (c.open, c.high, c.low, c.close, c.volume, c.trades, c.gap) is distinct from
      (excluded.open, excluded.high, excluded.low, excluded.close, excluded.volume,
       excluded.trades, excluded.gap))
"""


async def roll_up(c: Connection, market: Market, *, from_ms: int, to_ms: int, now_ms: int) -> int:
    """Add up what candles of a minute in a range touch; return how many candles changed.

    Windows that had not ended by `now_ms` are left out. All Unix milliseconds.
    """
    changed = 0
    for interval in TARGETS:
        length_ms = INTERVALS[interval]
        begin_ms = from_ms - from_ms % length_ms
        end_ms = min(-(-to_ms // length_ms) * length_ms, now_ms - now_ms % length_ms)
        if begin_ms < end_ms:
            tag = await c.execute(
                _ROLL_UP, *market, interval, utc(length_ms) - utc(0), utc(begin_ms), utc(end_ms),
                length_ms // INTERVALS[BASE],
            )  # fmt: skip
            changed += int(tag.rpartition(" ")[2])
    return changed
