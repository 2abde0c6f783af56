"""The news of a desk: which sources are set, and who keeps what they tell.

Without a key a source does not exist. News is asked for where prices are live: a desk on simulated
or recorded prices asks nobody outside.
"""

from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from quantdesk.api.news import NewsQuery, Story
from quantdesk.app.background import Background
from quantdesk.app.sources import chance
from quantdesk.core.clock import Clock
from quantdesk.ingest.news.keeper import KEPT_DAYS, NewsKeeper
from quantdesk.ingest.news.model import placed
from quantdesk.ingest.news.news import News
from quantdesk.ingest.news.spending import Spending
from quantdesk.settings import NewsSettings
from quantdesk.sources import cryptopanic, discord, reddit, x
from quantdesk.sources.budget import Budget, Cost
from quantdesk.sources.port import Source
from quantdesk.sources.rss import Rss
from quantdesk.store.pool import Pools

_AT_HAND: Final = 2_000


@dataclass(frozen=True, slots=True)
class Newsroom:
    """What was told lately, what is kept, and the sources that are set."""

    news: News
    keeper: NewsKeeper
    sources: tuple[Source, ...]

    async def stories(self, asked: NewsQuery) -> list[Story]:
        """Return a page of what is kept and one more, newest first.

        Raises `Refused` (`news.cursor`) and `Unavailable`.
        """
        found = await self.keeper.page(
            symbol=asked.symbol and asked.symbol.upper(),
            before=placed(asked.cursor) if asked.cursor else None,
            limit=asked.limit + 1,
        )
        return [Story(str(one.place), one.source, one.headline) for one in found]


async def open_newsroom(
    stack: AsyncExitStack,
    background: Background,
    settings: NewsSettings | None,
    *,
    pools: Pools,
    clock: Clock,
) -> Newsroom:
    """Have the latest stories at hand, and keep those that come, until the stack unwinds.

    Without settings nobody is asked and nothing is kept: another process does both. Raises
    `Refused` (`source.settings`).
    """
    days = KEPT_DAYS if settings is None else settings.days
    keeper = NewsKeeper(pools=pools, clock=clock, chance=chance(), days=days)
    news = News()
    news.restore(await keeper.recent(_AT_HAND))
    if settings is None:
        return Newsroom(news, keeper, ())
    sources = tuple(_sources(settings, pools=pools, clock=clock))
    news.keep.append(keeper.keep)
    stack.push_async_callback(keeper.flush)
    background.begin("news keeper", keeper.run)
    return Newsroom(news, keeper, sources)


def _sources(settings: NewsSettings, *, pools: Pools, clock: Clock) -> Iterator[Source]:
    ledger = Spending(pools.write)

    def budget(name: str, requests: int, usd: Decimal = Decimal(0)) -> Budget:
        return Budget(name, limit=Cost(requests, usd), ledger=ledger, clock=clock)

    if settings.rss_feeds:
        yield Rss(settings.rss_feeds, clock=clock, chance=chance())
    if settings.cryptopanic_key:
        yield cryptopanic.CryptoPanic(
            cryptopanic.Account(settings.cryptopanic_key, settings.cryptopanic_plan),
            budget=budget("cryptopanic", settings.cryptopanic_requests_per_day),
            clock=clock,
            chance=chance(),
        )
    if settings.reddit_client_id:
        yield reddit.Reddit(
            reddit.Account(
                settings.reddit_client_id,
                settings.reddit_client_secret,
                settings.reddit_subreddits,
            ),
            budget=budget("reddit", settings.reddit_requests_per_day),
            clock=clock,
            chance=chance(),
        )
    if settings.x_token:
        yield x.X(
            x.Account(settings.x_token, settings.x_query, settings.x_posts, settings.x_post_usd),
            budget=budget("x", settings.x_requests_per_day, settings.x_usd_per_day),
            clock=clock,
            chance=chance(),
        )
    if settings.discord_token:
        yield discord.Discord(
            discord.Account(settings.discord_token, settings.discord_channels),
            budget=budget("discord", settings.discord_requests_per_day),
            clock=clock,
            chance=chance(),
        )
