"""Crypto never closes; the others do, by New York's clock and its summer time."""

from datetime import datetime

import pytest
from tests.unit.ingest.market import Market

from quantdesk.core.clock import unix_ms
from quantdesk.ingest.hours import is_open


def at(moment: str) -> int:
    return unix_ms(datetime.fromisoformat(moment + "+00:00"))


@pytest.mark.parametrize(
    ("symbol", "moment", "opened"),
    [
        ("BTC", "2026-11-21T03:00", True),
        ("AAPL", "2026-11-20T14:29", False),
        ("AAPL", "2026-11-20T14:30", True),
        ("AAPL", "2026-11-20T20:59", True),
        ("AAPL", "2026-11-20T21:00", False),
        ("AAPL", "2026-11-21T15:00", False),
        ("AAPL", "2026-07-17T13:29", False),
        ("AAPL", "2026-07-17T13:30", True),
        ("AAPL", "2026-03-06T14:30", True),
        ("AAPL", "2026-03-06T13:30", False),
        ("AAPL", "2026-03-09T13:30", True),
        ("AAPL", "2026-10-30T13:30", True),
        ("AAPL", "2026-11-02T13:30", False),
        ("EUR", "2026-11-20T21:59", True),
        ("EUR", "2026-11-20T22:00", False),
        ("EUR", "2026-11-21T12:00", False),
        ("EUR", "2026-11-22T21:59", False),
        ("EUR", "2026-11-22T22:00", True),
        ("EUR", "2026-11-25T03:00", True),
    ],
)
def test_that_markets_open_and_close(symbol: str, moment: str, opened: bool) -> None:  # noqa: FBT001
    assert is_open(symbol, at(moment)) is opened


def test_that_a_price_of_a_closed_market_says_so() -> None:
    market = Market(now_ms=at("2026-11-20T20:59:59"))
    market.oracle(230, "AAPL")
    assert market.validity("AAPL") == "VALID"
    market.now_ms += 1_000
    assert market.validity("AAPL") == "CLOSED"
    market.now_ms += 61_000
    assert market.validity("AAPL") == "STALE_FOR_MARGIN"
