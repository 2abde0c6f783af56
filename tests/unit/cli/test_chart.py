"""A chart puts each dot where it belongs, colors by layer, and labels with no more than needed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.cli.chart import Canvas, Dot, rounded


def shown(*dots: Dot, columns: int = 4, rows: int = 2) -> list[str]:
    canvas = Canvas(columns=columns, rows=rows, x=(0, 8), y=(0, 8))
    canvas.draw(dots)
    return ["".join(cell.text for cell in row) for row in canvas.lines()]


def test_that_corners_are_corners() -> None:
    assert shown(Dot(0, 0, 0)) == ["    ", "⡀   "]
    assert shown(Dot(8, 0, 0)) == ["    ", "   ⢀"]
    assert shown(Dot(0, 8, 0)) == ["⠁   ", "    "]
    assert shown(Dot(8, 8, 0)) == ["   ⠈", "    "]


def test_that_dots_of_a_layer_share_a_character_and_a_higher_layer_hides_them() -> None:
    assert shown(Dot(0, 0, 0), Dot(1, 0, 0), Dot(0, 1, 0)) == ["    ", "⣄   "]
    canvas = Canvas(columns=4, rows=2, x=(0, 8), y=(0, 8))
    canvas.draw([Dot(0, 0, 0), Dot(1, 1, 2), Dot(0, 1, 1)])
    assert canvas.lines()[1][0] == ("⠠", 2)


@given(st.floats(-100, 100), st.floats(-100, 100))
def test_that_dots_outside_are_left_out_and_those_inside_drawn(x: float, y: float) -> None:
    inside = 0 <= x <= 8 and 0 <= y <= 8
    assert ("".join(shown(Dot(x, y, 0))).strip() != "") == inside


def test_that_a_price_that_never_moved_is_drawn_in_the_middle() -> None:
    canvas = Canvas(columns=2, rows=3, x=(5, 5), y=(100, 100))
    canvas.draw([Dot(5, 100, 0)])
    assert [row[1].layer for row in canvas.lines()] == [-1, 0, -1]


def test_that_labels_tell_the_middle_of_every_fourth_row_and_the_last() -> None:
    canvas = Canvas(columns=2, rows=10, x=(0, 1), y=(0, 100))
    assert [canvas.label(row) for row in range(10)] == [
        "95", "", "", "", "55", "", "", "", "15", "5",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [(61852.345, 7, "61852"), (0.99981234, 0.00002, "0.99981"), (1.5, 0, "2"), (3, 0.5, "3.0")],
)
def test_that_values_have_the_decimals_that_tell_them_apart(
    value: float, step: float, text: str
) -> None:
    assert rounded(value, step) == text
