"""A histogram in plain characters: how many costs fall into which basis points. Pure."""

from collections import Counter
from collections.abc import Sequence
from decimal import ROUND_FLOOR, Decimal
from typing import NamedTuple

_EIGHTHS = " ▏▎▍▌▋▊▉"
_FULL = "█"
_BINS_MAX = 11
_STEPS = (1, 2, 5)
_ALL_BUT = 0.02  # of the values on either side that may lie beyond the outermost bins


class Bin(NamedTuple):
    """Values from `low` up to, not including, `high`; None where there is no end."""

    low: Decimal | None
    high: Decimal | None
    held: int


def bar(count: int, most: int, *, width: int) -> str:
    """Return a bar `width` characters long for `most`, never empty for what is more than none."""
    if count == 0:
        return ""
    eighths = max(1, round(count * width * len(_EIGHTHS) / most))
    full, rest = divmod(eighths, len(_EIGHTHS))
    return _FULL * full + (_EIGHTHS[rest] if rest else "")


def histogram(values: Sequence[Decimal]) -> list[Bin]:
    """Return at most eleven bins of round width, and one at either end for what lies far beyond."""
    if not values:
        return []
    ordered = sorted(values)
    beyond = int(len(ordered) * _ALL_BUT)
    low, high = ordered[beyond], ordered[-1 - beyond]
    width = _width(high - low)
    first, last = _index(low, width), _index(high, width)
    counts = Counter(min(max(_index(value, width), first - 1), last + 1) for value in ordered)
    bins = [Bin(n * width, (n + 1) * width, counts[n]) for n in range(first, last + 1)]
    if counts[first - 1]:
        bins.insert(0, Bin(None, first * width, counts[first - 1]))
    if counts[last + 1]:
        bins.append(Bin((last + 1) * width, None, counts[last + 1]))
    return bins


def label(shown: Bin) -> str:
    """Return the bounds of a bin in words."""
    if shown.low is None:
        return f"below {shown.high:f}"
    if shown.high is None:
        return f"{shown.low:f} and more"
    return f"{shown.low:f} to {shown.high:f}"


def _index(value: Decimal, width: Decimal) -> int:
    return int((value / width).to_integral_value(ROUND_FLOOR))


def _width(spread: Decimal) -> Decimal:
    """Return the smallest of 1, 2 and 5 times a power of ten that needs few enough bins."""
    exponent = -2 if spread == 0 else max(-2, spread.adjusted() - 2)
    while True:
        for step in _STEPS:
            width = Decimal(step).scaleb(exponent)
            if spread / width < _BINS_MAX - 1:
                return width if exponent < 0 else Decimal(int(width))
        exponent += 1
