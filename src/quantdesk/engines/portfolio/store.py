"""The portfolio's SQL: confirmed orders that are still to be counted, fills, running totals.

The statement that confirms an order puts it in `portfolio_unread`, numbered as it came. One
transaction takes the first of them off that list, enters their fills and moves the totals they
belong to, so that no crash and no other process loses a fill or counts it twice. Totals are a row
for each account, mode and pair: what they are read from does not grow with the orders.
"""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import asyncpg
import msgspec

from quantdesk.core.clock import unix_ms, utc
from quantdesk.core.markets import Side
from quantdesk.engines.portfolio.model import Book, Fill, Gain
from quantdesk.store.pool import Connection

Key = tuple[UUID, str, str]
"""Whose totals: account, mode and pair."""

Place = tuple[int, UUID]
"""Where a fill stands in time: Unix milliseconds, order."""

_LOCK: Final = 0x706F7274666F6C  # of whoever counts
PENDING_MAX: Final = 10_000


class Entry(msgspec.Struct, frozen=True):
    """A fill as it was counted, and what its order says of it."""

    fill: Fill
    gain: Gain
    tx_hash: str | None = None
    venues: tuple[str, ...] = ()


_TAKE = """
with due as materialized (
  select number, order_id from portfolio_unread order by number limit $1),
gone as (delete from portfolio_unread where number in (select number from due))
select o.id, o.account_id, o.mode, o.pair, o.side, o.filled_base_raw, o.filled_quote_raw,
    o.network_fee_lamports, o.updated_at as at, e.data -> 'receipt' -> 'otherFees' as other_fees
from (select distinct order_id from due) as d
join orders o on o.id = d.order_id and o.filled_base_raw is not null
join order_events e on e.order_id = o.id and e.version = o.version
where not exists (select from portfolio_fills f where f.order_id = o.id)
order by o.updated_at, o.id
"""

_BOOKS = """
select p.* from portfolio_pairs p
join json_to_recordset($1::json) as u(account_id uuid, mode text, pair text)
  using (account_id, mode, pair)
"""

_ENTER = """
insert into portfolio_fills (order_id, account_id, mode, pair, side, base_raw, quote_raw,
    network_fee_lamports, other_fees, realized_raw, unknown_base_raw, unknown_quote_raw, at)
select order_id, account_id, mode, pair, side, base_raw, quote_raw, network_fee_lamports,
    other_fees, realized_raw, unknown_base_raw, unknown_quote_raw, to_timestamp(at_ms / 1000.0)
from json_to_recordset($1::json) as u(order_id uuid, account_id uuid, mode text, pair text,
    side text, base_raw bigint, quote_raw bigint, network_fee_lamports bigint, other_fees json,
    realized_raw numeric, unknown_base_raw bigint, unknown_quote_raw bigint, at_ms bigint)
"""

_TOTALS: Final = (
    "bought_base_raw",
    "bought_quote_raw",
    "sold_base_raw",
    "sold_quote_raw",
    "position_raw",
    "cost_raw",
    "realized_raw",
    "unknown_base_raw",
    "unknown_quote_raw",
    "network_fee_lamports",
    "fills",
)
_NAMES = ", ".join(_TOTALS)

_KEEP = f"""
insert into portfolio_pairs (account_id, mode, pair, {_NAMES}, other_fees, first_at, last_at)
select account_id, mode, pair, {_NAMES}, other_fees, to_timestamp(first_ms / 1000.0),
    to_timestamp(last_ms / 1000.0)
from json_to_recordset($1::json) as u(account_id uuid, mode text, pair text,
    {", ".join(f"{name} numeric" for name in _TOTALS)}, other_fees json, first_ms bigint,
    last_ms bigint)
on conflict (account_id, mode, pair) do update set
    {", ".join(f"{name} = excluded.{name}" for name in (*_TOTALS, "other_fees"))},
    first_at = excluded.first_at, last_at = excluded.last_at
"""  # noqa: S608 - of constants

_PAGE = """
select f.*, o.tx_hash, a.route -> 'legs' as legs from (
  select * from portfolio_fills
  where account_id = $1 and mode = $2 and ($3::text is null or pair = $3)
    and ($4::timestamptz is null or (at, order_id) < ($4, $5::uuid))
  order by at desc, order_id desc limit $6) as f
left join orders o on o.id = f.order_id and o.mode = f.mode
left join order_attempts a on a.order_id = o.id and a.attempt = o.attempt
order by f.at desc, f.order_id desc
"""


async def take_turn(c: Connection) -> None:
    """Wait until no other process counts; until the transaction ends, none will."""
    await c.execute("select pg_advisory_xact_lock($1)", _LOCK)


async def take(c: Connection, *, limit: int) -> list[Fill]:
    """Take the first confirmed orders that wait off their list; return their fills by time."""
    return [_fill(row) for row in await c.fetch(_TAKE, limit)]


async def books(c: Connection, keys: Iterable[Key]) -> dict[Key, Book]:
    """Return the totals of these accounts, modes and pairs, of those that have any."""
    wanted = [{"account_id": account, "mode": m, "pair": p} for account, m, p in keys]
    rows = await c.fetch(_BOOKS, wanted)
    return {(row["account_id"], row["mode"], row["pair"]): _book(row) for row in rows}


async def enter(c: Connection, entries: Sequence[Entry], kept: Mapping[Key, Book]) -> None:
    """Enter fills, and the totals that they led to."""
    await c.execute(_ENTER, [_entry_row(entry) for entry in entries])
    await c.execute(_KEEP, [_book_row(key, book) for key, book in kept.items()])


async def books_of(c: Connection, account_id: UUID, *, mode: str) -> dict[str, Book]:
    """Return an account's totals by pair."""
    rows = await c.fetch(
        "select * from portfolio_pairs where account_id = $1 and mode = $2", account_id, mode
    )
    return {row["pair"]: _book(row) for row in rows}


async def pending(c: Connection) -> int:
    """Return how many confirmed orders wait to be counted; 10,000 where there are more."""
    found: int = await c.fetchval(
        "select count(*) from (select from portfolio_unread limit $1) as first", PENDING_MAX
    )
    return found


async def page(
    c: Connection,
    account_id: UUID,
    *,
    mode: str,
    pair: str | None,
    before: Place | None,
    limit: int,
) -> list[Entry]:
    """Return an account's fills, the newest first, from before a place in time."""
    at_ms, order_id = before or (None, None)
    at = None if at_ms is None else utc(at_ms)
    rows = await c.fetch(_PAGE, account_id, mode, pair, at, order_id, limit)
    return [_entry(row) for row in rows]


def _fill(row: asyncpg.Record) -> Fill:
    return Fill(
        order_id=row["id"],
        account_id=row["account_id"],
        mode=row["mode"],
        pair=row["pair"],
        side=Side(row["side"]),
        base_raw=row["filled_base_raw"],
        quote_raw=row["filled_quote_raw"],
        network_fee_lamports=row["network_fee_lamports"] or 0,
        at_ms=unix_ms(row["at"]),
        other_fees=_fees(row["other_fees"]),
    )


def _entry(row: asyncpg.Record) -> Entry:
    legs = row["legs"] or ()
    return Entry(
        Fill(
            order_id=row["order_id"],
            account_id=row["account_id"],
            mode=row["mode"],
            pair=row["pair"],
            side=Side(row["side"]),
            base_raw=row["base_raw"],
            quote_raw=row["quote_raw"],
            network_fee_lamports=row["network_fee_lamports"],
            at_ms=unix_ms(row["at"]),
            other_fees=_fees(row["other_fees"]),
        ),
        Gain(int(row["realized_raw"]), row["unknown_base_raw"], row["unknown_quote_raw"]),
        row["tx_hash"],
        tuple(dict.fromkeys(str(leg["venue"]) for leg in legs)),
    )


def _entry_row(entry: Entry) -> dict[str, Any]:
    fill, gain = msgspec.structs.asdict(entry.fill), msgspec.structs.asdict(entry.gain)
    return fill | gain | {"realized_raw": str(entry.gain.realized_raw)}


def _book(row: asyncpg.Record) -> Book:
    return Book(
        **{name: int(row[name]) for name in _TOTALS},
        other_fees=_fees(row["other_fees"]),
        first_ms=unix_ms(row["first_at"]),
        last_ms=unix_ms(row["last_at"]),
    )


def _book_row(key: Key, book: Book) -> dict[str, Any]:
    account_id, mode, pair = key
    # As text: sums may have more digits than the numbers of JSON are read with.
    totals = {name: str(getattr(book, name)) for name in _TOTALS}
    times = {"first_ms": book.first_ms, "last_ms": book.last_ms}
    named = {"account_id": account_id, "mode": mode, "pair": pair}
    return {**named, **totals, **times, "other_fees": book.other_fees}


def _fees(told: Mapping[str, str] | None) -> dict[str, Decimal]:
    return {symbol: Decimal(fee) for symbol, fee in (told or {}).items()}
