"""Promise: costs are worse when positive, and a bias never says more than the fills do."""

from decimal import Decimal
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.markets import Side
from quantdesk.engines.orders.quality.bias import (
    BIAS_BPS_MAX,
    FILLS_MIN,
    Bias,
    Group,
    cost_bps,
    markout_bps,
    shrunken,
)

PRICES = st.decimals("0.0001", "1000000", places=4)
BPS = st.decimals("-50", "50", places=3)
ERRORS = st.decimals("0", "10", places=3)
SIDES = st.sampled_from(Side)


def _groups(*told: tuple[str, str], fills: int = 100) -> list[Group]:
    return [
        Group(f"v{number}", "SOL-USDC", fills, Decimal(mean), Decimal(stderr))
        for number, (mean, stderr) in enumerate(told)
    ]


GROUPS = st.lists(st.tuples(BPS, ERRORS, st.integers(FILLS_MIN, 500)), min_size=1, max_size=8).map(
    lambda told: [
        Group(f"v{number}", "SOL-USDC", fills, mean, stderr)
        for number, (mean, stderr, fills) in enumerate(told)
    ]
)


@pytest.mark.parametrize(
    ("side", "expected", "achieved", "cost"),
    [
        (Side.BUY, "100", "100.5", "50"),
        (Side.BUY, "100", "99.5", "-50"),
        (Side.SELL, "100", "100.5", "-50"),
        (Side.SELL, "100", "99.5", "50"),
        (Side.SELL, "100", "100", "0"),
    ],
)
def test_that_a_cost_is_what_the_trader_loses(
    side: Side, expected: str, achieved: str, cost: str
) -> None:
    assert cost_bps(side, Decimal(expected), Decimal(achieved)) == Decimal(cost)


def test_that_a_markout_is_worse_when_the_market_turns_on_the_trader() -> None:
    assert markout_bps(Side.BUY, Decimal(100), Decimal(99)) == 100
    assert markout_bps(Side.BUY, Decimal(100), Decimal(101)) == -100
    assert markout_bps(Side.SELL, Decimal(100), Decimal(101)) == 100
    assert str(markout_bps(Side.SELL, Decimal(100), Decimal(100))) == "0.0000"


@pytest.mark.parametrize("known", [None, Decimal(0)])
def test_that_nothing_is_made_of_what_is_not_known(known: Decimal | None) -> None:
    assert cost_bps(Side.BUY, known, Decimal(1)) is None
    assert cost_bps(Side.BUY, Decimal(1), None) is None
    assert markout_bps(Side.BUY, known, Decimal(1)) is None


@given(PRICES, PRICES)
def test_that_buyer_and_seller_lose_what_the_other_wins(expected: Decimal, got: Decimal) -> None:
    buys, sells = cost_bps(Side.BUY, expected, got), cost_bps(Side.SELL, expected, got)
    assert buys is not None
    assert sells is not None
    assert buys == -sells
    assert (buys > 0) <= (got > expected)


def test_that_equal_errors_give_the_closed_form() -> None:
    # With one error s² for all, τ² = S / (k - 1) - s², so that means move towards their mean by
    # (k - 1) s² / S: James and Stein's estimator, S being the sum of squares about that mean.
    means = ["1", "2", "4", "9"]
    groups = _groups(*((mean, "1.5") for mean in means))
    center, square = Decimal(4), Decimal(9 + 4 + 0 + 25)
    kept = 1 - 3 * Decimal("2.25") / square

    found = shrunken(groups)

    for number, mean in enumerate(means):
        wanted = center + kept * (Decimal(mean) - center)
        assert found[f"v{number}", "SOL-USDC"] == pytest.approx(wanted, abs=Decimal("0.0001"))


def test_that_unequal_errors_give_the_moments_by_hand() -> None:
    # Variances 100, 400 and 100 of 100 fills each; pooled 200, so that errors are 2, 4 and 2.
    groups = _groups(("0", "1"), ("10", "2"), ("8", "1"))
    w = [Decimal(1) / 2, Decimal(1) / 4, Decimal(1) / 2]
    y = [Decimal(0), Decimal(10), Decimal(8)]
    m = sum(a * b for a, b in zip(w, y, strict=True)) / Decimal("1.25")
    q = sum(a * (b - m) ** 2 for a, b in zip(w, y, strict=True))
    between = (q - 2) / (Decimal("1.25") - Decimal("0.5625") / Decimal("1.25"))
    v = [1 / (2 + between), 1 / (4 + between), 1 / (2 + between)]
    mu = Decimal(sum(a * b for a, b in zip(v, y, strict=True)) / sum(v))

    found = shrunken(groups)

    assert m == Decimal("5.2")
    assert between > 0
    for number, error in enumerate((2, 4, 2)):
        wanted = mu + between / (between + error) * (y[number] - mu)
        assert found[f"v{number}", "SOL-USDC"] == pytest.approx(wanted, abs=Decimal("0.0001"))


def test_that_means_no_further_apart_than_chance_become_one() -> None:
    found = shrunken(_groups(("3.0", "2"), ("3.4", "2"), ("2.9", "2")))

    assert set(found.values()) == {Decimal("3.1000")}


def test_that_a_mean_known_well_stays_and_one_known_badly_moves() -> None:
    sharp = Group("a", "p", 500, Decimal(0), Decimal("0.1"))
    vague = Group("b", "p", 20, Decimal(10), Decimal(4))
    found = shrunken([sharp, vague, Group("c", "p", 500, Decimal(5), Decimal("0.1"))])

    assert abs(found["a", "p"]) < Decimal("0.1")
    assert abs(found["c", "p"] - 5) < Decimal("0.1")
    assert Decimal(3) < found["b", "p"] < Decimal(8)


def test_that_without_any_spread_the_means_stand() -> None:
    assert shrunken(_groups(("1", "0"), ("2", "0"))) == {
        ("v0", "SOL-USDC"): Decimal(1), ("v1", "SOL-USDC"): Decimal(2),
    }  # fmt: skip


@pytest.mark.parametrize(("fills", "known"), [(FILLS_MIN - 1, 0), (FILLS_MIN, 7)])
def test_that_too_few_fills_say_nothing(fills: int, known: int) -> None:
    bias = Bias([Group("raydium", "SOL-USDC", fills, Decimal(7), Decimal(1))])

    assert bias.bps("raydium", "SOL-USDC") == known
    assert bias.bps("raydium", "BTC-USDC") == 0


def test_that_too_few_fills_move_no_other_venue() -> None:
    alone = Group("raydium", "SOL-USDC", 50, Decimal(2), Decimal(1))
    few = Group("meteora", "SOL-USDC", FILLS_MIN - 1, Decimal(90), Decimal(1))

    assert shrunken([alone, few]) == shrunken([alone])


def test_that_what_is_learned_replaces_what_was() -> None:
    bias = Bias(_groups(("3", "1")))
    bias.learn([])

    assert bias.bps("v0", "SOL-USDC") == 0


@given(GROUPS)
def test_that_a_bias_lies_between_the_means_and_within_bounds(groups: list[Group]) -> None:
    means = [group.mean_bps for group in groups]
    slack = Decimal("0.0001")

    for bps in shrunken(groups).values():
        assert abs(bps) <= BIAS_BPS_MAX
        assert min(means) - slack <= bps or bps == BIAS_BPS_MAX
        assert bps <= max(means) + slack or bps == -BIAS_BPS_MAX


@given(GROUPS)
def test_that_shrinking_keeps_to_its_side_of_the_middle(groups: list[Group]) -> None:
    found = shrunken(groups)
    # Of two venues known as well, the one that was worse stays worse, or both are the same.
    for one, other in permutations(groups, 2):
        alike = (one.fills, one.stderr_bps) == (other.fills, other.stderr_bps)
        if alike and one.mean_bps > other.mean_bps:
            assert found[one.venue, one.pair] >= found[other.venue, other.pair]
