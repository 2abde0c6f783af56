"""Pyth obeys what its server refuses, and gives up where no other try can help."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal

import pytest
from tests.unit.sources.pyth.stage import Kit, play

from quantdesk.core.errors import Refused, Unavailable
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.words.hermes import FEEDS


@pytest.mark.parametrize("key", [None, "mellon"])
def test_that_a_bad_key_gives_up_and_says_what_to_check(key: str | None) -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.rest(5)
        assert kit.task is not None
        problem = kit.task.exception()
        assert isinstance(problem, Unavailable)
        assert problem.code == "source.unauthorized"
        assert "sources.pyth_key" in problem.detail
        assert "mellon" not in problem.detail
        assert 3 <= kit.hermes.requests <= 4

    play(scene, server_key="sesame", key=key)


def test_that_the_key_is_sent() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        assert len(kit.frames) == 1

    play(scene, server_key="sesame", key="sesame")


def test_that_refusals_while_the_other_stream_speaks_are_no_reason_to_give_up() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.status = 403
        kit.hermes.cut_one()
        for price in range(1, 400):
            kit.publish(price=price)
            await kit.rest(0.25)
        assert kit.task is not None
        assert not kit.task.done()
        assert kit.hermes.requests > 5
        kit.hermes.status = 200
        for price in range(1, 400):
            kit.publish(price=price)
            await kit.rest(0.25)
        assert kit.hermes.streams == 2

    play(scene)


def test_that_feeds_the_server_does_not_have_are_left_out() -> None:
    async def scene(kit: Kit) -> None:
        kit.publish("ETH")
        kit.listen(["BTC", "ETH", "SOL", "USDC"])
        await kit.rest(2)
        assert kit.hermes.streams == 2
        assert kit.pyth.counts["missing"] == 2
        symbols = {event.symbol for frame in kit.frames for event in kit.pyth.read(frame)}  # type: ignore[union-attr]
        assert symbols == {"BTC", "ETH"}

    play(scene)


@pytest.mark.parametrize("symbols", [["SOL"], ["DOGE"], []])
def test_that_without_any_feed_it_is_refused(symbols: Sequence[str]) -> None:
    async def scene(kit: Kit) -> None:
        kit.listen(symbols)
        await kit.rest(2)
        assert kit.task is not None
        problem = kit.task.exception()
        assert isinstance(problem, Refused)
        assert problem.code == "symbol.unknown"

    play(scene)


@pytest.mark.parametrize(("retry_after", "wait_s"), [("", 60), ("20", 20), ("86400", 60)])
def test_that_a_busy_server_is_left_alone_as_long_as_it_asks(
    retry_after: str, wait_s: float
) -> None:
    async def scene(kit: Kit) -> None:
        kit.hermes.status, kit.hermes.retry_after = 429, retry_after
        kit.listen()
        await kit.rest()
        asked = kit.hermes.requests
        assert 1 <= asked <= 2
        kit.hermes.status = 200
        await kit.rest(wait_s - 0.5)
        assert kit.hermes.requests == asked
        await kit.rest(1)
        assert kit.hermes.streams == 2

    play(scene)


def test_that_what_one_stream_is_told_the_other_obeys() -> None:
    async def scene(kit: Kit) -> None:
        kit.listen()
        await kit.connected()
        kit.hermes.status = 429
        kit.hermes.cut_one()
        await kit.rest(2)
        assert kit.hermes.requests == 3
        kit.hermes.status = 200
        kit.hermes.cut_one()
        await kit.rest(50)
        assert kit.hermes.requests == 3
        await kit.rest(12)
        assert kit.hermes.streams == 2

    play(scene)


def test_that_a_broken_server_is_asked_ever_more_rarely_and_for_ever() -> None:
    async def scene(kit: Kit) -> None:
        kit.hermes.status = 500
        kit.listen()
        await kit.rest(600)
        assert kit.task is not None
        assert not kit.task.done()
        assert 10 <= kit.hermes.requests <= 40
        kit.hermes.status = 200
        await kit.rest(91)
        assert set(kit.prices) == {Decimal(61000)}

    play(scene)


def test_that_a_wrong_address_gives_up() -> None:
    async def scene(kit: Kit) -> None:
        lost = Pyth(clock=kit.clock, chance=lambda: 0.5, base_url=f"{kit.hermes.base_url}/lost")
        kit.task = asyncio.ensure_future(lost.run(["BTC"], kit.frames.append))
        await kit.rest(5)
        problem = kit.task.exception()
        assert isinstance(problem, Unavailable)
        assert problem.code == "source.declined"
        assert "404" in problem.detail

    play(scene)


def test_that_a_probe_says_whether_there_are_prices() -> None:
    async def scene(kit: Kit) -> None:
        await kit.pyth.probe()
        kit.hermes.silent = True
        asked = asyncio.ensure_future(kit.pyth.probe())
        await kit.rest(2.5)
        assert not asked.done()
        await kit.rest(1)
        with pytest.raises(Unavailable, match="within 3 s"):
            await asked
        kit.hermes.silent = False
        kit.hermes.forget(FEEDS["BTC"])
        with pytest.raises(Unavailable, match="Price ids not found"):
            await kit.pyth.probe()

    play(scene)


def test_that_a_probe_of_a_server_that_is_gone_is_unavailable() -> None:
    async def scene(kit: Kit) -> None:
        gone = Pyth(clock=kit.clock, chance=lambda: 0.5, base_url="http://127.0.0.1:9")
        with pytest.raises(Unavailable, match="Hermes does not answer") as caught:
            await gone.probe()
        assert caught.value.code == "source.unavailable"

    play(scene)
