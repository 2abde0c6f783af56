"""Feeds are asked rarely and politely; whatever their servers do ends in time and within bounds."""

import asyncio
import gzip
import tracemalloc
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

import pytest

from quantdesk.core.errors import Refused
from quantdesk.core.ticks import Frame, Headline
from quantdesk.sources.fetching import ANSWER_S, BODY_BYTES_MAX, REDIRECTS_MAX, reset_s, shown
from quantdesk.sources.rss import EVERY_S, Rss
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.loopback import Loopback
from quantdesk.testing.news import NewsServer


@dataclass
class Desk:
    """A server, a source that asks it, and what came."""

    server: NewsServer
    clock: ManualClock
    source: Rss
    frames: list[Frame] = field(default_factory=list)
    chance: float = 0.0
    loopback: Loopback = field(default_factory=Loopback)

    async def settle(self) -> None:
        """Let loopback come to rest."""
        await self.loopback.rest()

    async def pass_s(self, seconds: float) -> None:
        """Move the clock on, and let what follows happen."""
        await self.clock.advance(seconds)
        await self.settle()

    def headlines(self) -> list[str]:
        """Return the titles of all that came."""
        told = [event for frame in self.frames for event in self.source.read(frame)]
        return [event.title for event in told if isinstance(event, Headline)]


@asynccontextmanager
async def desk(*paths: str, before: Callable[[NewsServer], object] = id) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with NewsServer(clock=clock) as server:
        await server.tell("Bitcoin rises today for once")
        urls = [server.url + path for path in paths or ("/rss",)]
        made = Desk(server, clock, Rss(urls, clock=clock, chance=lambda: made.chance))
        before(server)
        running = asyncio.ensure_future(made.source.run((), made.frames.append))
        await made.settle()
        try:
            yield made
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def told(work: Callable[[], Coroutine[None, None, None]]) -> None:
    asyncio.run(asyncio.wait_for(work(), 60))


def test_that_a_feed_is_asked_every_five_to_ten_minutes() -> None:
    async def work() -> None:
        async with desk() as one:
            await one.pass_s(EVERY_S - 1)
            assert one.server.asked["/rss"] == 1
            one.chance = 0.999
            await one.pass_s(1)
            assert one.server.asked["/rss"] == 2
            await one.pass_s(2 * EVERY_S - 1)
            assert one.server.asked["/rss"] == 2
            await one.pass_s(1)
            assert one.server.asked["/rss"] == 3

    told(work)


def test_that_an_unchanged_feed_costs_a_304_and_no_frame() -> None:
    async def work() -> None:
        async with desk() as one:
            await one.pass_s(EVERY_S)
            assert one.server.seen[1]["if-none-match"].startswith('"')
            assert one.source.counts == {"messages": 1, "unchanged": 1}
            await one.server.tell("Solana rises today as well")
            await one.pass_s(EVERY_S)
            assert one.headlines()[1:] == [
                "Solana rises today as well",
                "Bitcoin rises today for once",
            ]

    told(work)


def test_that_a_server_without_validators_is_heard_once_as_well() -> None:
    async def work() -> None:
        async with desk(before=lambda server: server.bad.headers.update(ETag="")) as one:
            await one.pass_s(EVERY_S)
            assert "if-none-match" not in one.server.seen[1]
            assert one.source.counts == {"messages": 1, "unchanged": 1}

    told(work)


def test_that_last_modified_is_sent_back() -> None:
    when = "Sat, 21 Nov 2026 12:00:00 GMT"

    async def work() -> None:
        async with desk(
            before=lambda server: server.bad.headers.update({"Last-Modified": when})
        ) as one:
            await one.pass_s(EVERY_S)
            assert one.server.seen[1]["if-modified-since"] == when

    told(work)


def test_that_one_bad_feed_does_not_hold_up_another() -> None:
    async def work() -> None:
        async with desk("/nothing", "/atom") as one:
            assert one.headlines() == ["Bitcoin rises today for once"]
            assert "/nothing answered HTTP 404" in one.source.problem

    told(work)


@pytest.mark.parametrize(
    ("status", "headers", "wait_s"),
    [
        (429, {"Retry-After": "1200"}, 1200),
        (429, {"X-RateLimit-Reset": "900"}, 900),
        (503, {"Retry-After": "40"}, 40),
        (500, {}, 0.5),
        (403, {}, 3600),
        (401, {}, 3600),
    ],
)
def test_that_a_refusal_is_waited_out(status: int, headers: dict[str, str], wait_s: float) -> None:
    def spoil(server: NewsServer) -> None:
        server.bad.status = status
        server.bad.headers = headers

    async def work() -> None:
        async with desk(before=spoil) as one:
            assert f"answered HTTP {status}" in one.source.problem
            await one.pass_s(wait_s - 0.1)
            assert one.server.asked["/rss"] == 1
            one.server.bad.status = 200
            await one.pass_s(0.2)
            assert one.server.asked["/rss"] == 2
            assert (len(one.frames), one.source.problem) == (1, "")

    told(work)


def test_that_failures_are_asked_for_ever_more_rarely() -> None:
    def spoil(server: NewsServer) -> None:
        server.bad.status = 502

    async def work() -> None:
        async with desk(before=spoil) as one:
            one.chance = 0.999
            await one.pass_s(3600)
            few = one.server.asked["/rss"]
            assert 15 < few < 25
            await one.pass_s(3600)
            assert one.server.asked["/rss"] - few <= 13

    told(work)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        ({"silent": True}, "no answer within"),
        ({"drip": True}, "no answer within"),
    ],
)
def test_that_a_slow_server_is_left_in_time(spoil: dict[str, bool], said: str) -> None:
    def slow(server: NewsServer) -> None:
        for name, value in spoil.items():
            setattr(server.bad, name, value)

    async def work() -> None:
        async with desk(before=slow) as one:
            assert one.source.problem == ""
            for _ in range(int(ANSWER_S)):
                await one.pass_s(1)
            assert said in one.source.problem
            assert one.frames == []

    told(work)


@pytest.mark.parametrize(
    ("body", "headers", "said"),
    [
        (b"<rss>" + b" " * BODY_BYTES_MAX, {}, "without end"),
        (gzip.compress(b"<rss>" + b" " * (64 << 20)), {"Content-Encoding": "gzip"}, "without end"),
        (b"<rss/>", {"Content-Encoding": "gzip"}, "badly packed"),
        (gzip.compress(b"<rss/>")[:-9], {"Content-Encoding": "gzip"}, "half a body"),
        (b"<rss/>", {"Content-Encoding": "br"}, "packed as br"),
    ],
    ids=["large", "bomb", "no gzip", "half", "brotli"],
)
def test_that_a_body_is_bounded(body: bytes, headers: dict[str, str], said: str) -> None:
    def spoil(server: NewsServer) -> None:
        server.bad.body = body
        server.bad.headers = headers

    async def work() -> None:
        async with desk(before=spoil) as one:
            for _ in range(20):
                await one.settle()
            assert said in one.source.problem
            assert one.frames == []

    told(work)


def test_that_a_small_body_that_unpacks_to_much_takes_little_room() -> None:
    packed = gzip.compress(b"<rss>" + b" " * (64 << 20))

    def spoil(server: NewsServer) -> None:
        server.bad.body = packed
        server.bad.headers = {"Content-Encoding": "gzip"}

    async def work() -> None:
        tracemalloc.start()
        try:
            async with desk(before=spoil) as one:
                for _ in range(20):
                    await one.settle()
                assert "without end" in one.source.problem
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 8 * BODY_BYTES_MAX

    told(work)


def test_that_a_packed_feed_is_read() -> None:
    def pack(server: NewsServer) -> None:
        server.bad.body = gzip.compress(
            b"<rss><channel><item><title>Hi</title></item></channel></rss>"
        )
        server.bad.headers = {"Content-Encoding": "gzip"}

    async def work() -> None:
        async with desk(before=pack) as one:
            assert one.headlines() == ["Hi"]

    told(work)


def test_that_what_is_no_feed_is_told() -> None:
    def spoil(server: NewsServer) -> None:
        server.bad.body = b"<!doctype html><title>Are you human?</title>"
        server.bad.media = "text/html"

    async def work() -> None:
        async with desk(before=spoil) as one:
            assert "answers with text/html, no feed" in one.source.problem
            one.server.bad.body = b"<?xml version='1.0'?><rss/>"
            await one.pass_s(EVERY_S)
            assert len(one.frames) == 1

    told(work)


@pytest.mark.parametrize(
    ("to", "said"),
    [
        ("/atom", "redirects more than"),
        ("http://127.0.0.2/rss", "not followed"),
        ("http://169.254.169.254/latest/meta-data", "not followed"),
        ("http://router.local/", "not followed"),
        ("file:///etc/passwd", "not followed"),
        ("", "not followed"),
    ],
)
def test_that_redirects_are_bounded(to: str, said: str) -> None:
    def spoil(server: NewsServer) -> None:
        server.bad.redirect = to or "\t"

    async def work() -> None:
        async with desk(before=spoil) as one:
            assert said in one.source.problem
            asked = sum(one.server.asked.values())
            assert asked == (REDIRECTS_MAX + 1 if said.startswith("redirects") else 1)

    told(work)


def test_that_a_redirect_of_the_same_host_is_followed() -> None:
    async def work() -> None:
        async with desk("/old") as one:
            assert one.headlines() == ["Bitcoin rises today for once"]
            assert one.frames[0].feed == f"{one.server.url}/old"

    told(work)


@pytest.mark.parametrize("url", ["", "feed", "ftp://a.example/", "https://", "https://a:b/"])
def test_that_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        Rss([url], clock=ManualClock(), chance=lambda: 0.5)
    assert refused.value.code == "source.settings"


@pytest.mark.parametrize(
    ("headers", "spent_only", "wait_s"),
    [
        ({"x-rate-limit-reset": "1700000900"}, False, 900),
        ({"x-rate-limit-reset": "1600000000"}, False, 0),
        ({"x-ratelimit-reset": "37.5"}, False, 37.5),
        ({"x-ratelimit-reset": "300", "x-ratelimit-remaining": "598.0"}, True, 0),
        ({"x-ratelimit-reset": "300", "x-ratelimit-remaining": "0.0"}, True, 300),
        ({"x-ratelimit-reset": "300"}, True, 0),
        ({"x-ratelimit-reset": "nan"}, False, 0),
        ({"x-ratelimit-reset": "-5"}, False, 0),
        ({"x-ratelimit-reset": "9" * 300}, False, 0),
        ({"x-ratelimit-reset": "²"}, False, 0),
        ({"x-rate-limit-reset": "9999999999"}, False, 3 * 24 * 3600),
        ({}, False, 0),
    ],
)
def test_that_limits_are_read(
    headers: dict[str, str],
    spent_only: bool,  # noqa: FBT001
    wait_s: float,
) -> None:
    assert reset_s(headers, 1_700_000_000, spent_only=spent_only) == wait_s


def test_that_an_address_is_shown_without_secrets() -> None:
    assert shown("https://u:p@a.example:8/x?auth_token=k#z") == "https://a.example:8/x"
