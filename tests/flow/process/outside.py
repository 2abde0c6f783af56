"""What a desk on a cluster of others finds there: a chain, prices, an exchange, all on loopback."""

import asyncio
import subprocess
import sys
import threading
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

from tests.flow.process.running import READY_S, Process

from quantdesk.core.clock import SystemClock
from quantdesk.sources.simulated import MODELS
from quantdesk.sources.words.hermes import FEEDS
from quantdesk.testing.binance import API_KEY, SECRET, Binance
from quantdesk.testing.binance_exchange import Symbol
from quantdesk.testing.hermes import Hermes
from quantdesk.testing.jupiter import Jupiter, Ledger

T = TypeVar("T")
_MOVES_S = 0.2
JUPITER_KEY = "key-of-the-test"


class Chain(Process):
    """`quantdesk localnet` alone: to a desk with a home of its own it is anybody's node."""

    def launch(self) -> None:
        """Start the process and return at once."""
        command = [sys.executable, "-m", "quantdesk", "localnet", "--home", str(self.home)]
        with self.log.open("ab") as log:
            self._running = subprocess.Popen(
                [*command, "--port", "0", *self.flags],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip

    def start(self) -> None:
        """Start the chain and return when it answers."""
        self.launch()
        self.until(lambda: "local chain ready" in self.said(), "a chain", within_s=READY_S)

    @property
    def urls(self) -> dict[str, str]:
        """Return where it listens."""
        lines = (line.split() for line in self.said().splitlines())
        return {words[0]: words[1] for words in lines if words[:1] in (["rpc"], ["ws"])}

    @property
    def flags_of_a_desk(self) -> tuple[str, ...]:
        """Return what makes a desk trade there."""
        urls = self.urls
        return (
            "--set", f"solana.rpc_url={urls['rpc']}", "--set", f"solana.ws_url={urls['ws']}",
        )  # fmt: skip


@dataclass
class Outside:
    """Servers of others, which answer from a thread of their own while a test waits."""

    hermes: Hermes
    exchange: Binance
    jupiter: Jupiter
    loop: asyncio.AbstractEventLoop

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        """Do something where the servers live."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(READY_S)

    def quote(self, bid: str, ask: str) -> None:
        """Let the exchange show a hundred SOL on either side."""
        bids, asks = {Decimal(bid): Decimal(100)}, {Decimal(ask): Decimal(100)}
        self.exchange.list(Symbol("SOL", "USDC", bids=bids, asks=asks))

    def exchange_flags(self, home: Path) -> tuple[str, ...]:
        """Return what makes a desk trade at the exchange."""
        secret = home / "binance.secret"
        secret.write_text(SECRET + "\n")
        secret.chmod(0o600)
        said = {
            "url": self.exchange.url, "ws_url": self.exchange.ws_url,
            "reports_url": f"{self.exchange.ws_url}/ws-api/v3", "key": API_KEY,
            "secret_file": str(secret), "pairs": "SOL-USDC",
        }  # fmt: skip
        return tuple(
            word for name, value in said.items() for word in ("--set", f"binance.{name}={value}")
        )

    @property
    def jupiter_flags(self) -> tuple[str, ...]:
        """Return what makes a desk ask Jupiter."""
        key = f"jupiter.api_key={JUPITER_KEY}"
        return ("--set", f"jupiter.url={self.jupiter.url}", "--set", key)

    @property
    def price_flags(self) -> tuple[str, ...]:
        """Return what makes a desk take its prices here, where they stand for good."""
        return (
            "--source", "pyth", "--set", f"sources.pyth_url={self.hermes.base_url}",
            "--set", "guard.price_age_ms_max=3600000", "--set", "news.rss_feeds=",
        )  # fmt: skip


@contextmanager
def outside() -> Iterator[Outside]:
    """Open the servers; prices are those a localnet opens at."""
    loop, clock = asyncio.new_event_loop(), SystemClock()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    stack = AsyncExitStack()

    async def opened() -> Outside:
        hermes = await stack.enter_async_context(Hermes())
        exchange = await stack.enter_async_context(Binance(clock=clock))
        jupiter = Jupiter(clock=clock, ledger=Ledger(clock=clock), api_key=JUPITER_KEY)
        await stack.enter_async_context(jupiter)
        for symbol, feed in FEEDS.items():
            hermes.publish(
                feed, price=int(MODELS[symbol].start * 10**8), conf=1,
                publish_time=clock.now_ms() // 1000,
            )  # fmt: skip
        exchange.exchange.fund(SOL="1000", USDC="1000000")
        moving = loop.create_task(_moves(hermes, exchange, clock))
        stack.callback(moving.cancel)
        return Outside(hermes, exchange, jupiter, loop)

    try:
        yield asyncio.run_coroutine_threadsafe(opened(), loop).result(READY_S)
    finally:
        asyncio.run_coroutine_threadsafe(stack.aclose(), loop).result(READY_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(READY_S)
        loop.close()


async def _moves(hermes: Hermes, exchange: Binance, clock: SystemClock) -> None:
    """Let a far level come and go: a stream that says nothing is held to be dead."""
    for number in count(1):
        await clock.sleep(_MOVES_S)
        hermes.keep_alive()
        if "SOLUSDC" in exchange.exchange.symbols:
            await exchange.change("SOLUSDC", "b", "100.00", str(number % 7 + 1))


@contextmanager
def chain(home: Path) -> Iterator[Chain]:
    """Run a chain of its own while the block runs."""
    running = Chain(home)
    try:
        running.start()
        yield running
    finally:
        running.put_away()


def unlock(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `quantdesk unlock` to its end."""
    return subprocess.run(
        [sys.executable, "-m", "quantdesk", "unlock", "--home", str(home), *words],
        capture_output=True, text=True, timeout=READY_S, check=False, stdin=subprocess.DEVNULL,
    )  # fmt: skip


def ends(named: Process, body: dict[str, Any]) -> dict[str, Any]:
    """Place an order and return it once nothing can happen to it."""
    placed = named.post(body)
    assert placed.status == 201, placed.body
    [order] = named.ended([placed.body["orderId"]])
    return order
