"""The ledger's SQL: what is unread, what is due, what is known.

Confirmed orders wait in `execution_unread`, where the transaction that confirms them puts them.
One statement enters an order's legs and takes it off that list, so that it is on exactly one of the
two at any moment. A row is filled in by comparing and setting `next_due`: of two ledgers that both
hold a mark for it, the first one writes.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.core.clock import unix_ms, utc
from quantdesk.core.markets import Side
from quantdesk.engines.orders.quality.bias import CLIP_BPS, Group
from quantdesk.engines.orders.quality.model import HORIZONS, Entry, Mark
from quantdesk.engines.orders.quality.reading import Confirmed
from quantdesk.store.pool import Connection

_RECENT = 20_000  # legs that averages are made of: the latest ones

Place = tuple[int, UUID, int]
"""Where a row stands in an order of time: Unix milliseconds, order, leg."""


class Filter(msgspec.Struct, frozen=True, kw_only=True):
    """Which entries are wanted: one account's; `before` is the last one already shown."""

    account_id: UUID
    mode: str
    pair: str | None = None
    venue: str | None = None
    order_id: UUID | None = None
    since_ms: int | None = None
    before: Place | None = None
    limit: int = 50


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Mean costs of the fills of a venue and pair, in basis points; None where none is known.

    `split` of the fills were legs of larger orders; of `fee_apart` the venue took its fee in an
    asset that was not traded, which is in no cost.
    """

    group: Group
    split: int
    fee_apart: int
    simulated_bps: Decimal | None
    markout_bps: tuple[Decimal | None, ...]


_UNREAD = """
select o.id, o.mode, o.account_id, o.pair, o.side, o.base_raw, o.filled_base_raw,
    o.filled_quote_raw, e.at, e.data -> 'receipt' as receipt, a.route, a.simulation,
    a.signed_at, born.data -> 'decision' as decision
from execution_unread u
join orders o on o.id = u.order_id and o.mode = $1
join order_events e on e.order_id = o.id and e.version = o.version
join order_events born on born.order_id = o.id and born.version = 1
left join order_attempts a on a.order_id = o.id and a.attempt = o.attempt
where u.problem is null order by u.order_id desc limit $2
"""

_ENTER = """
with entered as (
  insert into execution_quality (order_id, leg, legs, mode, account_id, pair, side, venue, pool,
      kind, base_raw, quoted_raw, simulated_raw, landed_base_raw, landed_raw, landed_price,
      landed_at, measured, simulated_measured, decision, landing, markout_10s, markout_1m,
      markout_5m, next_due, other_fees)
  select order_id, leg, legs, mode, account_id, pair, side, venue, pool, kind, base_raw,
      quoted_raw, simulated_raw, landed_base_raw, landed_raw, landed_price,
      to_timestamp(landed_ms / 1000.0), measured, simulated_measured, decision, landing,
      markout_10s, markout_1m, markout_5m, to_timestamp(next_due_ms / 1000.0), other_fees
  from json_to_recordset($1::json) as u(order_id uuid, leg smallint, legs smallint, mode text,
      account_id uuid, pair text, side text, venue text, pool text, kind text, base_raw bigint,
      quoted_raw bigint, simulated_raw bigint, landed_base_raw bigint, landed_raw bigint,
      landed_price numeric, landed_ms bigint, measured boolean, simulated_measured boolean,
      decision jsonb, landing jsonb, markout_10s jsonb, markout_1m jsonb, markout_5m jsonb,
      next_due_ms bigint, other_fees jsonb)
  order by order_id, leg on conflict do nothing)
delete from execution_unread where order_id = any($2::uuid[])
"""

_DUE = """
select * from execution_quality
where mode = $1 and next_due <= $2 and (next_due, order_id, leg) > ($3, $4, $5)
order by next_due, order_id, leg limit $6
"""

_AHEAD = """
select * from execution_quality where mode = $1 and next_due > $2 and landed_at > $2
order by next_due, order_id, leg limit $3
"""

_SETTLE = """
update execution_quality q set landing = u.landing, markout_10s = u.markout_10s,
    markout_1m = u.markout_1m, markout_5m = u.markout_5m,
    next_due = to_timestamp(u.next_due_ms / 1000.0)
from json_to_recordset($1::json) as u(order_id uuid, leg smallint, was_due_ms bigint,
    landing jsonb, markout_10s jsonb, markout_1m jsonb, markout_5m jsonb, next_due_ms bigint)
where (q.order_id, q.leg) = (u.order_id, u.leg)
  and q.next_due = to_timestamp(u.was_due_ms / 1000.0)
"""

_WANTED = """
account_id = $1 and mode = $2 and ($3::text is null or pair = $3)
  and ($4::text is null or venue = $4) and ($5::timestamptz is null or landed_at >= $5)
  and ($6::uuid is null or order_id = $6)
"""

_PAGE = f"""
select * from execution_quality where {_WANTED}
  and ($7::timestamptz is null or (landed_at, order_id, leg) < ($7, $8::uuid, $9::smallint))
order by landed_at desc, order_id desc, leg desc limit $10
"""  # noqa: S608 - of constants

# As `bias.cost_bps` and `bias.markout_bps` have it; `of_quote` is what a venue is judged by. What a
# whole lot brings beyond what was asked was in no quote, and is no reason to trust the next one.
_COSTS = """
select venue, pair, legs, measured, other_fees,
  10000 * worse * (landed_raw::numeric * base_raw
    / (nullif(landed_base_raw, 0)::numeric * nullif(quoted_raw, 0)) - 1) as landed,
  10000 * worse * (landed_raw::numeric * base_raw
    / (nullif(least(landed_base_raw, base_raw), 0)::numeric * nullif(quoted_raw, 0)) - 1)
    as of_quote,
  10000 * worse * (simulated_raw::numeric / nullif(quoted_raw, 0) - 1) as simulated,
  10000 * worse * (1 - (markout_10s ->> 'price')::numeric / nullif(landed_price, 0)) as after_10s,
  10000 * worse * (1 - (markout_1m ->> 'price')::numeric / nullif(landed_price, 0)) as after_1m,
  10000 * worse * (1 - (markout_5m ->> 'price')::numeric / nullif(landed_price, 0)) as after_5m
from (select *, case side when 'BUY' then 1 else -1 end as worse from execution_quality) as signed
"""

_TALLIES = f"""
select venue, pair, count(*) as fills, count(*) filter (where legs > 1) as split,
    count(other_fees) as fee_apart,
    avg(landed) as mean, stddev_samp(landed) / sqrt(count(landed)::numeric) as stderr,
    avg(simulated) as simulated, avg(after_10s) as after_10s, avg(after_1m) as after_1m,
    avg(after_5m) as after_5m
from ({_COSTS} where {_WANTED} order by landed_at desc limit $7) as recent
group by venue, pair order by venue, pair
"""  # noqa: S608 - of constants

_GROUPS = f"""
select venue, pair, count(*) as fills, avg(cost) as mean,
    stddev_samp(cost) / sqrt(count(*)::numeric) as stderr
from (select venue, pair, least(greatest(of_quote, -$2::numeric), $2) as cost
      from ({_COSTS} where mode = $1 and measured and other_fees is null
            order by order_id desc limit $3) as recent
      where of_quote is not null) as clipped
group by venue, pair order by venue, pair
"""  # noqa: S608 - of constants


async def unread(c: Connection, *, mode: str, limit: int) -> list[Confirmed]:
    """Return confirmed orders that are not in the ledger yet, newest first."""
    return [_confirmed(row) for row in await c.fetch(_UNREAD, mode, limit)]


async def enter(c: Connection, entries: Sequence[Entry], *, read: Sequence[UUID]) -> None:
    """Enter legs, and note that these orders are read; what is entered already stays as it is."""
    await c.execute(_ENTER, [_row(entry) for entry in entries], read)


async def set_aside(c: Connection, problems: Mapping[UUID, str]) -> None:
    """Note why orders cannot be entered; they are not read again until the note is taken off."""
    await c.execute(
        """update execution_unread u set problem = p.problem
           from json_to_recordset($1::json) as p(order_id uuid, problem text)
           where u.order_id = p.order_id""",
        [{"order_id": i, "problem": problem} for i, problem in problems.items()],
    )


async def due(c: Connection, *, mode: str, now_ms: int, after: Place, limit: int) -> list[Entry]:
    """Return entries with a mark due by now that stand behind `after`, the longest due first."""
    past_ms, order_id, leg = after
    rows = await c.fetch(_DUE, mode, utc(now_ms), utc(past_ms), order_id, leg, limit)
    return [_entry(row) for row in rows]


async def ahead(c: Connection, *, mode: str, after_ms: int, limit: int) -> list[Entry]:
    """Return entries with marks to come that landed later than that."""
    return [_entry(row) for row in await c.fetch(_AHEAD, mode, utc(after_ms), limit)]


async def settle(c: Connection, changed: Sequence[tuple[Entry, Entry]]) -> None:
    """Write the marks of entries, each as it was and as it is, unless somebody did meanwhile."""
    rows = [{"was_due_ms": was.next_due_ms, **_row(entry)} for was, entry in changed]
    await c.execute(_SETTLE, rows)


async def page(c: Connection, wanted: Filter) -> list[Entry]:
    """Return the entries wanted, the latest fill first."""
    at_ms, order_id, leg = wanted.before or (None, None, None)
    before = (None if at_ms is None else utc(at_ms), order_id, leg)
    rows = await c.fetch(_PAGE, *_wanted(wanted), *before, wanted.limit)
    return [_entry(row) for row in rows]


async def tallies(c: Connection, wanted: Filter) -> list[Tally]:
    """Return what the entries wanted came to, whatever page is asked for; the latest 20,000."""
    rows = await c.fetch(_TALLIES, *_wanted(wanted), _RECENT)
    return [
        Tally(
            group=_group(row),
            split=row["split"],
            fee_apart=row["fee_apart"],
            simulated_bps=row["simulated"],
            markout_bps=(row["after_10s"], row["after_1m"], row["after_5m"]),
        )
        for row in rows
    ]


async def groups(c: Connection, *, mode: str) -> list[Group]:
    """Return what the latest 20,000 measured fills of all accounts came to, each clipped.

    Fills with a fee that is in no amount are left out: they would pass for better than quoted.
    """
    return [_group(row) for row in await c.fetch(_GROUPS, mode, CLIP_BPS, _RECENT)]


def _row(entry: Entry) -> dict[str, Any]:
    marks = dict.fromkeys(horizon.name for horizon in HORIZONS) | dict(
        zip((horizon.name for horizon in HORIZONS), entry.marks, strict=False)
    )
    derived = {
        "landed_price": entry.landed_price,
        "next_due_ms": entry.next_due_ms,
        "other_fees": {symbol: f"{fee:f}" for symbol, fee in entry.other_fees.items()} or None,
    }
    return msgspec.structs.asdict(entry) | derived | marks


def _wanted(wanted: Filter) -> tuple[Any, ...]:
    since = None if wanted.since_ms is None else utc(wanted.since_ms)
    return (wanted.account_id, wanted.mode, wanted.pair, wanted.venue, since, wanted.order_id)


def _confirmed(row: asyncpg.Record) -> Confirmed:
    return Confirmed(
        order_id=row["id"],
        mode=row["mode"],
        account_id=row["account_id"],
        pair=row["pair"],
        side=Side(row["side"]),
        base_raw=row["base_raw"],
        landed_base_raw=row["filled_base_raw"],
        landed_raw=row["filled_quote_raw"],
        learned_ms=unix_ms(row["at"]),
        signed_ms=None if row["signed_at"] is None else unix_ms(row["signed_at"]),
        route=row["route"] or {},
        simulation=row["simulation"] or {},
        receipt=row["receipt"] or {},
        decision=row["decision"] or {},
    )


def _entry(row: asyncpg.Record) -> Entry:
    told = (row[horizon.name] for horizon in HORIZONS)
    is_lone = row["legs"] == 1 and row["simulated_raw"] is not None
    return Entry(
        order_id=row["order_id"],
        leg=row["leg"],
        legs=row["legs"],
        mode=row["mode"],
        account_id=row["account_id"],
        pair=row["pair"],
        side=Side(row["side"]),
        venue=row["venue"],
        pool=row["pool"],
        kind=row["kind"],
        base_raw=row["base_raw"],
        quoted_raw=row["quoted_raw"],
        simulated_raw=row["simulated_raw"],
        landed_base_raw=row["landed_base_raw"],
        landed_raw=row["landed_raw"],
        landed_ms=unix_ms(row["landed_at"]),
        measured=row["measured"],
        simulated_measured=row["simulated_measured"] or is_lone,
        decision=_mark(row["decision"]),
        marks=tuple(_mark(mark) for mark in told if mark is not None),
        other_fees={symbol: Decimal(fee) for symbol, fee in (row["other_fees"] or {}).items()},
    )


def _mark(data: dict[str, Any]) -> Mark:
    return msgspec.convert(data, Mark)


def _group(row: asyncpg.Record) -> Group:
    nothing = Decimal(0)
    return Group(row["venue"], row["pair"], row["fills"], row["mean"] or nothing, row["stderr"])
