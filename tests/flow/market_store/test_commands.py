"""Promise: what is missing can be listed, and what is bad taken out, from the command line."""

import asyncio
from pathlib import Path

import pytest
import typer
from tests.flow.market_store.rows import BTC, NOW_MS, candle, count, tick, writer
from typer.testing import CliRunner

from quantdesk.cli.history import forget, gaps
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ingest.store import write
from quantdesk.ingest.store.model import Gap
from quantdesk.store.pool import connect
from quantdesk.testing.clock import ManualClock

app = typer.Typer()
app.command("gaps")(gaps)
app.command("forget")(forget)
RANGE = ["--from", "2025-11-21", "--to", "2025-11-22"]


def _said(home: Path, *words: str) -> str:
    result = CliRunner().invoke(app, [*words, "--home", str(home)])
    if result.exception is not None:
        raise result.exception
    return result.stdout


async def _stored(url: str) -> None:
    async with await connect(url, write_max=1, read_max=1) as pools:
        one = writer(pools, ManualClock(now_ms=NOW_MS))
        one.tick(tick(0))
        one.candle(candle())
        one.candle(candle(NOW_MS - 86_400_000))
        await one.flush()
        lost = Gap("ticks", *BTC, "", NOW_MS, NOW_MS + 60_000, 4_711, "overflow", "lost")
        async with pools.write.transaction() as c:
            await write.note(c, [lost], now_ms=NOW_MS)


async def _left(url: str) -> tuple[int, int]:
    async with await connect(url, write_max=1, read_max=1) as pools:
        return await count(pools, "ticks"), await count(pools, "candles")


def test_gaps_are_listed_and_bad_data_is_forgotten(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QD_DATABASE_URL", database)
    assert "no gaps" in _said(tmp_path, "gaps")
    asyncio.run(_stored(database))
    told = _said(tmp_path, "gaps", "--fate", "lost")
    assert all(word in told for word in ("ticks", "BTC/USDT", "4711", "overflow", "lost"))
    assert "no gaps" in _said(tmp_path, "gaps", "--fate", "absent")
    told = _said(tmp_path, "forget", "--source", "binance", "--reason", "a bad day", *RANGE)
    assert "1 prices and 1 candles" in told
    assert asyncio.run(_left(database)) == (0, 1)


def test_forgetting_asks_for_a_reason(
    database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("QD_DATABASE_URL", database)
    with pytest.raises(Refused) as refused:
        _said(tmp_path, "forget", "--source", "binance", "--reason", " ", *RANGE)
    assert refused.value.code == "forget.malformed"


def test_without_a_desk_there_is_nothing_to_list(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("QD_DATABASE_URL", raising=False)
    with pytest.raises(Unavailable) as away:
        _said(tmp_path, "gaps")
    assert away.value.code == "desk.not_running"
