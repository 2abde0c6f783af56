"""Promise: times and markets are read as people write them, and what is not one is refused."""

import subprocess
import sys

import pytest
from typer.testing import CliRunner

from quantdesk.cli.history import history, moment, named
from quantdesk.cli.root import app
from quantdesk.core.errors import Refused
from quantdesk.testing.clock import ManualClock

NOW_MS = 1_763_740_800_000


@pytest.mark.parametrize(
    ("text", "ms"),
    [
        ("2025-11-21", 1_763_683_200_000),
        ("2025-11-21T16:00", NOW_MS),
        ("2025-11-21T16:00:00Z", NOW_MS),
        ("2025-11-21T17:00+01:00", NOW_MS),
        ("7d", NOW_MS - 7 * 86_400_000),
        (" 12h ", NOW_MS - 12 * 3_600_000),
        ("30m", NOW_MS - 30 * 60_000),
        ("1960-01-01", 0),
    ],
)
def test_a_time_is_a_date_or_so_long_ago(text: str, ms: int) -> None:
    assert moment(text, NOW_MS) == ms


@pytest.mark.parametrize("text", ["", "yesterday", "7 d", "-1d", "7y", "2025-13-01", "9999999d"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(Refused) as refused:
        moment(text, NOW_MS)
    assert refused.value.code == "time.unreadable"


@pytest.mark.parametrize("text", ["", "BTC/USDT", "a b", "x" * 21, "B\n"])
def test_what_is_no_asset_is_refused(text: str) -> None:
    with pytest.raises(Refused):
        named(text if text != "B\n" else "B\nC")
    assert named(" btc ") == "BTC"


def test_only_who_tells_the_past_is_asked_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert history("binance.futures", ManualClock()).name == "binance.futures"
    with pytest.raises(Refused) as refused:
        history("binanse", ManualClock())
    assert refused.value.code == "source.unknown"
    assert "did you mean binance?" in refused.value.detail


def test_other_exchanges_say_what_they_take(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt.async_support", None)
    with pytest.raises(Refused) as refused:
        history("kraken", ManualClock())
    assert refused.value.code == "backfill.missing"
    assert "pip install 'quantdesk[backfill]'" in refused.value.detail


def test_help_says_what_other_exchanges_take() -> None:
    told = " ".join(
        CliRunner().invoke(app, ["backfill", "--help"]).stdout.replace("│", " ").split()
    )
    assert "--exchange" in told
    assert "kraken/USD" in told
    assert "pip install 'quantdesk[backfill]'" in told


def test_nothing_of_ccxt_is_loaded_before_it_is_asked_for() -> None:
    code = "import sys, quantdesk.cli.root; sys.exit('ccxt' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
