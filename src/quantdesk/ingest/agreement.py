"""Agreement: the middle of what several sources say, who is too far from it, and how far. Pure.

All figures are in one currency already; like is never compared with unlike here.
"""

from collections.abc import Sequence
from statistics import median

import msgspec

from quantdesk.core.money import BPS
from quantdesk.ingest.outliers import NORMAL

DROPPED_AT = 3.0
"""Median deviations from the middle at which a source of three or more is left out…"""
KEPT_WITHIN = 0.005
"""…unless it is as near as this part of the price."""


class Agreement(msgspec.Struct, frozen=True, gc=False):
    """Positions of the figures: those `kept`, and the one or two in the `middle` of them.

    `bps` is how far apart the outermost of those kept are; None of a single figure.
    """

    kept: tuple[int, ...]
    middle: tuple[int, ...]
    bps: float | None


def agree(values: Sequence[float]) -> Agreement:
    """Return what positive figures agree on; at least half of them are always kept."""
    assert values, "nothing to agree on"
    if len(values) == 1:
        return Agreement((0,), (0,), None)
    kept = sorted(_near(values), key=values.__getitem__)
    half = len(kept) // 2
    middle = (kept[half],) if len(kept) % 2 else (kept[half - 1], kept[half])
    low, high = values[kept[0]], values[kept[-1]]
    at = (values[middle[0]] + values[middle[-1]]) / 2
    return Agreement(tuple(kept), middle, (high - low) / at * BPS)


def _near(values: Sequence[float]) -> list[int]:
    if len(values) == 2:  # noqa: PLR2004 - of two nobody can say who is wrong
        return [0, 1]
    at = median(values)
    far = [abs(value - at) for value in values]
    limit = max(DROPPED_AT * NORMAL * median(far), KEPT_WITHIN * at)
    return [position for position, distance in enumerate(far) if distance <= limit]
