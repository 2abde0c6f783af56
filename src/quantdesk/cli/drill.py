"""`quantdesk drill`: rehearsals of bad days, on a desk of the drill's own."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from quantdesk.cli.running import run
from quantdesk.cli.stages import grid
from quantdesk.cli.terminal import answer, say
from quantdesk.core.clock import SystemClock

app = typer.Typer(no_args_is_help=True, help="Rehearse bad days on a desk of the drill's own.")


@app.callback()
def drill() -> None:
    """Rehearse bad days on a desk of the drill's own."""


@app.command("kill")
def kill(
    runs: Annotated[int, typer.Option(min=1, max=10_000, help="How often it is killed.")] = 10,
    seed: Annotated[
        int, typer.Option(help="Draws the moments; the same seed, the same drill.")
    ] = 1,
    mode: Annotated[str, typer.Option(help="localnet or paper.")] = "localnet",
) -> None:
    """Kill a desk again and again while it trades, then count what was doubled or lost."""
    from quantdesk.ops.drill import drill_kill  # noqa: PLC0415

    with tempfile.TemporaryDirectory(prefix="quantdesk-drill-") as folder:
        report = run(
            drill_kill(
                runs=runs, seed=seed, mode=mode, home=Path(folder), say=say, clock=SystemClock()
            )
        )
    facts = grid()
    for name, value in report.table():
        facts.add_row(name, value)
    answer(facts)
    raise typer.Exit(0 if report.ok else 1)
