"""A line chart in plain characters, eight dots to each (braille). Pure."""

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

_DOTS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))  # by column, then row from the top
_BLANK = 0x2800
_ACROSS, _DOWN = 2, 4
_LABELS_EVERY = 4


class Dot(NamedTuple):
    """A point, and the number of the layer it is drawn on: higher ones hide lower ones."""

    x: float
    y: float
    layer: int


class Cell(NamedTuple):
    """A character of a chart and the layer that gives its color, -1 for none."""

    text: str
    layer: int


class Canvas:
    """A grid of dots over a stretch of x and of y."""

    def __init__(
        self, *, columns: int, rows: int, x: tuple[float, float], y: tuple[float, float]
    ) -> None:
        assert columns > 0, "a chart is so wide"
        assert rows > 0, "a chart is so high"
        self._columns, self._rows = columns, rows
        self._x, self._y = x, _spread(y)
        self._cells: dict[tuple[int, int], int] = {}
        self._layers: dict[tuple[int, int], int] = {}

    def draw(self, dots: Iterable[Dot]) -> None:
        """Draw dots; those outside of the grid are left out."""
        for dot in dots:
            across = _place(dot.x, self._x, self._columns * _ACROSS)
            up = _place(dot.y, self._y, self._rows * _DOWN)
            if across is None or up is None:
                continue
            down = self._rows * _DOWN - 1 - up
            at = down // _DOWN, across // _ACROSS
            mark = _DOTS[across % _ACROSS][down % _DOWN]
            if dot.layer > self._layers.get(at, -1):
                self._cells[at], self._layers[at] = mark, dot.layer
            elif dot.layer == self._layers[at]:
                self._cells[at] |= mark

    def lines(self) -> list[list[Cell]]:
        """Return the rows from the top."""
        return [
            [
                Cell(chr(_BLANK + self._cells[row, column]), self._layers[row, column])
                if (row, column) in self._cells
                else Cell(" ", -1)
                for column in range(self._columns)
            ]
            for row in range(self._rows)
        ]

    def label(self, row: int) -> str:
        """Return the value at the middle of a row, for some rows; nothing for the others."""
        if row % _LABELS_EVERY and row != self._rows - 1:
            return ""
        low, high = self._y
        value = high - (high - low) * (row + 0.5) / self._rows
        return rounded(value, (high - low) / self._rows)


def rounded(value: float, step: float) -> str:
    """Return a value with as many decimals as tell it from its neighbor a step away."""
    decimals = max(0, math.ceil(-math.log10(step))) if step > 0 else 0
    return f"{value:.{min(decimals, 12)}f}"


def bounds(values: Sequence[float]) -> tuple[float, float]:
    """Return the lowest and the highest of at least one value."""
    return min(values), max(values)


def _place(value: float, stretch: tuple[float, float], dots: int) -> int | None:
    low, high = stretch
    if not low <= value <= high:
        return None
    return min(dots - 1, int((value - low) / (high - low) * dots)) if high > low else dots // 2


def _spread(stretch: tuple[float, float]) -> tuple[float, float]:
    low, high = stretch
    if high > low:
        return stretch
    aside = abs(low) * 1e-4 or 1.0  # a price that never moved is drawn in the middle
    return low - aside, high + aside
