"""Promise: times and markets are read as people write them, and what is not one is refused."""

import pytest

from quantdesk.cli.history import history, moment, named
from quantdesk.core.errors import Refused

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


def test_only_who_tells_the_past_is_asked_for_it() -> None:
    assert history("binance.futures").name == "binance.futures"
    with pytest.raises(Refused) as refused:
        history("binanse")
    assert "did you mean binance?" in refused.value.detail
