"""`quantdesk plot`: an asset's price in a recording, with what was rejected and who agreed."""

import importlib.util
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli.chart import Canvas, Dot, bounds
from quantdesk.cli.replay import existing
from quantdesk.cli.terminal import Home, answer, out, say
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.sources import tape

if TYPE_CHECKING:
    from quantdesk.cli.course import Course

DESK = "desk"
_COLUMNS_MAX = 120
_MARGIN = 14
_ROWS = 16
_AGREEMENT_ROWS = 4
_COLORS = ("cyan", "yellow", "magenta", "blue", "green", "white")
_REFUSED = "bold red"


def plot(
    recording: Annotated[
        str, typer.Argument(metavar="FILE|DIR|desk", help="A recording, or this desk's own.")
    ],
    symbol: Annotated[
        str | None, typer.Option(help="Which asset; else the one most is said of.")
    ] = None,
    out_file: Annotated[
        Path | None, typer.Option("--png", help="Draw into this file instead.")
    ] = None,
    home: Home = None,
) -> None:
    """Draw a price over time: each source, what was rejected (red), how far sources were apart."""
    path = _own(knobs.home(home)) if recording == DESK else existing(Path(recording))
    if out_file is not None:
        _can_draw(out_file)
    course, counts = _followed(path, None if symbol is None else symbol.upper())
    if out_file is not None:
        # Half a second of imports that only this asks for.
        from quantdesk.cli import png  # noqa: PLC0415

        png.draw(course, out_file.expanduser())
        answer(f"drawn into {out_file}")
    else:
        for line in drawn(course, columns=min(_COLUMNS_MAX, out.width)):
            answer(line)
    if counts["unreadable"] or counts["damaged"] or counts["cut"]:
        say(
            f"{counts['unreadable']} lines unreadable, {counts['damaged']} blocks damaged, "
            f"{counts['cut']} files cut"
        )


def drawn(course: "Course", *, columns: int) -> list[Text]:
    """Return a price as lines of text so wide."""
    width = max(20, columns - _MARGIN)
    x = _stretch(course)
    lines = [_title(course)]
    layers, dots = _dots(course)
    canvas = Canvas(columns=width, rows=_ROWS, x=x, y=bounds([dot.y for dot in dots]))
    canvas.draw(dots)
    lines += _rows(canvas, _ROWS, [*layers.values()])
    apart = course.agreement.moments()
    if apart:
        lines.append(Text("sources apart, bps", style="dim"))
        below = Canvas(
            columns=width,
            rows=_AGREEMENT_ROWS,
            x=x,
            y=(0.0, max(one.high for one in apart) or 1.0),
        )
        below.draw(Dot(one.at_ms, one.high, 0) for one in apart)
        lines += _rows(below, _AGREEMENT_ROWS, ["green"])
    lines.append(_axis(x, width))
    for name, color in layers.items():
        lines.append(Text.assemble(("⣿ ", color), name))
    return lines


def _followed(path: Path, symbol: str | None) -> "tuple[Course, Counter[str]]":
    # The desk's path takes a while to import; other commands do not pay for it.
    from quantdesk.cli.course import Courses  # noqa: PLC0415
    from quantdesk.sources import recorded  # noqa: PLC0415

    counts: Counter[str] = Counter()
    courses = Courses(recorded.READS)
    with closing(recorded.frames(path, counts=counts, prefix="")) as frames:
        courses.follow(frames)
    return courses.of(symbol), counts


def _dots(course: "Course") -> tuple[dict[str, str], list[Dot]]:
    """Return the color of each layer by its name, and all dots."""
    layers: dict[str, str] = {}
    dots: list[Dot] = []
    for number, (name, line) in enumerate(sorted(course.lines.items())):
        layers[name] = _COLORS[number % len(_COLORS)]
        for one in line.moments():
            dots += [Dot(one.at_ms, price, number) for price in (one.low, one.last, one.high)]
    if course.refused:
        reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(course.counts.items()))
        top = len(layers)
        layers[f"not taken: {reasons}"] = _REFUSED
        dots += [Dot(one.at_ms, one.price, top) for one in course.refused]
    return layers, dots


def _rows(canvas: Canvas, rows: int, colors: list[str]) -> list[Text]:
    return [
        Text.assemble(
            (f"{canvas.label(row):>{_MARGIN - 2}} ┤", "dim"),
            *((cell.text, colors[cell.layer] if cell.layer >= 0 else "") for cell in cells),
        )
        for row, cells in enumerate(canvas.lines()[:rows])
    ]


def _title(course: "Course") -> Text:
    return Text.assemble((course.symbol, "bold"), f"  {course.said} prices")


def _axis(x: tuple[float, float], width: int) -> Text:
    begin, end = (f"{iso(int(at))[:19].replace('T', ' ')}" for at in x)
    room = max(1, width - len(begin) - len(end))
    return Text(f"{'':{_MARGIN}}{begin}{' ' * room}{end} UTC", style="dim")


def _stretch(course: "Course") -> tuple[float, float]:
    times = [one.at_ms for line in course.lines.values() for one in line.moments()]
    return bounds([*times, *(one.at_ms for one in course.refused)])


def _own(home: Path) -> Path:
    folder = home / tape.FOLDER
    if not (folder.is_dir() and tape.tapes(folder)):
        raise Refused(
            f"the desk of {home} has recorded nothing: set sources.record_hours and restart it, or "
            "use `quantdesk record` and plot its folder",
            code="recording.missing",
        )
    return folder


def _can_draw(path: Path) -> None:
    if path.suffix.lower() != ".png":
        raise Refused(f"--png {path}: give a name that ends in .png", code="plot.format")
    if importlib.util.find_spec("matplotlib") is None:
        raise Unavailable(
            "drawing a PNG takes matplotlib: pip install 'quantdesk[plot]'; without --png the "
            "terminal shows the same",
            code="plot.missing",
        )
