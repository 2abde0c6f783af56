"""Promise: news is kept once, read page by page, let go in time; spending survives a restart."""

import asyncio
from decimal import Decimal

import msgspec
import pytest

from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Headline
from quantdesk.ingest.news.keeper import GATHER_S, SWEEP_S, WAITING_MAX, NewsKeeper
from quantdesk.ingest.news.model import Place, Story
from quantdesk.ingest.news.spending import Spending
from quantdesk.sources.budget import Cost
from quantdesk.store.pool import Pools
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio

NOW_MS = 1_700_000_000_000
DAY_MS = 86_400_000
CENT = Decimal("0.01")


def story(number: int, *, at_ms: int | None = None, **more: object) -> Story:
    published_ms = NOW_MS + number if at_ms is None else at_ms
    told = Headline(f"k{number:04}", f"Title {number}", "", "A", published_ms)
    return Story(msgspec.structs.replace(told, **more), "rss", NOW_MS, f"rss:{number}")


def keeper(pools: Pools, clock: ManualClock | None = None, *, days: int = 90) -> NewsKeeper:
    return NewsKeeper(pools=pools, clock=clock or ManualClock(), chance=lambda: 0.5, days=days)


async def test_keeps_a_story_as_it_was_told(pools: Pools) -> None:
    kept = keeper(pools)
    told = story(
        1, symbols=("BTC", "SOL"), votes={"positive": 3}, url="https://a.example/", summary="Sum"
    )
    kept.keep(told)

    await kept.flush()

    assert await kept.recent(10) == [told]
    assert (kept.waiting, kept.counts["kept"]) == (0, 1)


async def test_brings_votes_and_words_up_to_date_and_keeps_who_told_first(pools: Pools) -> None:
    kept = keeper(pools)
    first = story(1, votes={"score": 1, "likes": 2}, symbols=("BTC",), summary="Old")
    kept.keep(first)
    await kept.flush()
    later = story(1, votes={"score": 7}, symbols=("SOL",), title="Right", url="https://a.example/")
    kept.keep(Story(later.headline, "cryptopanic", NOW_MS + 9, "cryptopanic:9"))
    await kept.flush()

    (found,) = await kept.recent(10)

    assert (found.source, found.received_ms, found.raw_id) == ("rss", NOW_MS, "rss:1")
    assert found.headline.votes == {"score": 7, "likes": 2}
    assert set(found.headline.symbols) == {"BTC", "SOL"}
    assert (found.headline.title, found.headline.summary) == ("Right", "Old")
    assert found.headline.url == "https://a.example/"


async def test_writes_no_row_that_would_not_change(pools: Pools) -> None:
    kept = keeper(pools)
    versions = []
    for _ in range(2):
        kept.keep(story(1, votes={"score": 1}, symbols=("BTC",), summary="S"))
        await kept.flush()
        async with pools.read.connection() as c:
            versions.append(await c.fetchval("select xmin::text from news"))

    assert versions[0] == versions[1]


async def test_pages_through_all_newest_first_without_gap_or_repeat(pools: Pools) -> None:
    kept = keeper(pools)
    for number in range(25):  # five of one moment each
        kept.keep(story(number, at_ms=NOW_MS + number // 5, symbols=("BTC",) if number % 2 else ()))
    await kept.flush()

    async def walk(symbol: str | None) -> list[str]:
        keys: list[str] = []
        before: Place | None = None
        for _ in range(30):
            page = await kept.page(symbol=symbol, before=before, limit=3)
            if not page:
                return keys
            keys += [one.key for one in page]
            before = page[-1].place
        raise AssertionError("pages without end")

    everything = [f"k{number:04}" for number in reversed(range(25))]
    assert await walk(None) == everything
    assert await walk("BTC") == [key for key in everything if int(key[1:]) % 2]
    assert await walk("'; drop table news; --") == []


async def test_lets_go_of_old_news_once_an_hour(pools: Pools) -> None:
    clock = ManualClock()
    kept = keeper(pools, clock, days=1)
    old, new = story(1), story(2)
    kept.keep(msgspec.structs.replace(old, received_ms=NOW_MS - DAY_MS - 1))
    kept.keep(new)

    await kept.flush()
    assert [one.key for one in await kept.recent(9)] == [new.key]
    assert kept.counts["purged"] == 1

    kept.keep(msgspec.structs.replace(old, received_ms=NOW_MS - DAY_MS - 1))
    await clock.advance(SWEEP_S - 1)
    await kept.flush()
    assert len(await kept.recent(9)) == 2

    await clock.advance(1)
    await kept.flush()
    assert [one.key for one in await kept.recent(9)] == [new.key]
    assert kept.counts["purged"] == 2


async def test_waits_for_a_database_that_is_away(pools: Pools) -> None:
    clock = ManualClock()

    class Away:
        """A pool that is away until told otherwise."""

        gone = True

        def transaction(self) -> object:
            if self.gone:
                raise Unavailable("away", code="database.unavailable")
            return pools.write.transaction()

    away = Away()
    kept = keeper(Pools(away, pools.read), clock)  # type: ignore[arg-type] # behaves like one
    running = asyncio.ensure_future(kept.run())
    kept.keep(story(1))
    await clock.advance(GATHER_S + 0.1)
    kept.keep(story(1, votes={"score": 2}))
    assert (kept.counts["failures"], kept.waiting) == (1, 1)

    away.gone = False
    while kept.waiting:
        await clock.advance(1)
        await asyncio.sleep(0)
    running.cancel()

    (found,) = await kept.recent(9)
    assert found.headline.votes == {"score": 2}


async def test_bounds_what_waits(pools: Pools) -> None:
    kept = keeper(pools)
    for number in range(WAITING_MAX + 3):
        kept.keep(story(number))

    assert (kept.waiting, kept.counts["lost"]) == (WAITING_MAX, 3)
    await kept.flush()
    assert (await kept.recent(1))[0].key == f"k{WAITING_MAX + 2:04}"
    assert kept.counts["kept"] == WAITING_MAX


async def test_spends_to_the_limit_and_not_past_it(pools: Pools) -> None:
    limit = Cost(3, 2 * CENT)
    cost = Cost(1, CENT)

    assert await Spending(pools.write).reserve("x", "2026-11-21", cost, limit) == Cost(1, CENT)
    assert await Spending(pools.write).reserve("x", "2026-11-21", cost, limit) == Cost(2, 2 * CENT)
    assert await Spending(pools.write).reserve("x", "2026-11-21", cost, limit) is None
    assert await Spending(pools.write).reserve("x", "2026-11-22", cost, limit) == Cost(1, CENT)
    assert await Spending(pools.write).reserve("y", "2026-11-21", Cost(4), limit) is None


async def test_gives_back_what_was_not_charged(pools: Pools) -> None:
    spending = Spending(pools.write)
    await spending.reserve("x", "2026-11-21", Cost(1, CENT), Cost(9, CENT))
    await spending.refund("x", "2026-11-21", CENT / 2)

    again = await spending.reserve("x", "2026-11-21", Cost(1, CENT / 2), Cost(9, CENT))
    assert again == Cost(2, CENT)
    await spending.refund("x", "2026-11-21", 9 * CENT)
    assert await spending.reserve("x", "2026-11-21", Cost(1), Cost(9, CENT)) == Cost(3)


async def test_desks_that_spend_at_once_do_not_pass_the_limit(pools: Pools) -> None:
    limit = Cost(100, 7 * CENT)
    askings = [
        Spending(pools.write).reserve("x", "2026-11-21", Cost(1, CENT), limit) for _ in range(20)
    ]

    granted = [spent for spent in await asyncio.gather(*askings) if spent is not None]

    assert sorted(spent.usd for spent in granted) == [number * CENT for number in range(1, 8)]
