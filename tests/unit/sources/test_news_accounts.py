"""Sources of news with a key: what a refusal, a spent budget and a lost token come to."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal

import pytest
from structlog.testing import capture_logs

from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Frame, Headline
from quantdesk.sources import cryptopanic, reddit, x
from quantdesk.sources.budget import Budget, Cost
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.loopback import Loopback
from quantdesk.testing.news import KEY, MemoryLedger, NewsServer

POST = x.POST_USD
DAY = "2023-11-14"

Source = cryptopanic.CryptoPanic | reddit.Reddit | x.X
Make = Callable[["Desk"], Source]


@dataclass
class Desk:
    """A server, a source that asks it, its budget, and what came."""

    server: NewsServer
    clock: ManualClock
    key: str = KEY
    limit: Cost = field(default_factory=lambda: Cost(1000, Decimal(10)))
    ledger: MemoryLedger = field(default_factory=MemoryLedger)
    frames: list[Frame] = field(default_factory=list)
    running: asyncio.Future[None] | None = None
    source: Source | None = None
    loopback: Loopback = field(default_factory=Loopback)

    def budget(self, name: str) -> Budget:
        """Return the source's budget."""
        return Budget(name, limit=self.limit, ledger=self.ledger, clock=self.clock)

    async def start(self, make: Make) -> Source:
        """Let the source run."""
        self.source = source = make(self)
        self.running = asyncio.ensure_future(source.run(("BTC", "SOL"), self.frames.append))
        await self.pass_s(0)
        return source

    async def pass_s(self, seconds: float) -> None:
        """Move the clock on, and let what follows happen."""
        await self.clock.advance(seconds)
        await self.loopback.rest()

    def headlines(self) -> list[Headline]:
        """Return all headlines that came."""
        assert self.source is not None, "started before asked"
        told = [event for frame in self.frames for event in self.source.read(frame)]
        return [event for event in told if isinstance(event, Headline)]


def make_cryptopanic(desk: Desk) -> Source:
    account = cryptopanic.Account(desk.key, base_url=desk.server.url)
    budget = desk.budget("cryptopanic")
    return cryptopanic.CryptoPanic(account, budget=budget, clock=desk.clock, chance=lambda: 0.0)


def make_reddit(desk: Desk) -> Source:
    url = desk.server.url
    account = reddit.Account("desk", desk.key, token_url=url, base_url=url)
    return reddit.Reddit(
        account, budget=desk.budget("reddit"), clock=desk.clock, chance=lambda: 0.0
    )


def make_x(desk: Desk) -> Source:
    account = x.Account(desk.key, base_url=desk.server.url)
    return x.X(account, budget=desk.budget("x"), clock=desk.clock, chance=lambda: 0.0)


ALL = pytest.mark.parametrize(
    ("make", "every_s"),
    [
        (make_cryptopanic, cryptopanic.EVERY_S),
        (make_reddit, reddit.EVERY_S),
        (make_x, x.EVERY_S),
    ],
    ids=["cryptopanic", "reddit", "x"],
)


@asynccontextmanager
async def opened() -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with NewsServer(clock=clock) as server:
        await server.tell("Bitcoin rises today for once", votes=3)
        desk = Desk(server, clock)
        try:
            yield desk
        finally:
            if desk.running is not None:
                desk.running.cancel()
                with suppress(asyncio.CancelledError, Refused):
                    await desk.running


@ALL
def test_that_a_source_tells_what_its_server_tells(make: Make, every_s: float) -> None:
    async def work() -> None:
        async with opened() as desk:
            source = await desk.start(make)
            assert [one.title for one in desk.headlines()] == ["Bitcoin rises today for once"]
            assert "BTC" in desk.headlines()[0].symbols
            assert source.problem == ""
            await desk.server.tell("Solana rises today as well")
            await desk.pass_s(every_s)
            assert desk.headlines()[-1 if make is make_x else 1].title.startswith("Solana")

    asyncio.run(work())


@ALL
def test_that_a_wrong_key_ends_the_source(make: Make, every_s: float) -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.key = "wrong"
            source = await desk.start(make)
            assert desk.running is not None
            with pytest.raises(Refused, match="check its key") as refused:
                await desk.running
            assert refused.value.code == "source.key"
            assert "answered HTTP 401" in source.problem
            assert desk.frames == []

    asyncio.run(work())


@ALL
@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "77"}, 77),
        (429, {"X-Rate-Limit-Reset": "1700000123"}, 123),
        (503, {}, 60),
        (403, {}, 3600),
        (500, {}, 0.5),
    ],
)
def test_that_a_refusal_is_waited_out(
    make: Make, every_s: float, status: int, headers: dict[str, str], wait_s: float
) -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.server.bad.status = status
            desk.server.bad.headers = headers
            source = await desk.start(make)
            asked = len(desk.server.seen)
            assert f"answered HTTP {status}" in source.problem
            await desk.pass_s(wait_s - 0.1)
            assert len(desk.server.seen) == asked
            desk.server.bad.status = 200
            desk.server.bad.headers = {}
            await desk.pass_s(0.2)
            assert len(desk.server.seen) > asked
            assert (len(desk.frames), source.problem) == (1, "")

    asyncio.run(work())


@ALL
def test_that_a_spent_budget_is_told_and_goes_on_tomorrow(make: Make, every_s: float) -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.limit = Cost(2, Decimal(10))
            source = await desk.start(make)
            for _ in range(5):
                await desk.pass_s(every_s)
            assert len(desk.server.seen) == 2
            assert "has no budget left for today (2 requests" in source.problem
            assert "2023-11-15T00:00:00.000Z" in source.problem
            assert source.counts["refusals"] == 1
            await desk.pass_s(6400)
            assert len(desk.server.seen) > 2

    asyncio.run(work())


@ALL
@pytest.mark.parametrize(
    ("body", "media"), [(b"{}", "text/html"), (b"<html>", "application/octet-stream")]
)
def test_that_what_is_no_json_is_told(make: Make, every_s: float, body: bytes, media: str) -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.server.bad.body, desk.server.bad.media = body, media
            source = await desk.start(make)
            assert f"answers with {media}, not JSON" in source.problem
            assert desk.frames == []

    asyncio.run(work())


@ALL
def test_that_no_secret_is_shown(make: Make, every_s: float) -> None:
    async def work() -> None:
        async with opened() as desk:
            with capture_logs() as logs:
                source = await desk.start(make)
                desk.server.bad.status = 500
                await desk.pass_s(every_s)
            shown = f"{logs} {source.problem} {desk.frames}"
            assert "HTTP 500: it is a bad day for" in shown
            for secret in ("qd-test", "key+1", "key%2B1", "token-0"):
                assert secret not in shown

    asyncio.run(work())


@ALL
def test_that_no_redirect_carries_a_key_away(make: Make, every_s: float) -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.server.bad.redirect = "/rss"
            source = await desk.start(make)
            assert "redirects more than 0 times" in source.problem
            assert desk.server.asked["/rss"] == 0

    asyncio.run(work())


def test_that_cryptopanic_is_asked_about_the_assets() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.start(make_cryptopanic)
            assert desk.server.asked == {"/api/developer/v2/posts/": 1}
            assert desk.server.queries[0]["currencies"] == "BTC,SOL"
            assert desk.headlines()[0].votes["positive"] == 3

    asyncio.run(work())


def test_that_reddit_asks_with_a_token_and_its_own_name() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.start(make_reddit)
            await desk.pass_s(reddit.EVERY_S)
            names = "+".join(reddit.SUBREDDITS)
            assert desk.server.asked == {"/api/v1/access_token": 1, f"/r/{names}/new": 2}
            assert desk.server.seen[0]["user-agent"] == "python:quantdesk.desk:v1"

    asyncio.run(work())


def test_that_a_token_taken_back_is_replaced() -> None:
    async def work() -> None:
        async with opened() as desk:
            source = await desk.start(make_reddit)
            desk.server.revoke()
            await desk.server.tell()
            await desk.pass_s(reddit.EVERY_S)
            assert "answered HTTP 401" in source.problem
            await desk.pass_s(1)
            assert (len(desk.frames), source.problem) == (2, "")

    asyncio.run(work())


def test_that_a_token_is_renewed_before_it_ends() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.start(make_reddit)
            await desk.pass_s(86_400)
            assert desk.server.asked["/api/v1/access_token"] == 2

    asyncio.run(work())


def test_that_x_asks_for_what_is_new_and_pays_by_post() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.start(make_x)
            assert desk.ledger.days["x", DAY] == Cost(1, POST)
            await desk.pass_s(x.EVERY_S)
            assert desk.server.queries[1]["since_id"] == "1"
            assert desk.ledger.days["x", DAY] == Cost(2, POST)
            for _ in range(4):
                await desk.server.tell()
            await desk.pass_s(x.EVERY_S)
            assert desk.ledger.days["x", DAY] == Cost(3, 5 * POST)
            assert desk.server.queries[0]["query"].startswith("($BTC OR $SOL) ")

    asyncio.run(work())


def test_that_x_does_not_ask_what_it_may_not_be_able_to_pay() -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.limit = Cost(1000, x.POSTS * POST)
            source = await desk.start(make_x)
            await desk.pass_s(x.EVERY_S)
            assert len(desk.server.seen) == 1
            assert "no budget left" in source.problem
            assert desk.ledger.days["x", DAY].usd == POST

    asyncio.run(work())


def test_that_x_counts_an_answer_nobody_can_read_at_its_most() -> None:
    async def work() -> None:
        async with opened() as desk:
            desk.server.bad.body = b"{"
            await desk.start(make_x)
            assert desk.ledger.days["x", DAY] == Cost(1, x.POSTS * POST)

    asyncio.run(work())


def test_that_x_forgets_where_it_was_when_that_is_too_long_ago() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.start(make_x)
            desk.server.bad.status = 400
            await desk.pass_s(x.EVERY_S)
            desk.server.bad.status = 200
            await desk.pass_s(1)
            assert ["since_id" in query for query in desk.server.queries] == [False, True, False]

    asyncio.run(work())


@pytest.mark.parametrize(
    "make",
    [
        lambda desk: cryptopanic.CryptoPanic(
            cryptopanic.Account("k", plan="../v1"), budget=desk.budget("c"), clock=desk.clock,
            chance=lambda: 0.0,
        ),
        lambda desk: reddit.Reddit(
            reddit.Account("i", "s", subreddits=("a/b",)), budget=desk.budget("r"),
            clock=desk.clock, chance=lambda: 0.0,
        ),
        lambda desk: x.X(
            x.Account("t", posts=9), budget=desk.budget("x"), clock=desk.clock, chance=lambda: 0.0
        ),
    ],
)  # fmt: skip
def test_that_settings_no_server_takes_are_refused(make: Make) -> None:
    clock = ManualClock()

    with pytest.raises(Refused) as refused:
        make(Desk(NewsServer(clock=clock), clock))
    assert refused.value.code == "source.settings"
