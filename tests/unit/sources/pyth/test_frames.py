"""Pyth by two streams: everything once, through every bad day of them."""

import asyncio
from decimal import Decimal

import pytest
from tests.unit.sources.pyth.stage import TIME, Kit, play

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame, Oracle
from quantdesk.sources.pyth.source import PATIENCE
from quantdesk.sources.reconnecting import Patience
from quantdesk.sources.words.hermes import Proof


def test_that_two_streams_tell_everything_once_with_its_own_numbers() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        assert kit.hermes.streams == 2
        for price in (6_100_000_000_001, 6_100_000_000_002):
            kit.publish(price=price, at=1)
            await kit.rest()
        assert kit.prices == [
            Decimal(61000), Decimal("61000.00000001"), Decimal("61000.00000002"),
        ]  # fmt: skip
        assert kit.pyth.counts["messages"] == kit.pyth.counts["duplicates"] == 3
        (event,) = kit.pyth.read(kit.frames[-1])
        assert event == Oracle(
            "BTC", "USD", 6_100_000_000_002, 2_000_000_000, -8, (TIME + 1) * 1000, kit.slot
        )

    play(scene)


def test_that_an_update_of_the_same_second_and_price_is_news_by_its_slot() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.publish()
        await kit.rest()
        assert len(kit.frames) == 2

    play(scene)


def test_that_one_stream_may_fall_and_nothing_is_missed() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.cut_one()
        await kit.rest()
        assert kit.hermes.streams == 1
        for price in range(1, 6):
            kit.publish(price=price)
            await kit.rest(0.05)
        assert len(kit.frames) == 6
        assert kit.pyth.counts["reconnects"] == 1
        await kit.rest(1)
        assert kit.hermes.streams == 2
        assert len(kit.frames) == 6, "what the new one began with was known"

    play(scene)


@pytest.mark.parametrize(
    "why", ["Connection timeout reached (24h)", "Slow consumer: disconnected", ""]
)
def test_that_streams_the_server_ends_are_opened_anew(why: str) -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.end(why)
        await kit.rest(1)
        assert (kit.hermes.streams, kit.hermes.streams_opened) == (2, 4)
        assert len(kit.frames) == 1, "an end is no frame"

    play(scene)


def test_that_streams_are_replaced_before_their_time_is_up_and_never_both_gone() -> None:
    assert PATIENCE.life_s == 23 * 3600, "an hour before Hermes ends them"

    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        fewest, price = 2, 0
        while kit.clock.monotonic() < 100:
            price += 1
            kit.publish(price=price)
            await kit.rest(0.25)
            fewest = min(fewest, kit.hermes.streams)
        assert fewest == 2
        assert kit.pyth.counts["renewals"] == 2
        assert kit.pyth.counts["silences"] == kit.pyth.counts["reconnects"] == 0
        assert kit.prices[1:] == [Decimal(one).scaleb(-8) for one in range(1, price + 1)]

    play(scene, patience=Patience(silence_s=10, life_s=60))


def test_that_keep_alives_do_not_hide_a_frozen_server() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.freeze()
        for _ in range(9):
            kit.hermes.keep_alive()
            await kit.rest(1)
        assert kit.pyth.counts["silences"] == 0
        await kit.rest(3)
        assert kit.pyth.counts["silences"] == 2
        assert kit.hermes.streams_opened == 4

    play(scene)


def test_that_garbage_is_handed_over_to_be_counted_and_ends_nothing() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.garbage()
        kit.hermes.say(b"data:" + b"x" * (2 << 20) + b"\n\n")
        await kit.rest(0.5)
        kit.publish(price=7)
        await kit.rest(0.5)
        broken = kit.frames[1:-1]
        assert len(broken) == 4, "two by each stream"
        for frame in broken:
            with pytest.raises(Corrupt) as caught:
                kit.pyth.read(frame)
            assert caught.value.code == "message.unreadable"
        assert kit.pyth.read(kit.frames[-1])
        assert kit.pyth.counts["oversized"] == 0, "told when a stream ends"
        kit.hermes.end()
        await kit.rest(1)
        assert kit.pyth.counts["oversized"] == 2

    play(scene)


@pytest.mark.parametrize("encoding", ["hex", "base64"])
def test_that_a_price_is_checked_against_its_binary_once(encoding: str) -> None:
    async def scene(kit: Kit) -> None:
        kit.hermes.encoding = encoding
        kit.listen()
        await kit.connected()
        kit.hermes.lie = 1
        kit.publish()
        await kit.rest()
        honest, lying = kit.frames
        for _ in range(3):
            assert kit.pyth.check(honest, ["BTC", "ETH"]) == {
                "BTC": Proof.MERKLE, "ETH": Proof.ABSENT,
            }  # fmt: skip
            assert kit.pyth.check(lying, ["BTC"]) == {"BTC": Proof.INVALID}
        counts = {name: n for name, n in kit.pyth.counts.items() if name.startswith("proofs")}
        assert counts == {"proofs_merkle": 1, "proofs_absent": 1, "proofs_invalid": 1}

    play(scene)


def test_that_an_error_of_ours_while_hearing_is_not_swallowed() -> None:
    async def scene(kit: Kit) -> None:
        def take(_: Frame) -> None:
            raise AssertionError("ours")

        kit.task = asyncio.ensure_future(kit.pyth.run(["BTC"], take))
        await kit.rest(1)
        assert isinstance(kit.task.exception(), AssertionError)

    play(scene)
