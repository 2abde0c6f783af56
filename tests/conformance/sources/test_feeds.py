"""Promise: every source of frames keeps the port's word; the suite is the one that is shipped."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count

import pytest

from quantdesk.sources.binance import SPOT, USD_M, Binance
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.switchboard import Switchboard
from quantdesk.sources.words.hermes import FEEDS
from quantdesk.testing import source_suite
from quantdesk.testing.binance_market import GARBAGE, BinanceMarket
from quantdesk.testing.clock import ManualClock
from quantdesk.testing.hermes import Hermes
from quantdesk.testing.source_suite import CHECKS, Check, Opened, Stage
from quantdesk.testing.switchboard import Crossbar

CROSSBAR = {
    "BTC": "4cSM2e6rvbGQUFiJbqytoVMi5GgghSMr8LwVrT9VPSPo",
    "ETH": "EAsoLo2uSvBDx3a5grqzfqBMg5RqpJVHRtXmjsFEc4LL",
}


def binance(*, futures: bool) -> Opened:
    @asynccontextmanager
    async def opened() -> AsyncIterator[Stage]:
        clock = ManualClock()
        async with BinanceMarket(
            clock=clock, pairs=("BTCUSDT", "BTCUSDC", "ETHUSDT"), futures=futures
        ) as market:
            exchange = (USD_M if futures else SPOT).at(
                stream_url=market.stream_url, rest_url=market.rest_url
            )
            yield Stage(
                source=Binance(exchange, clock=clock, chance=lambda: 0.5),
                clock=clock,
                symbols=("BTC", "ETH"),
                push=market.tick,
                cut=market.cut,
                freeze=market.freeze,
                garbage=[text.encode() for text in GARBAGE],
            )

    return opened


@asynccontextmanager
async def pyth() -> AsyncIterator[Stage]:
    clock, price = ManualClock(), count(6_100_000_000_000)

    async def push() -> None:
        for symbol in ("BTC", "ETH"):
            at = next(price)
            hermes.publish(FEEDS[symbol], price=at, conf=1, publish_time=1_735_645_930, slot=at)

    async with Hermes() as hermes:
        await push()
        yield Stage(
            source=Pyth(clock=clock, chance=lambda: 0.5, base_url=hermes.base_url),
            clock=clock,
            symbols=("BTC", "ETH"),
            push=push,
            cut=hermes.cut,
            freeze=hermes.freeze,
            garbage=[b"", b"null", b"<html>", b'{"parsed":[{"id":7}]}', b'{"parsed":null}'],
        )


@asynccontextmanager
async def switchboard() -> AsyncIterator[Stage]:
    clock, price = ManualClock(), count(61_000)

    async def push() -> None:
        for pubkey in CROSSBAR.values():
            crossbar.publish(pubkey, [next(price), str(next(price))])

    async with Crossbar() as crossbar:
        await push()
        yield Stage(
            source=Switchboard(
                clock=clock,
                chance=lambda: 0.5,
                base_url=crossbar.base_url,
                feeds=CROSSBAR,
                interval_s=1,
            ),
            clock=clock,
            symbols=tuple(CROSSBAR),
            push=push,
            cut=crossbar.cut,
            freeze=crossbar.freeze,
            garbage=[b"", b"null", b"<html>", b"{}", b"[1]", b'[{"feed":7}]'],
        )


SOURCES = {
    "binance": binance(futures=False),
    "binance.futures": binance(futures=True),
    "pyth": pyth,
    "switchboard": switchboard,
}


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("opened", SOURCES.values(), ids=SOURCES)
def test_source(opened: Opened, check: Check) -> None:
    source_suite.run(check, opened)
