"""Real crashes and a real de-peg: no move is lost, and what does not agree is said not to."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from quantdesk.core.ticks import Frame, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.gate import Gate

DATA = Path(__file__).parents[3].parent / "shared" / "data"
DEPEG = DATA / "candles_1m_binanceus_btc_usd-usdt-usdc_2023-03_usdc-depeg.parquet"
CRASH = DATA / "candles_15m_binance_solusdt_2021-04_2022-10.parquet"

NS = 1_000_000
TICKS = 4  # a candle is told as its open, its extremes and its close
TICK_MS = 1_000
QUOTED_IN = ("USD", "USDT", "USDC")
Candle = dict[str, Any]


@cache
def candles(path: Path) -> list[Candle]:
    """Return the rows of a file in order of time."""
    polars = pytest.importorskip("polars", reason="polars is not installed: NOT TESTED")
    if not path.is_file():
        pytest.skip(f"the candles {path.name} are not in ../shared/data: NOT TESTED")
    rows: list[Candle] = polars.read_parquet(path).sort("open_time").to_dicts()
    return rows


def ticks(candle: Candle) -> tuple[float, ...]:
    """Return the prices a candle went through; which extreme came first is not known."""
    down = candle["close"] < candle["open"]
    extremes = ("high", "low") if down else ("low", "high")
    return tuple(candle[name] for name in ("open", *extremes, "close"))


@dataclass
class Feed:
    """A market whose book stands where its candles say, one basis point wide."""

    gate: Gate
    source: str
    symbol: str
    currency: str
    number: int = 0

    def say(self, price: float, at_ms: int) -> bool:
        """Let the market stand at a price; return whether it was taken at once."""
        self.number += 1
        bid, ask = f"{price * 0.99995:.8f}", f"{price * 1.00005:.8f}"
        frame = Frame(self.source, "ws", at_ms * NS + self.number, b"")
        said = Quote(self.symbol, self.currency, bid, "1", ask, "1", self.number)
        return self.gate.quote(said, frame)


def minutes(rows: list[Candle]) -> Iterator[tuple[int, dict[str, Candle]]]:
    """Yield each minute with the candles of all markets in it."""
    found: dict[int, dict[str, Candle]] = {}
    for row in rows:
        found.setdefault(round(row["open_time"].timestamp() * 1000), {})[row["symbol"]] = row
    yield from found.items()


@pytest.mark.parametrize("spacing_ms", [100, 1_000, 225_000], ids=["burst", "second", "as it was"])
def test_that_no_move_of_sol_is_lost_in_a_year_and_a_half_of_crashes(spacing_ms: int) -> None:
    gate, heard = Gate(Board(assume={"USDT": Decimal(1)})), list[object]()
    gate.accepted[Quote].append(lambda event, _: heard.append(event))
    sol, at_ms, said = Feed(gate, "binance", "SOL", "USDT"), 0, 0
    behind, behind_max, largest = 0, 0, 0.0
    for row in candles(CRASH):
        at_ms = max(at_ms, round(row["open_time"].timestamp() * 1000))
        largest = max(largest, 1 - row["low"] / row["open"])
        for price in ticks(row):
            at_ms, said = at_ms + spacing_ms, said + 1
            behind = 0 if sol.say(price, at_ms) else behind + 1
            behind_max = max(behind_max, behind)
    (feed,) = gate.feeds()
    refuted = gate.rejections.counts["binance", "outlier"]
    assert largest > 0.25
    assert set(gate.rejections.counts) <= {("binance", "outlier")}
    assert len(heard) + refuted + len(feed.quarantine.held) == said
    assert refuted < said / 200, "extremes that nothing else in the file confirms"
    assert behind_max <= 3, "what lasts three ticks is believed"


def test_that_every_trade_of_the_crashes_is_told() -> None:
    gate, told = Gate(Board(assume={"USDT": Decimal(1)})), list[object]()
    gate.accepted[Trade].append(lambda event, _: told.append(event))
    number = 0
    for row in candles(CRASH):
        opened_ms = round(row["open_time"].timestamp() * 1000)
        for step, price in enumerate(ticks(row)):
            number, at_ms = number + 1, opened_ms + step * 225_000
            said = Trade("SOL", "USDT", f"{price:.8f}", "1", number, at_ms)
            assert gate.trade(said, Frame("binance", "ws", at_ms * NS, b""))
    assert len(told) == number == TICKS * len(candles(CRASH))


def played(board: Board, *, live: bool) -> tuple[Counter[str], Counter[str]]:
    """Play dollars against USDC; return how often each validity was told, calm and de-pegged.

    The live price of USDC is what bitcoin made of it as the minute opened, when the three candles
    met; it is held against their closes. No feed of its own is in the file.
    """
    gate, calm, apart = Gate(board), Counter[str](), Counter[str]()
    dollars = Feed(gate, "venue.one", "BTC", "USD")
    coins = Feed(gate, "venue.two", "BTC", "USDC")
    rate = Feed(gate, "pyth", "USDC", "USD")
    for opened_ms, now in minutes(candles(DEPEG)):
        if len(now) < len(QUOTED_IN) or not now["BTCUSDC"]["volume"]:
            continue  # nobody traded: the candle repeats the one before
        at_ms = opened_ms
        for step in range(TICKS):
            at_ms = opened_ms + step * TICK_MS
            say = {symbol: now[symbol]["open" if step < TICKS - 1 else "close"] for symbol in now}
            if live:
                rate.say(now["BTCUSD"]["open"] / now["BTCUSDC"]["open"], at_ms)
            coins.say(say["BTCUSDC"], at_ms + 1)
            dollars.say(say["BTCUSD"], at_ms + 2)
        told = board.validity("BTC", now_ms=at_ms + 3, age_ms_max=10_000).name
        gap = now["BTCUSDC"]["close"] / now["BTCUSD"]["close"] - 1
        (apart if abs(gap) > 0.0105 else calm)[told] += 1
    assert {reason for _, reason in gate.rejections.counts} <= {"outlier"}
    return calm, apart


def test_that_usdc_taken_for_a_dollar_disagrees_and_converted_by_its_price_agrees() -> None:
    _, naive = played(Board(assume={"USDC": Decimal(1)}), live=False)
    live_calm, live = played(Board(), live=True)
    assert naive.total() == live.total() > 1_900
    # What is not told as a disagreement is a jump of one side that waits to be confirmed.
    assert set(naive) <= {"DISAGREES", "QUARANTINED"}, "none of it may be traded on"
    assert naive["DISAGREES"] > 0.9 * naive.total()
    assert live["DISAGREES"] == live_calm["DISAGREES"] == 0
    assert live["VALID"] + live["STRAINED"] > 0.9 * live.total()
