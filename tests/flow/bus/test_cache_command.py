"""`quantdesk cache` shows what processes share, and forgets it."""

import asyncio
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

from tests.flow.bus.server import NatsServer, link, running

from quantdesk.app.wide import BUCKET
from quantdesk.bus.memory import Memory
from quantdesk.bus.nats.cache import Cache
from quantdesk.core.clock import SystemClock
from quantdesk.core.prices import Reading
from quantdesk.ingest.board import Board
from quantdesk.ingest.cached import PriceCache


def command(home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "quantdesk", "cache", *words, "--home", str(home)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


async def put(server: NatsServer) -> None:
    """Cache a price of SOL and one of BTC."""
    clock, board, one = SystemClock(), Board(), link(server)
    for symbol, price in (("SOL", "150.25"), ("BTC", "60000")):
        at_ms = clock.now_ms()
        board.take(Reading("pyth", symbol, Decimal(price), Decimal("0.01"), at_ms), at_ms)
    async with running(one):
        cache = Cache(one, bucket=BUCKET)
        await PriceCache(board, cache, Memory(), clock=clock).put(["SOL", "BTC"])


def test_that_prices_are_shown_and_forgotten_by_name(server: NatsServer, tmp_path: Path) -> None:
    (tmp_path / "quantdesk.toml").write_text(f'nats_url = "{server.url}"\n')
    asyncio.run(put(server))

    shown = command(tmp_path, "show")
    assert "SOL    150.25 USD  pyth  VALID" in shown.stdout, shown.stderr
    assert "BTC    60000 USD" in shown.stdout
    assert command(tmp_path, "purge", "sol").stdout == "forgotten: SOL\n"
    left = command(tmp_path, "show").stdout
    assert "SOL" not in left
    assert "BTC" in left
    assert "DOGE is not listed" in command(tmp_path, "purge", "DOGE").stderr


def test_that_without_nats_it_says_what_to_set(tmp_path: Path) -> None:
    refused = command(tmp_path, "show")

    assert refused.returncode == 1
    assert "set nats_url" in refused.stderr


def test_that_a_nats_that_is_away_is_told(server: NatsServer, tmp_path: Path) -> None:
    (tmp_path / "quantdesk.toml").write_text(f'nats_url = "{server.url}"\n')
    server.kill()
    away = command(tmp_path, "purge", "SOL")

    assert away.returncode == 1
    assert "is away" in away.stderr
