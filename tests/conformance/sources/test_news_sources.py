"""Promise: every source of news keeps the port's word, against servers of its exact shapes."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from quantdesk.sources import cryptopanic, discord, reddit, x
from quantdesk.sources.budget import Budget, Cost
from quantdesk.sources.port import Source
from quantdesk.sources.rss import Rss
from quantdesk.testing import source_suite
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.discord import CHANNEL, DiscordGateway
from quantdesk.testing.news import GARBAGE, KEY, MemoryLedger, NewsServer
from quantdesk.testing.source_suite import CHECKS, Check, Opened, Stage

EVERY_S = 0.25

Make = Callable[[NewsServer, ManualClock, Budget], Source]


def chance() -> float:
    return 0.5


def make_rss(server: NewsServer, clock: ManualClock, _: Budget) -> Source:
    urls = (f"{server.url}/rss", f"{server.url}/atom")
    return Rss(urls, clock=clock, chance=chance, every_s=EVERY_S)


def make_cryptopanic(server: NewsServer, clock: ManualClock, budget: Budget) -> Source:
    account = cryptopanic.Account(KEY, base_url=server.url, every_s=EVERY_S)
    return cryptopanic.CryptoPanic(account, budget=budget, clock=clock, chance=chance)


def make_reddit(server: NewsServer, clock: ManualClock, budget: Budget) -> Source:
    account = reddit.Account(
        "desk", KEY, token_url=server.url, base_url=server.url, every_s=EVERY_S
    )
    return reddit.Reddit(account, budget=budget, clock=clock, chance=chance)


def make_x(server: NewsServer, clock: ManualClock, budget: Budget) -> Source:
    account = x.Account(KEY, base_url=server.url, every_s=EVERY_S)
    return x.X(account, budget=budget, clock=clock, chance=chance)


def news(make: Make) -> Opened:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Stage]:
        clock = ManualClock()
        async with NewsServer(clock=clock) as server:
            limit = Cost(100_000, Decimal(100_000))
            budget = Budget("news", limit=limit, ledger=MemoryLedger(), clock=clock)
            yield Stage(
                source=make(server, clock, budget),
                clock=clock,
                symbols=("BTC", "ETH"),
                push=server.tell,
                cut=server.cut,
                freeze=server.freeze,
                garbage=GARBAGE,
            )

    return opened


@asynccontextmanager
async def gateway() -> AsyncIterator[Stage]:
    clock = ManualClock()
    async with DiscordGateway(clock=clock) as server:
        budget = Budget("discord", limit=Cost(1000), ledger=MemoryLedger(), clock=clock)
        account = discord.Account(KEY, (CHANNEL,), server.url)
        yield Stage(
            source=discord.Discord(account, budget=budget, clock=clock, chance=chance),
            clock=clock,
            symbols=("BTC", "ETH"),
            push=server.tell,
            cut=server.cut,
            freeze=server.freeze,
            garbage=GARBAGE,
            silence_s=120.0,
        )


SOURCES = {
    "rss": news(make_rss),
    "cryptopanic": news(make_cryptopanic),
    "reddit": news(make_reddit),
    "x": news(make_x),
    "discord": gateway,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("opened", SOURCES.values(), ids=SOURCES)
def test_source(opened: Opened, check: Check) -> None:
    source_suite.run(check, opened)
