"""`quantdesk doctor`: is this machine, this folder and this desk well, and what is the cure.

Every check says one line. It works with no desk running and with one; it changes nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import checks
from quantdesk.cli.checks import Finding, Level
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, answer, verbatim
from quantdesk.core.clock import SystemClock
from quantdesk.telemetry.hiding import hide
from quantdesk.telemetry.redaction import redaction

_STYLES = {Level.OK: "green", Level.WARN: "yellow", Level.FAIL: "bold red"}


def doctor(home: Home = None, json: Json = False) -> None:  # noqa: FBT002 - a flag
    """Check the machine, the data folder and the desk, and say the cure."""
    found = run(_examine(knobs.home(home)))
    if json:
        verbatim(msgspec.json.encode(found).decode())
    else:
        answer(table(found))
        answer(verdict(found))
    raise typer.Exit(1 if any(finding.level is Level.FAIL for finding in found) else 0)


def table(found: Sequence[Finding]) -> Table:
    """Return findings as a table, each cure below what it cures."""
    drawn = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    drawn.add_column(no_wrap=True)
    drawn.add_column(no_wrap=True)
    drawn.add_column(overflow="fold")
    for finding in found:
        drawn.add_row(
            Text(finding.level.value, style=_STYLES[finding.level]), finding.about, finding.said
        )
        if finding.cure:
            drawn.add_row("", "", Text(f"cure: {finding.cure}", style="bold"))
    return drawn


def verdict(found: Sequence[Finding]) -> Text:
    """Return one line that sums the findings up."""
    count = {level: sum(finding.level is level for finding in found) for level in Level}
    if count[Level.FAIL]:
        return Text(f"{count[Level.FAIL]} of {len(found)} checks failed", style="bold red")
    if count[Level.WARN]:
        return Text(f"nothing failed; {count[Level.WARN]} to look at", style="yellow")
    return Text(f"all {len(found)} checks are well", style="green")


async def _examine(home: Path) -> list[Finding]:
    # The web server and the database driver, which only the doctor looks at.
    from quantdesk.cli.desk_checks import desk_checks  # noqa: PLC0415

    clock = SystemClock()
    told, settings = checks.settings(lambda: knobs.load(home))
    found = [
        *checks.machine(home), await checks.clock(clock), told, checks.owner_key(home)
    ]  # fmt: skip
    if settings is not None:
        hide(settings)
        found += await desk_checks(home, settings, clock)
    return [
        replace(each, said=redaction.text(each.said), cure=redaction.text(each.cure))
        for each in found
    ]
