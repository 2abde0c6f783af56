"""What is typed to record is understood or refused; prices are shown for what they are worth."""

from collections.abc import Callable
from decimal import Decimal

import pytest
from rich.console import Console

from quantdesk.cli.prices import table
from quantdesk.cli.record import assets, seconds
from quantdesk.cli.replay import factor
from quantdesk.cli.views import Price
from quantdesk.core.errors import Refused


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90), ("10m", 600), ("5min", 300), ("1h", 3600), ("1.5h", 5400), (" 2d ", 172_800)],
)
def test_that_durations_are_understood(text: str, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "10", "h", "0s", "-1h", "1h30m", "9999999s", "\u0661h"])
def test_that_other_durations_are_refused(text: str) -> None:
    with pytest.raises(Refused, match="write 90s, 10m, 1h or 2d"):
        seconds(text)


def test_that_assets_are_named_once_and_known() -> None:
    assert assets("btc, ETH,btc") == ("BTC", "ETH")
    for text, about in (("BTC,DOGE", "DOGE is not"), (",", "an empty list")):
        with pytest.raises(Refused, match=about):
            assets(text)


def test_that_speeds_are_understood() -> None:
    assert factor("max") is None
    assert factor("2.5") == Decimal("2.5")
    for text in ("", "0", "-1", "NaN", "Infinity", "fast"):
        with pytest.raises(Refused, match="above zero, or max"):
            factor(text)


def price(validity: str, *, valid: bool, apart: str | None = None) -> Price:
    return Price(
        symbol="BTC", value=Decimal(68_000), source="pyth", confidence=Decimal(20), age_ms=300,
        valid=valid, validity=validity, agreement_bps=None if apart is None else Decimal(apart),
    )  # fmt: skip


Row = Callable[[Price], str]


def row(shown: Price, *, color: bool = False) -> str:
    console = Console(width=100, force_terminal=color, color_system="standard" if color else None)
    with console.capture() as drawn:
        console.print(table([shown]))
    return drawn.get().splitlines()[1].rstrip()


def test_that_a_price_is_shown_with_what_it_is_worth() -> None:
    assert row(price("VALID", valid=True)).split() == [
        "BTC",
        "68000",
        "20",
        "0.3",
        "s",
        "pyth",
        "valid",
    ]
    apart = row(price("STRAINED", valid=True, apart="51.26"))
    assert apart.split() == ["BTC", "68000", "20", "0.3", "s", "51.3", "bps", "pyth", "strained"]
    assert row(price("STALE_FOR_MARGIN", valid=False)).endswith("stale for margin")


def test_that_what_may_not_be_traded_on_is_grey() -> None:
    grey = "\x1b[90m"
    assert grey not in row(price("VALID", valid=True), color=True)
    assert grey in row(price("DISAGREES", valid=False), color=True)


def test_that_a_desk_that_tells_no_validity_is_understood() -> None:
    assert row(price("", valid=True)).endswith("valid")
    assert row(price("", valid=False)).endswith("stale")
