"""`quantdesk prices`: every reference price, who says so, and what it is worth, once or live."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import figures
from quantdesk.cli.client import client
from quantdesk.cli.live_prices import Draw, Seen, print_changes, show
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.terminal import Home, Json, answer, out, say, verbatim
from quantdesk.cli.views import Price, Prices
from quantdesk.core.clock import SystemClock

_DRAW_S = 0.25
_BLOCK_S = 1.0  # where nothing can be drawn over
_BEST = "valid"


def prices(
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,  # noqa: FBT002
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show the reference prices: how old they are, who says so, and whether the sources agree.

    With --watch --json each change is a line of its own.
    """
    place = knobs.home(home)
    if not watch:
        run(_once(place, json=json))
        return
    try:
        run(_live(place, json=json))
    except Stopped:
        raise typer.Exit(0) from None


def table(shown: list[Price]) -> Table:
    """Return prices as a table; what may not be traded on is grey."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    drawn.add_column("asset", no_wrap=True)
    for title in ("USD", "± USD", "age", "apart"):
        drawn.add_column(title, justify="right", no_wrap=True)
    drawn.add_column("source")
    drawn.add_column("", no_wrap=True)
    for price in shown:
        drawn.add_row(
            price.symbol,
            figures.price(price.value),
            figures.price(price.confidence),
            figures.age(price.age_ms),
            _apart(price),
            price.source,
            _validity(price),
            style="" if price.valid else "bright_black",
        )
    return drawn


def _apart(price: Price) -> str:
    """Return how far apart the outermost sources are; nothing of a single one."""
    return "" if price.agreement_bps is None else f"{price.agreement_bps:.1f} bps"


def _validity(price: Price) -> Text:
    word = price.validity.lower().replace("_", " ") or ("valid" if price.valid else "stale")
    if not price.valid:
        return Text(word)
    return Text(word, style="green" if word == _BEST else "yellow")


async def _once(place: Path, *, json: bool) -> None:
    async with client(place) as desk:
        told = await desk.get("/api/prices")
    if json:
        verbatim(told.decode())
        return
    shown = msgspec.json.decode(told, type=Prices).prices
    if not shown:
        say("no source has given a price yet: see `quantdesk doctor`", style="")
        return
    answer(table(shown))


async def _live(place: Path, *, json: bool) -> None:
    clock = SystemClock()
    async with client(place) as desk:
        if json:
            await print_changes(desk, clock=clock, print_line=verbatim, say=say)
            return
        seen = Seen(clock=clock, age_ms_max=knobs.load(place).guard.price_age_ms_max)
        with _screen() as draw:
            every_s = _DRAW_S if out.is_terminal else _BLOCK_S
            await show(desk, seen, clock=clock, table=table, draw=draw, every_s=every_s)


@contextmanager
def _screen() -> Iterator[Draw]:
    """Give a way to draw: in place on a terminal, one block after another elsewhere."""
    if out.is_terminal:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda drawn: live.update(drawn, refresh=True)
    else:
        yield answer
