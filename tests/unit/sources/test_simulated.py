"""The simulation repeats itself for a seed, moves like a market, and shows no absurd price."""

import math
import statistics
from collections import Counter
from decimal import Decimal
from itertools import pairwise

import pytest

from quantdesk.core.assets import ASSETS
from quantdesk.core.errors import Refused
from quantdesk.sources.simulated import MODELS, REGIMES, Path, Simulated
from quantdesk.testing.clock import ManualClock

START = {symbol: model.start for symbol, model in MODELS.items()}


def course(seed: int, steps: int, step_s: float = 1.0) -> list[dict[str, Decimal]]:
    path = Path(seed=seed, step_s=step_s, start=START)
    return [path.step() for _ in range(steps)]


def moves(prices: list[dict[str, Decimal]], symbol: str) -> list[float]:
    return [math.log(b[symbol] / a[symbol]) for a, b in pairwise(prices)]


def test_that_a_seed_repeats_itself_and_another_differs() -> None:
    assert course(7, 500) == course(7, 500)
    assert course(7, 500) != course(8, 500)


def test_that_every_asset_of_the_desk_is_simulated_on_its_tick() -> None:
    assert set(MODELS) == set(ASSETS)
    for prices in course(1, 2000):
        for symbol, price in prices.items():
            assert price > 0
            assert price % MODELS[symbol].tick == 0


def test_that_stablecoins_stay_near_a_dollar_and_coins_move() -> None:
    prices = course(3, 20_000)
    for stable in ("USDT", "USDC"):
        assert all(Decimal("0.99") < at[stable] < Decimal("1.01") for at in prices)
    assert max(at["BTC"] for at in prices) / min(at["BTC"] for at in prices) > Decimal("1.005")


def test_that_coins_move_together() -> None:
    prices = course(5, 20_000)
    for other in ("ETH", "SOL"):
        assert statistics.correlation(moves(prices, "BTC"), moves(prices, other)) > 0.6


def test_that_every_regime_comes_and_stress_is_wilder_than_calm() -> None:
    path = Path(seed=2, step_s=10, start=START)
    seen: Counter[str] = Counter()
    sizes: dict[str, list[float]] = {name: [] for name in REGIMES}
    last = START["BTC"]
    for _ in range(20_000):
        price = path.step()["BTC"]
        seen[path.regime] += 1
        sizes[path.regime].append(abs(math.log(price / last)))
        last = price
    assert seen.keys() == REGIMES.keys()
    assert statistics.mean(sizes["stress"]) > 2 * statistics.mean(sizes["calm"])


def test_that_settings_without_sense_are_refused() -> None:
    clock = ManualClock()
    with pytest.raises(Refused, match="above zero"):
        Simulated(clock=clock, seed=1, step_s=0)
    with pytest.raises(Refused, match="above zero"):
        Simulated(clock=clock, seed=1, start={"SOL": Decimal(0)})
    with pytest.raises(Refused, match="DOGE"):
        Simulated(clock=clock, seed=1, start={"DOGE": Decimal(1)})
