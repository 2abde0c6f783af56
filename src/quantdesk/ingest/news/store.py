"""The SQL of news: stories kept once, read page by page, and what sources spent."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Final

from quantdesk.core.clock import unix_ms, utc
from quantdesk.core.ticks import Headline
from quantdesk.ingest.news.model import Place, Story
from quantdesk.store.pool import Connection

PAGE_MAX: Final = 2001
_COLUMNS: Final = (
    "key, source, title, url, publisher, summary, symbols, votes, published_at, received_at, raw_id"
)

# Who told it first, when and where stays; a row that would not change is not written anew.
_KEEP: Final = """
insert into news as n (key, source, title, url, publisher, summary, symbols, votes, published_at,
                       received_at, raw_id)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (key) do update set
  title = excluded.title,
  url = case when n.url = '' then excluded.url else n.url end,
  summary = case when excluded.summary = '' then n.summary else excluded.summary end,
  symbols = (select coalesce(array_agg(distinct symbol), '{}')
             from unnest(n.symbols || excluded.symbols) as symbol),
  votes = n.votes || excluded.votes
where n.title <> excluded.title
   or (n.url = '' and excluded.url <> '')
   or (excluded.summary <> '' and n.summary <> excluded.summary)
   or not n.symbols @> excluded.symbols
   or not n.votes @> excluded.votes
"""

_RESERVE: Final = """
insert into source_spending as s (source, day, requests, usd)
select $1, $2, $3::integer, $4::numeric where $3::integer <= $5 and $4::numeric <= $6
on conflict (source, day) do update
  set requests = s.requests + excluded.requests, usd = s.usd + excluded.usd
  where s.requests + excluded.requests <= $5 and s.usd + excluded.usd <= $6
returning requests, usd
"""


async def keep(c: Connection, stories: Sequence[Story]) -> None:
    """Insert stories, and bring those up to date that are there; `c` is in a transaction."""
    # In one order, so that two desks never wait for each other in a circle.
    rows = [_values(story) for story in sorted(stories, key=lambda story: story.key)]
    await c.executemany(_KEEP, rows)


async def page(
    c: Connection, *, symbol: str | None = None, before: Place | None = None, limit: int
) -> list[Story]:
    """Return the stories before a place, or the latest, newest first."""
    assert 0 < limit <= PAGE_MAX, "a page is bounded"
    # Two statements: an index of symbols serves only the one that always asks for a symbol.
    about = "$1::text is null" if symbol is None else "symbols @> array[$1::text]"
    rows = await c.fetch(
        f"""select {_COLUMNS} from news where {about}
              and ($2::timestamptz is null or (published_at, key) < ($2::timestamptz, $3::text))
            order by published_at desc, key desc limit $4""",  # noqa: S608 - of constants
        symbol,
        None if before is None else utc(before.published_ms),
        "" if before is None else before.key,
        limit,
    )
    return [_story(row) for row in rows]


async def purge(c: Connection, *, before_ms: int) -> int:
    """Delete what was received before a moment, and spending of days before; return how many."""
    await c.execute("delete from source_spending where day < $1", utc(before_ms).date())
    tag = await c.execute("delete from news where received_at < $1", utc(before_ms))
    return int(tag.rpartition(" ")[2])


async def reserve(
    c: Connection, source: str, day: date, *, cost: tuple[int, Decimal], limit: tuple[int, Decimal]
) -> tuple[int, Decimal] | None:
    """Add requests and dollars to a day's unless that passes the limit.

    Returns what is spent then, None where nothing was added.
    """
    row = await c.fetchrow(_RESERVE, source, day, *cost, *limit)
    return None if row is None else (row["requests"], row["usd"])


async def refund(c: Connection, source: str, day: date, usd: Decimal) -> None:
    """Take dollars off a day's; never below nothing."""
    await c.execute(
        "update source_spending set usd = greatest(usd - $3, 0) where source = $1 and day = $2",
        source,
        day,
        usd,
    )


def _values(story: Story) -> tuple[Any, ...]:
    told = story.headline
    return (
        story.key, story.source, told.title, told.url, told.publisher, told.summary,
        list(told.symbols), told.votes, utc(told.published_ms), utc(story.received_ms),
        story.raw_id,
    )  # fmt: skip


def _story(row: Any) -> Story:  # noqa: ANN401 - a row
    headline = Headline(
        key=row["key"],
        title=row["title"],
        url=row["url"],
        publisher=row["publisher"],
        published_ms=unix_ms(row["published_at"]),
        summary=row["summary"],
        symbols=tuple(row["symbols"]),
        votes=row["votes"],
    )
    return Story(headline, row["source"], unix_ms(row["received_at"]), row["raw_id"])
