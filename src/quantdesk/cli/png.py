"""The same picture as `plot` draws on the terminal, into a PNG. Needs `quantdesk[plot]`."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from quantdesk.cli.course import Course, Line
from quantdesk.core.errors import Unavailable

_INCHES = (12.0, 7.0)
_DPI = 120
_DAY_MS = 86_400_000
_HEIGHTS = (4, 1)


def draw(course: Course, path: Path) -> None:
    """Write a picture of a price; raise `Unavailable` (`output.refused`) where it cannot be."""
    figure = Figure(figsize=_INCHES, layout="constrained")
    canvas = FigureCanvasAgg(figure)
    apart = course.agreement.moments()
    if apart:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=_HEIGHTS)
        below.fill_between(_times(course.agreement), [one.high for one in apart], step="post")
        below.set_ylabel("sources apart, bps")
        below.set_ylim(bottom=0)
    else:
        above = below = figure.subplots(1, 1)
    _prices(above, course)
    below.xaxis_date("UTC")
    below.set_xlabel("received, UTC")
    try:
        canvas.print_figure(path, dpi=_DPI, format="png")
    except OSError as problem:
        detail = f"{path}: {problem.strerror or problem}"
        raise Unavailable(detail, code="output.refused") from problem


def _prices(axes: Axes, course: Course) -> None:
    for name, line in sorted(course.lines.items()):
        moments, times = line.moments(), _times(line)
        (drawn,) = axes.plot(times, [one.last for one in moments], linewidth=1.0, label=name)
        axes.fill_between(
            times,
            [one.low for one in moments],
            [one.high for one in moments],
            color=drawn.get_color(),
            alpha=0.25,
            linewidth=0,
        )
    for reason, count in sorted(course.counts.items()):
        points = [one for one in course.refused if one.reason == reason]
        axes.scatter(
            [_moment(one.at_ms) for one in points],
            [one.price for one in points],
            marker="x",
            s=24,
            label=f"not taken: {count} {reason}",
            zorder=3,
        )
    axes.set_title(f"{course.symbol}: {course.said} prices")
    axes.set_ylabel("price")
    axes.ticklabel_format(axis="y", useOffset=False, style="plain")
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize="small")


def _times(line: Line) -> list[float]:
    return [_moment(one.at_ms) for one in line.moments()]


def _moment(at_ms: int) -> float:
    """Return a time as the axis counts it: days since 1970."""
    return at_ms / _DAY_MS
