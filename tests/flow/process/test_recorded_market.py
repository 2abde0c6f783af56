"""BTC-USDC orders fill on the localnet at the price the real market had at that moment.

The pools follow a recording of 8 August 2024, played eight times as fast as it happened.
"""

from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest
from tests.flow.process.conftest import Desks
from tests.flow.process.running import Process

from quantdesk.core.ticks import Quote, Trade
from quantdesk.sources import recorded

RECORDING = "binance_spot_btcusdt_raw_20240808.txt.gz"
ORDERS = 16
# Raydium's fee, the maker's dead band, half a bin, and the market's steps within a slot.
OFF_BPS_MAX = Decimal(45)


@pytest.fixture
def recording() -> Path:
    path = Path(__file__).parents[4] / "shared/data" / RECORDING
    if not path.exists():
        pytest.skip(f"the real recording {path.name} is not in ../shared/data: NOT TESTED")
    return path


def test_fills_at_the_recorded_price_of_the_moment(desks: Desks, recording: Path) -> None:
    market = recorded_prices(recording)
    desk = desks(
        "home", "--source", f"recorded:{recording}", "--set", "sources.speed=8",
        "--mode", "localnet",
    )  # fmt: skip
    desk.start()

    moments = [fill(desk, "BUY" if number % 2 else "SELL") for number in range(ORDERS)]

    references = [reference for reference, _ in moments]
    assert all(reference in market for reference in references)
    assert len(set(references)) > ORDERS // 2, "the market must have moved under the orders"
    for reference, realized in moments:
        assert abs(realized - reference) * 10_000 < OFF_BPS_MAX * reference


def fill(desk: Process, direction: str) -> tuple[Decimal, Decimal]:
    """Return the recorded price an order was approved at, and the price it was filled at."""
    placed = desk.post({"pair": "BTC-USDC", "amount": 0.05, "direction": direction})
    assert placed.status == 201, placed.body
    path = f"/api/orders/{placed.body['orderId']}"
    desk.until(lambda: desk.get(path).body["status"] in {"CONFIRMED", "FAILED"}, "an end")
    order = desk.get(path).body
    assert order["status"] == "CONFIRMED", order.get("error")
    prices = desk.get(f"{path}/evidence").body["prices"]
    filled = order["filled"]
    btc = next(price for price in prices if price["symbol"] == "BTC")
    return Decimal(btc["value"]), Decimal(filled["quote"]) / Decimal(filled["base"])


def recorded_prices(path: Path) -> set[Decimal]:
    """Return the middle of every book, and what was paid in every trade."""
    prices = set[Decimal]()
    for frame in recorded.frames(path, counts=Counter()):
        for event in recorded.read(frame):
            if isinstance(event, Quote):
                prices.add((Decimal(event.bid) + Decimal(event.ask)) / 2)
            elif isinstance(event, Trade):
                prices.add(Decimal(event.price))
    return prices
