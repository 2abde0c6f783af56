"""Promise: a leg is drawn with its prices, or with the reason why one is not there."""

import csv
from typing import Any

import msgspec
from rich.console import Console

from quantdesk.cli.legs import each, spreadsheet
from quantdesk.engines.orders.quality.wire import FillView

ROW: dict[str, Any] = {
    "orderId": "01890a5d-ac96-774b-bcce-b302099a8057", "leg": 1, "legs": 3, "measured": True,
    "simulatedMeasured": False, "venue": "raydium > meteora", "pool": "A > B",
    "kind": "CPMM > DLMM", "pair": "SOL-USDC", "direction": "SELL", "mode": "mainnet",
    "base": "12.500", "landedAt": "2026-11-22T06:55:55.123Z", "quoted": "150.123456789",
    "simulated": "150.1", "landed": "0.00001234", "boardAtDecision": None, "boardAtLanding": "150",
    "markout10s": None, "markout1m": "151.25", "markout5m": None,
    "otherFees": {"BNB": "0.0003"}, "provenance": {"markout10s": {"missing": "late"}},
    "costBps": {
        "quotedToSimulated": "-1.5", "simulatedToLanded": None, "quotedToLanded": "2.25",
        "landedToMarkout10s": None, "landedToMarkout1m": "75", "landedToMarkout5m": None,
    },
}  # fmt: skip


def _fill(**changes: object) -> FillView:
    return msgspec.convert({**ROW, **changes}, FillView)


def _drawn(fill: FillView) -> list[str]:
    console = Console(width=240, no_color=True)
    with console.capture() as said:
        console.print(each([fill]))
    return said.get().splitlines()[1].split("  ")


def _words(fill: FillView) -> list[str]:
    return [word.strip() for word in _drawn(fill) if word.strip()]


def test_that_a_leg_is_drawn_with_its_prices_or_why_there_is_none() -> None:
    assert _words(_fill()) == [
        "2026-11-22 06:55:55", "…b302099a8057 2/3", "raydium CPMM > meteora DLMM", "SELL",
        "12.5 SOL-USDC", "150.12346", "~150.10000", "0.00001234", "late", "151.25000", "-", "+2.25",
    ]  # fmt: skip


def test_that_a_route_that_does_not_say_its_kinds_is_drawn_by_venue() -> None:
    words = _words(_fill(kind="", legs=1, leg=0, simulated=None))

    assert words[1:3] == ["…b302099a8057", "raydium > meteora"]
    assert words[6] == "-", "what is not known is no share of anything"


def test_that_a_spreadsheet_has_a_line_for_each_leg_under_the_names_of_the_api() -> None:
    told = spreadsheet([_fill(), _fill(leg=2)])
    first, second = csv.DictReader(told.splitlines())

    assert (first["leg"], second["leg"], first["measured"]) == ("1", "2", "yes")
    assert (first["simulatedMeasured"], first["boardAtDecision"]) == ("no", "")
    assert (first["quoted"], first["landed"]) == ("150.123456789", "0.00001234")
    assert (first["otherFees"], first["quotedToLandedBps"]) == ("0.0003 BNB", "2.25")
    assert first["landedToMarkout1mBps"] == "75"


def test_that_a_spreadsheet_of_nothing_has_its_names() -> None:
    assert spreadsheet([]).startswith("orderId,leg,legs,")
