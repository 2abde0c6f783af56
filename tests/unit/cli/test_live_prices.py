"""Watched prices grow old by our own clock, and none is valid while the desk is away."""

import json

import pytest
from rich.console import Console

from quantdesk.cli.following import Away, Back, Change
from quantdesk.cli.live_prices import Seen
from quantdesk.cli.prices import table
from quantdesk.testing.clock import ManualClock

pytestmark = pytest.mark.anyio


def price(symbol: str, *, age_ms: int = 200, valid: bool = True, value: str = "150.25") -> Change:
    told = {
        "symbol": symbol, "value": value, "source": "pyth", "confidence": "0.05",
        "publishedAt": "2026-01-31T12:00:00.000Z", "receivedAt": "2026-01-31T12:00:00.000Z",
        "ageMs": age_ms, "valid": valid, "validity": "VALID" if valid else "STALE",
        "agreementBps": None, "sources": ["pyth"], "rawIds": ["pyth:1"],
    }  # fmt: skip
    return Change(symbol, json.dumps(told).encode(), whole=True)


class Screen:
    """What is seen, as lines."""

    def __init__(self) -> None:
        self.clock = ManualClock()
        self.seen = Seen(clock=self.clock, age_ms_max=10_000)
        self.seen.take(Back())

    def lines(self) -> list[str]:
        """Return the rows of the table."""
        console = Console(width=120)
        with console.capture() as drawn:
            console.print(table(self.seen.prices()))
        return [" ".join(line.split()) for line in drawn.get().splitlines()][1:]


async def test_that_the_latest_price_is_shown_and_ages() -> None:
    screen = Screen()
    screen.seen.take(price("SOL", value="149"))
    screen.seen.take(price("SOL"))
    screen.seen.take(price("BTC", value="60000"))
    assert screen.lines() == [
        "BTC 60000 0.05 0.2 s pyth valid",
        "SOL 150.25 0.05 0.2 s pyth valid",
    ]
    await screen.clock.advance(3)
    assert screen.lines()[1] == "SOL 150.25 0.05 3.2 s pyth valid"


async def test_that_a_price_goes_stale_by_itself() -> None:
    screen = Screen()
    screen.seen.take(price("SOL"))
    await screen.clock.advance(9.8)
    assert screen.seen.prices()[0].valid
    await screen.clock.advance(0.1)
    assert not screen.seen.prices()[0].valid
    assert screen.lines() == ["SOL 150.25 0.05 10.1 s pyth stale"]
    screen.seen.take(price("SOL"))
    assert screen.lines() == ["SOL 150.25 0.05 0.2 s pyth valid"]


async def test_that_no_price_is_valid_until_a_desk_that_came_back_tells_it_anew() -> None:
    screen = Screen()
    screen.seen.take(price("SOL"))
    screen.seen.take(price("BTC"))
    screen.seen.take(Away("gone"))
    assert screen.seen.away == "gone"
    assert all(line.endswith("desk away") for line in screen.lines())
    screen.seen.take(Back())
    screen.seen.take(price("SOL"))
    assert screen.seen.away is None
    assert [line.rpartition("pyth ")[2] for line in screen.lines()] == ["desk away", "valid"]


async def test_that_what_no_source_speaks_of_is_not_shown() -> None:
    screen = Screen()
    screen.seen.take(price("SOL"))
    screen.seen.take(Change("SOL", b"null", whole=True))
    assert screen.lines() == []
