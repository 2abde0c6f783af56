"""What a fill cost, and how far a venue's fills fall short of its quotes. Pure.

Costs are basis points, positive where the trader is worse off, of BUY and SELL alike.

A venue's mean cost is shrunken towards the mean of all, the more the less is known of it: the
empirical Bayes form of James and Stein's estimator (Efron and Morris 1975,
https://doi.org/10.1080/01621459.1975.10479864). With the mean cost y of a venue and pair over n
fills, its sampling variance s² and the variance τ² between the true means,

    bias = μ + τ² / (τ² + s²) · (y - μ),    μ = Σ y / (s² + τ²)  /  Σ 1 / (s² + τ²)

and τ² by moments (DerSimonian and Laird 1986, https://doi.org/10.1016/0197-2456(86)90046-2): with
w = 1 / s² and m = Σ w y / Σ w over k groups,

    τ² = max(0, (Σ w (y - m)² - (k - 1)) / (Σ w - Σ w² / Σ w))

s² is taken from the larger of a group's own variance and that of all groups pooled, so that a few
equal fills do not pass for certainty.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType

import msgspec

from quantdesk.core.markets import Side
from quantdesk.core.money import BPS

FILLS_MIN = 20
"""Fills of a venue and pair below which nothing is held for or against it."""

BIAS_BPS_MAX = Decimal(20)
CLIP_BPS = Decimal(100)
"""How much one fill may count for in a bias: a single broken one must not speak for a venue."""

_FINEST = Decimal("0.0001")
_ZERO = Decimal(0)

Key = tuple[str, str]
"""Venue and pair."""


class Group(msgspec.Struct, frozen=True):
    """Fills of a venue and pair: their mean cost, landed against quoted, and its standard error."""

    venue: str
    pair: str
    fills: int
    mean_bps: Decimal
    stderr_bps: Decimal | None

    @property
    def variance(self) -> Decimal:
        """Return the sample variance of one fill; zero where one fill says nothing of it."""
        return _ZERO if self.stderr_bps is None else self.stderr_bps**2 * self.fills


class Bias:
    """What to add to a venue's quotes, in basis points against the trader; to be read any time."""

    def __init__(self, groups: Sequence[Group] = ()) -> None:
        self._known: Mapping[Key, Decimal] = MappingProxyType({})
        self.learn(groups)

    def learn(self, groups: Sequence[Group]) -> None:
        """Judge by these fills from now on, and by no others."""
        self._known = MappingProxyType(shrunken(groups))

    def bps(self, venue: str, pair: str) -> Decimal:
        """Return how much worse than quoted fills land; zero while too few are known."""
        return self._known.get((venue, pair), _ZERO)


def cost_bps(side: Side, expected: Decimal | None, achieved: Decimal | None) -> Decimal | None:
    """Return how much worse `achieved` is than `expected`, both quote per base.

    None where one of them is not known, or nothing was expected.
    """
    if not expected or achieved is None:
        return None
    rise = (achieved - expected) * BPS / expected
    return (rise if side is Side.BUY else -rise).quantize(_FINEST)


def markout_bps(side: Side, landed: Decimal | None, later: Decimal | None) -> Decimal | None:
    """Return how much worse the fill was than the market later, in parts of the fill's price."""
    cost = cost_bps(side, landed, later)
    return None if cost is None else _ZERO - cost


def shrunken(groups: Sequence[Group]) -> dict[Key, Decimal]:
    """Return the bias of every venue and pair with `FILLS_MIN` fills, at most `BIAS_BPS_MAX`."""
    known = [group for group in groups if group.fills >= FILLS_MIN]
    if not known:
        return {}
    pooled = _pooled(known)
    errors = [max(group.variance, pooled) / group.fills for group in known]
    if not any(errors):
        means = [group.mean_bps for group in known]
    else:
        means = _towards_all([group.mean_bps for group in known], errors)
    return {
        (group.venue, group.pair): _bounded(mean) for group, mean in zip(known, means, strict=True)
    }


def _pooled(groups: Sequence[Group]) -> Decimal:
    freedom = sum(group.fills - 1 for group in groups)
    return sum(((group.fills - 1) * group.variance for group in groups), _ZERO) / freedom


def _towards_all(means: Sequence[Decimal], errors: Sequence[Decimal]) -> list[Decimal]:
    between = _between(means, errors)
    center = _weighted(means, [1 / (error + between) for error in errors])
    return [
        center + between / (between + error) * (mean - center)
        for mean, error in zip(means, errors, strict=True)
    ]


def _between(means: Sequence[Decimal], errors: Sequence[Decimal]) -> Decimal:
    weights = [1 / error for error in errors]
    whole = sum(weights, _ZERO)
    center = _weighted(means, weights)
    apart = sum(
        (weight * (mean - center) ** 2 for weight, mean in zip(weights, means, strict=True)), _ZERO
    )
    spare = whole - sum((weight**2 for weight in weights), _ZERO) / whole
    return max(_ZERO, (apart - (len(means) - 1)) / spare) if len(means) > 1 else _ZERO


def _weighted(values: Sequence[Decimal], weights: Sequence[Decimal]) -> Decimal:
    pairs = zip(values, weights, strict=True)
    return sum((value * weight for value, weight in pairs), _ZERO) / sum(weights, _ZERO)


def _bounded(bps: Decimal) -> Decimal:
    return max(-BIAS_BPS_MAX, min(BIAS_BPS_MAX, bps)).quantize(_FINEST)
