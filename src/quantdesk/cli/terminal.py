"""The terminal: results go to standard output, everything said on the way to standard error.

Where there is no terminal nothing is colored, drawn or cut to a width, so that a pipe or a log
gets whole lines.
"""

import shutil
import sys
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console, RenderableType
from rich.text import Text

from quantdesk.core.errors import DeskError
from quantdesk.telemetry.redaction import redaction

_PIPE_COLUMNS = 1000
WIDE_COLUMNS = 100
"""From here on a table has room for whole identifiers."""

Home = Annotated[
    Path | None,
    typer.Option("--home", help="Data folder of the desk; else QD_HOME, else ~/.quantdesk."),
]
Json = Annotated[bool, typer.Option("--json", help="Answer as the desk gives it, for scripts.")]


def _console(stream: TextIO, *, stderr: bool = False) -> Console:
    piped = not stream.isatty()
    width = _PIPE_COLUMNS if piped else None
    return Console(stderr=stderr, highlight=False, markup=False, soft_wrap=piped, width=width)


def program(called: str, *, on_path: bool) -> str:
    """Return the command that a person can paste, from how this process was called."""
    return called if not on_path and Path(called).name == "quantdesk" else "quantdesk"


PROGRAM = program(sys.argv[0], on_path=shutil.which("quantdesk") is not None)
out = _console(sys.stdout)
err = _console(sys.stderr, stderr=True)


def answer(result: RenderableType = "") -> None:
    """Print a result; without a terminal as bare lines, with nothing drawn to fill a width."""
    if out.is_terminal:
        out.print(result, crop=False)
        return
    with out.capture() as drawn:
        out.print(result)
    typer.echo("\n".join(line.rstrip() for line in drawn.get().splitlines()))


def say(line: str, *, style: str = "dim") -> None:
    """Tell the person what is going on."""
    err.print(Text(line, style=style))


def refuse(problem: DeskError) -> None:
    """Print an anticipated error: its code, what is wrong, and the cure."""
    err.print(Text.assemble((problem.code, "bold red"), ": ", redaction.text(problem.detail)))


def verbatim(text: str) -> None:
    """Print a line for programs, exactly as it is."""
    typer.echo(text)
