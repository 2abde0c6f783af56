"""The real recordings are read to the last line, with the messages' own numbers."""

import asyncio
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk.core.prices import Reading
from quantdesk.sources.hermes import SYMBOLS
from quantdesk.sources.recorded import Recorded, Script
from quantdesk.testing.clock import ManualClock

DATA = Path(__file__).parents[3].parent / "shared" / "data"
BINANCE = DATA / "binance_spot_btcusdt_raw_20240808.txt.gz"
HERMES = DATA / "hermes_messages.jsonl.gz"


def lines(path: Path) -> Iterator[bytes]:
    if not path.is_file():
        pytest.skip(f"the real recording {path.name} is not in ../shared/data: NOT TESTED")
    with gzip.open(path, "rb") as file:
        yield from file


def played(path: Path, *symbols: str) -> tuple[list[Reading], Recorded]:
    async def run() -> tuple[list[Reading], Recorded]:
        source = Recorded(path=path, clock=ManualClock(), speed="max")
        return [reading async for reading in source.stream(symbols)], source

    next(lines(path))
    return asyncio.run(run())


def test_that_every_binance_line_gives_its_own_numbers() -> None:
    script, kinds = Script(counts=Counter()), Counter[str]()
    moved_ms: list[int] = []
    for line in lines(BINANCE):
        message = json.loads(line.partition(b" ")[2])
        data = message.get("data", message)
        entry = script.entry(line)
        kinds[entry.kind] += 1
        if entry.kind == "trade":
            (one,) = entry.readings
            assert one.price == Decimal(data["p"])
            moved_ms.append(one.published_ms - data["E"])
        elif entry.kind == "bookTicker":
            middle = (Decimal(data["b"]) + Decimal(data["a"])) / 2
            assert [one.price for one in entry.readings] == [middle]
        else:
            assert entry.readings == ()
    # The first book is placed before the least distance of the clocks was seen: one trade yields.
    assert [ms for ms in moved_ms if ms] == [15]
    assert kinds == {"bookTicker": 28_040, "trade": 9_757, "depth": 3_451, "other": 1}


def test_that_the_binance_recording_plays_in_order_and_changes_only() -> None:
    readings, source = played(BINANCE, "BTC")
    assert (source.counts["lines"], source.counts["unreadable"]) == (41_249, 0)
    assert len(readings) == 11_123
    times = [reading.published_ms for reading in readings]
    assert times == sorted(times)
    assert {reading.currency for reading in readings} == {"USDT"}


def test_that_every_hermes_line_gives_its_own_numbers() -> None:
    script, messages = Script(counts=Counter()), 0
    latest: dict[str, tuple[int, int]] = {}
    for line in lines(HERMES):
        messages += 1
        expected = []
        for said in json.loads(line)["message"]["parsed"]:
            price, key = said["price"], (said["price"]["publish_time"], said["metadata"]["slot"])
            if said["id"] in SYMBOLS and key >= latest.get(said["id"], (0, 0)):
                latest[said["id"]] = key
                ten = Decimal(10) ** price["expo"]
                expected.append((int(price["price"]) * ten, int(price["conf"]) * ten, key[0]))
        assert [
            (one.price, one.confidence, one.published_ms // 1000)
            for one in script.entry(line).readings
        ] == expected
    assert messages == 37


def test_that_the_hermes_recording_plays_to_its_end() -> None:
    readings, source = played(HERMES, *SYMBOLS.values())
    assert (source.counts["lines"], source.counts["hermes"], source.counts["unreadable"]) == (
        37, 37, 0,
    )  # fmt: skip
    assert {reading.symbol for reading in readings} == {"BTC", "ETH", "SOL", "USDT", "USDC"}
