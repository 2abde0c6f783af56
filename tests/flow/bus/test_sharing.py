"""Frames from the process that hears them to the desks that trade on them, over a real NATS."""

import asyncio

import pytest
from tests.flow.bus.server import NatsServer, until
from tests.flow.bus.sharing import desk, frame, ingest

pytestmark = pytest.mark.anyio


async def test_that_frames_arrive_as_they_came_and_in_order(server: NatsServer) -> None:
    sent = [frame(n, source=("binance", "pyth")[n % 2], size=n % 3000 + 4) for n in range(3000)]
    async with ingest(server) as ours, desk(server) as theirs:
        for position, one in enumerate(sent):
            ours.sharing.tap(one)
            if position % 100 == 0:
                await asyncio.sleep(0)
        await until(lambda: len(theirs.frames) >= len(sent), "heard")

    assert theirs.frames == sent
    assert theirs.gaps == []
    assert ours.sharing.problem is None


async def test_that_a_desk_that_joins_takes_what_is_kept_and_then_lives_on(
    server: NatsServer,
) -> None:
    async with ingest(server) as ours:
        for number in range(40):
            ours.tap(*range(number * 100, number * 100 + 100))
            await until(lambda: not ours.sharing.waiting_bytes, "shared")
        async with desk(server) as first, desk(server) as second:
            await first.shared.has_joined()
            assert first.numbers == list(range(4000))
            ours.tap(4000)
            await until(lambda: first.numbers[-1:] == second.numbers[-1:] == [4000], "heard")

    assert first.numbers == second.numbers == list(range(4001))
    assert first.gaps == second.gaps == []


async def test_that_nothing_is_heard_before_anybody_shares_and_that_is_said(
    server: NatsServer,
) -> None:
    async with desk(server) as theirs:
        assert "start `quantdesk run ingest`" in (theirs.shared.problem or "")
        async with ingest(server):
            await theirs.shared.has_joined()
            assert theirs.shared.problem is None


async def test_that_a_desk_that_cannot_keep_up_is_moved_forward_and_told(
    server: NatsServer,
) -> None:
    async with ingest(server) as ours, desk(server, behind_max=50) as slow, desk(server) as quick:
        ours.tap(0)
        await until(lambda: len(slow.frames) == len(quick.frames) == 1, "joined")
        slow.kept.open.clear()
        for number in range(1, 200):
            ours.tap(number)
            await until(lambda: not ours.sharing.waiting_bytes, "shared, whoever is slow")
        await until(lambda: quick.numbers[-1] == 199, "heard")
        slow.kept.open.set()
        await until(lambda: slow.shared.counts["conflated"] == 1, "moved forward")
        await until(lambda: slow.kept.follows == 2, "reading on")
        while slow.numbers[-1] < 200:
            ours.tap(200)
            await until(lambda: not ours.sharing.waiting_bytes, "shared")
        await until(lambda: bool(slow.gaps), "told")

    assert quick.numbers[:200] == list(range(200))
    assert slow.numbers[-1] == 200
    assert slow.numbers == sorted(slow.numbers)
    missing = set(range(200)) - set(slow.numbers)
    assert len(missing) >= 50
    assert slow.shared.counts["missing"] >= len(missing)
    assert quick.gaps == []


async def test_that_a_killed_server_holds_nobody_up_and_both_recover(server: NatsServer) -> None:
    async with ingest(server) as ours, desk(server) as theirs:
        ours.tap(*range(100))
        await until(lambda: len(theirs.frames) == 100, "heard")
        server.kill()
        await until(lambda: ours.sharing.problem is not None, "noticed")
        ours.tap(*range(100, 200))  # returns, whatever NATS does
        assert theirs.numbers[-1] == 99
        server.start()
        await until(lambda: len(theirs.frames) >= 200, "recovered")
        assert ours.sharing.problem is None
        await until(lambda: theirs.shared.problem is None, "well")

    assert theirs.numbers == list(range(200))
    assert theirs.gaps == []


async def test_that_what_had_no_room_to_wait_in_is_told_as_a_gap(
    server: NatsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("quantdesk.ingest.sharing.WAITING_BYTES_MAX", 20_000)
    async with ingest(server) as ours, desk(server) as theirs:
        ours.tap(0)
        await until(lambda: len(theirs.frames) == 1, "heard")
        server.kill()
        await until(lambda: ours.sharing.problem is not None, "noticed")
        ours.tap(*range(1, 1001))
        assert ours.sharing.waiting_bytes <= 20_000
        server.start()
        await until(lambda: theirs.numbers[-1] == 1000, "recovered")

    assert ours.sharing.counts["dropped"] == 1001 - len(theirs.numbers)
    assert theirs.numbers == [0, *range(theirs.numbers[1], 1001)]
    assert len(theirs.gaps) == 1
    assert theirs.shared.counts["missing"] == ours.sharing.counts["dropped"]


async def test_that_a_process_started_anew_goes_on_and_that_is_a_gap(server: NatsServer) -> None:
    async with desk(server) as theirs:
        async with ingest(server, "a") as first:
            first.tap(1, 2)
            await until(lambda: len(theirs.frames) == 2, "heard")
        async with ingest(server, "b") as second:
            second.tap(3)
            await until(lambda: len(theirs.frames) == 3, "heard")

    assert theirs.numbers == [1, 2, 3]
    assert len(theirs.gaps) == 1


async def test_that_of_two_processes_the_one_started_last_is_believed_and_both_say_so(
    server: NatsServer,
) -> None:
    async with ingest(server, "a") as first, desk(server) as theirs:
        first.tap(1)
        await until(lambda: len(theirs.frames) == 1, "heard")
        async with ingest(server, "b") as second:
            second.tap(2)
            await until(lambda: len(theirs.frames) == 2, "heard")
            first.tap(3)
            await until(lambda: theirs.shared.counts["outdated"] == 1, "refused")
            second.tap(4)
            await until(lambda: len(theirs.frames) == 3, "heard")
            assert second.sharing.problem is not None
            assert second.sharing.problem.code == "sharing.twice"

    assert theirs.numbers == [1, 2, 4]


async def test_that_only_allowed_sources_are_taken(server: NatsServer) -> None:
    async with ingest(server) as ours, desk(server, only=frozenset({"pyth"})) as theirs:
        ours.tap(1, source="simulated")
        ours.tap(2, source="pyth")
        ours.tap(3, source="nobody")
        ours.tap(4, source="recorded.pyth")
        ours.tap(5, source="pyth")
        await until(lambda: len(theirs.frames) == 2, "heard")

    assert theirs.numbers == [2, 5]
    assert theirs.shared.counts["unreal"] == 3


async def test_that_a_frame_too_large_for_nats_is_a_gap(server: NatsServer) -> None:
    async with ingest(server) as ours, desk(server) as theirs:
        ours.tap(1)
        ours.tap(2, size=2 << 20)
        ours.tap(3)
        await until(lambda: len(theirs.frames) == 2, "heard")

    assert theirs.numbers == [1, 3]
    assert (ours.sharing.counts["dropped"], len(theirs.gaps)) == (1, 1)
