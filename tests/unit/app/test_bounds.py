"""A mode's own limits hold where none is written down, and what is written down always does."""

from decimal import Decimal

import pytest

from quantdesk.app.bounds import check_sources, guard_limits, pace
from quantdesk.app.cluster import most
from quantdesk.app.exchange import is_real
from quantdesk.app.pools import worth
from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused
from quantdesk.core.prices import Reading
from quantdesk.ingest.board import Board
from quantdesk.settings import BinanceSettings, GuardSettings, Mode, OrdersSettings, Settings


@pytest.mark.parametrize(
    ("mode", "order_usd", "day_usd"),
    [
        ("paper", 1_000_000, 100_000_000),
        ("localnet", 1_000_000, 100_000_000),
        ("devnet", 1_000_000, 100_000_000),
        ("mainnet", 1_000, 10_000),
    ],
)
def test_that_money_is_bounded_where_it_is_real(mode: Mode, order_usd: int, day_usd: int) -> None:
    limits = guard_limits(Settings(mode=mode))
    assert limits.order_notional_usd_max == order_usd
    assert limits.day_notional_usd_max == day_usd

    written = GuardSettings(order_notional_usd_max=Decimal(7), day_notional_usd_max=Decimal(9))
    limits = guard_limits(Settings(mode=mode, guard=written))
    assert limits.order_notional_usd_max == 7
    assert limits.day_notional_usd_max == 9


@pytest.mark.parametrize(
    ("mode", "orders", "expected"),
    [
        ("localnet", {}, (0, 1_000)),
        ("devnet", {}, (100, 10)),
        ("mainnet", {}, (100, 10)),
        ("mainnet", {"rate_per_minute": 0, "in_flight_per_wallet": 0}, (0, 1_000)),
        ("mainnet", {"rate_per_minute": 7, "in_flight_per_wallet": 3}, (7, 3)),
        ("paper", {"rate_per_minute": 7, "in_flight_per_wallet": 3}, (7, 3)),
    ],
)
def test_that_the_documents_pace_is_the_default_on_clusters_of_others(
    mode: Mode, orders: dict[str, int], expected: tuple[int, int]
) -> None:
    rules = pace(Settings(mode=mode, orders=OrdersSettings.model_validate(orders)))
    assert (rules.rate_per_minute, rules.in_flight_max, rules.mode) == (*expected, mode)


@pytest.mark.parametrize(
    "sources", [["simulated"], ["recorded"], ["pyth", "simulated"], ["binance"]]
)
def test_that_mainnet_trades_on_no_made_up_price(sources: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        check_sources("mainnet", sources)
    assert refused.value.code == "source.unreal"
    check_sources("mainnet", ["pyth"])
    check_sources("mainnet", ["binance", "pyth"])
    for mode in ("paper", "localnet", "devnet"):
        check_sources(mode, sources)


@pytest.mark.parametrize(
    ("url", "real"),
    [
        ("https://api.binance.com", True),
        ("https://api1.binance.com/", True),
        ("https://BINANCE.COM", True),
        ("https://testnet.binance.vision", False),
        ("http://127.0.0.1:1", False),
        ("https://notbinance.com", False),
    ],
)
def test_that_an_exchange_with_real_money_is_known_by_its_host(url: str, real: bool) -> None:  # noqa: FBT001
    assert is_real(BinanceSettings(url=url)) is real


def test_that_an_order_may_be_as_large_as_one_floor_can_carry() -> None:
    held = [lambda: {"SOL": 1, "USDC": 5}, lambda: None, lambda: {"SOL": 3}]
    assert most(held) == {"SOL": 3, "USDC": 5}
    assert most([lambda: None]) is None


def test_that_lamports_are_worth_what_the_board_says_rounded_up() -> None:
    board = Board()
    assert worth(board, 5_000, ASSETS["USDC"]) == 0
    for symbol, price in (("SOL", "150"), ("USDC", "1")):
        board.take(Reading("test", symbol, Decimal(price), Decimal(0), 0), 0)
    assert worth(board, 5_000, ASSETS["USDC"]) == 750
    assert worth(board, 5_001, ASSETS["USDC"]) == 751
