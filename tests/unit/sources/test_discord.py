"""Discord's gateway: greeted, kept alive, taken up again where it broke off, given up for good."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Frame, Headline
from quantdesk.sources.budget import Budget, Cost
from quantdesk.sources.discord import Account, Discord
from quantdesk.sources.words import discord as words
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.discord import CHANNEL, INTERVAL_MS, SESSION, DiscordGateway
from quantdesk.testing.loopback import Loopback
from quantdesk.testing.news import KEY, MemoryLedger

STEP_S = 0.25


class Desk:
    """A gateway, a source that listens to it, and what came."""

    def __init__(
        self, gateway: DiscordGateway, clock: ManualClock, *, token: str, requests: int
    ) -> None:
        self.gateway = gateway
        self.clock = clock
        self.loopback = Loopback()
        self.frames: list[Frame] = []
        self.budget = Budget(
            "discord", limit=Cost(requests, Decimal(0)), ledger=MemoryLedger(), clock=clock
        )
        account = Account(token, (CHANNEL,), gateway.url)
        self.source = Discord(account, budget=self.budget, clock=clock, chance=lambda: 0.5)
        self.running = asyncio.ensure_future(self.source.run((), self.frames.append))

    async def pass_s(self, seconds: float) -> None:
        """Move the clock on in small steps, and let what follows happen."""
        for _ in range(int(seconds / STEP_S) + 1):
            await self.clock.advance(STEP_S)
            await self.loopback.rest()

    def titles(self) -> list[str]:
        """Return the titles of all headlines that came."""
        told = [event for frame in self.frames for event in self.source.read(frame)]
        return [event.title for event in told if isinstance(event, Headline)]


@asynccontextmanager
async def opened(*, token: str = KEY, requests: int = 1000, refuse: int = 0) -> AsyncIterator[Desk]:
    clock = ManualClock()
    async with DiscordGateway(clock=clock) as gateway:
        gateway.refuse = refuse
        desk = Desk(gateway, clock, token=token, requests=requests)
        await desk.pass_s(1)
        try:
            yield desk
        finally:
            desk.running.cancel()
            with suppress(asyncio.CancelledError, Refused):
                await desk.running


def test_that_messages_of_the_channels_are_heard() -> None:
    async def work() -> None:
        async with opened() as desk:
            (greeting,) = desk.gateway.told(words.IDENTIFY)
            assert greeting["intents"] & 1 << 15
            await desk.gateway.tell("Solana &amp; $ETH rise <@123>")
            await desk.gateway.tell("elsewhere", channel="5")
            await desk.pass_s(0)
            assert desk.titles() == ["Solana & $ETH rise <@123>"]

    asyncio.run(work())


def test_that_hearts_beat_and_a_deaf_server_is_left() -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.gateway.tell()
            await desk.pass_s(4 * INTERVAL_MS / 1000)
            beats = desk.gateway.told(words.HEARTBEAT)
            assert 3 <= len(beats) <= 6
            assert beats[-1] == 2
            assert desk.source.counts["reconnects"] == 0
            desk.gateway.deaf = True
            await desk.pass_s(3 * INTERVAL_MS / 1000)
            assert desk.source.counts["reconnects"] >= 1

    asyncio.run(work())


async def _cut(desk: Desk) -> None:
    desk.gateway.cut()


async def _reconnect(desk: Desk) -> None:
    await desk.gateway.say(words.RECONNECT)


async def _invalid(desk: Desk) -> None:
    await desk.gateway.say(words.INVALID, False)  # noqa: FBT003 - as Discord says it


async def _timed_out(desk: Desk) -> None:
    await desk.gateway.close(4009)


@pytest.mark.parametrize(
    ("happens", "resumes"),
    [(_cut, True), (_reconnect, True), (_invalid, False), (_timed_out, False)],
)
def test_that_a_session_is_taken_up_where_it_stands(
    happens: Callable[[Desk], Awaitable[None]],
    resumes: bool,  # noqa: FBT001
) -> None:
    async def work() -> None:
        async with opened() as desk:
            await desk.gateway.tell()
            await desk.pass_s(0)
            await happens(desk)
            await desk.pass_s(3)
            await desk.gateway.tell()
            await desk.pass_s(0)
            resumed = desk.gateway.told(words.RESUME)
            assert [one["session_id"] for one in resumed] == ([SESSION] if resumes else [])
            assert [one["seq"] for one in resumed] == ([2] if resumes else [])
            assert len(desk.gateway.told(words.IDENTIFY)) == (1 if resumes else 2)
            assert len(desk.titles()) == 2

    asyncio.run(work())


@pytest.mark.parametrize("code", [4004, 4010, 4013, 4014])
def test_that_what_no_other_try_cures_ends_it(code: int) -> None:
    async def work() -> None:
        async with opened(refuse=code) as desk:
            await desk.pass_s(1)
            with pytest.raises(Refused, match=str(code)) as refused:
                await desk.running
            assert refused.value.code == "source.key"
            assert "Message Content Intent" in desk.source.problem
            assert KEY not in desk.source.problem

    asyncio.run(work())


def test_that_connections_of_a_day_are_bounded() -> None:
    async def work() -> None:
        async with opened(requests=2) as desk:
            for _ in range(4):
                desk.gateway.cut()
                await desk.pass_s(3)
            assert desk.source.counts["connects"] == 2
            assert "no budget left" in desk.source.problem

    asyncio.run(work())


def test_that_an_unreadable_message_is_handed_over_and_harms_nothing() -> None:
    async def work() -> None:
        async with opened() as desk:
            for text in ("", "{", "[]", '{"op":10,"d":{}}', '{"op":0,"t":"READY","d":1}'):
                await desk.gateway.raw(text)
            await desk.gateway.tell("still here")
            await desk.pass_s(0)
            assert len(desk.frames) == 6
            assert desk.source.counts["reconnects"] == 0
            with pytest.raises(Corrupt):
                desk.source.read(desk.frames[0])

    asyncio.run(work())


def test_that_no_channel_is_refused() -> None:
    clock = ManualClock()
    budget = Budget("d", limit=Cost(1), ledger=MemoryLedger(), clock=clock)

    for channels in ((), ("general",), ("1",) * 101):
        with pytest.raises(Refused) as refused:
            Discord(Account(KEY, channels), budget=budget, clock=clock, chance=lambda: 0.5)
        assert refused.value.code == "source.settings"


_JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=4,
)
_FIELDS = st.sampled_from(["id", "channel_id", "content", "guild_id", "timestamp", "embeds"])


@given(st.dictionaries(_FIELDS, _JSON), st.sampled_from(["MESSAGE_CREATE", "READY", "x"]))
def test_that_any_message_gives_only_what_is_fit_to_show(
    said: dict[str, object], event: str
) -> None:
    whole = {"id": "1", "channel_id": "2", "content": "x", **said}
    data = json.dumps({"op": 0, "t": event, "s": 1, "d": whole}).encode()

    for story in words.read(data, "gateway"):
        assert story.title.isprintable()
        assert story.url.startswith("https://discord.com/channels/")
