"""`quantdesk prices`: every reference price with its source, age and confidence, once or live."""

from collections.abc import Callable, Iterator
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
from quantdesk.cli.client import Client, client
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.terminal import Home, Json, answer, out, say, verbatim
from quantdesk.cli.views import Price, Prices
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Unavailable

_READ_S = 1.0
_FRAMES_PER_READ = 4


def prices(
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,  # noqa: FBT002
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show the reference prices: how old they are, and who says so."""
    place = knobs.home(home)
    if not watch:
        run(_once(place, json=json))
        return
    try:
        run(_live(place, json=json))
    except Stopped:
        raise typer.Exit(0) from None


def table(shown: list[Price], *, later_ms: int = 0, away: bool = False) -> Table:
    """Return prices as a table `later_ms` after they were read; what may not be traded on is grey.

    `away` says that the desk no longer answers, so that no price is valid any more.
    """
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    drawn.add_column("asset", no_wrap=True)
    for title in ("USD", "± USD", "age"):
        drawn.add_column(title, justify="right", no_wrap=True)
    drawn.add_column("source")
    drawn.add_column("", no_wrap=True)
    for price in shown:
        valid = price.valid and not away
        drawn.add_row(
            price.symbol,
            figures.price(price.value),
            figures.price(price.confidence),
            figures.age(price.age_ms + later_ms),
            price.source,
            Text("valid", style="green") if valid else "desk away" if away else "stale",
            style="" if valid else "bright_black",
        )
    return drawn


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
    """Read once a second and draw four times, so that ages are seen to grow."""
    seen = _Seen(SystemClock())
    frames = _FRAMES_PER_READ if out.is_terminal and not json else 1
    async with client(place) as desk:
        with _screen(json=json) as draw:
            while True:
                told = await seen.read(desk)
                if json and told is not None:
                    verbatim(told.decode())
                for _ in range(frames):
                    draw(seen.drawn())
                    await seen.clock.sleep(_READ_S / frames)


class _Seen:
    """The last prices the desk gave, growing older while it is away."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._shown: list[Price] = []
        self._read_at = clock.monotonic()
        self._away = False

    async def read(self, desk: Client) -> bytes | None:
        """Return the desk's answer, None while it is away; raise when it never was there."""
        try:
            told = await desk.get("/api/prices")
        except Unavailable:
            if not self._shown:
                raise
            self._away = True
            return None
        self._shown = msgspec.json.decode(told, type=Prices).prices
        self._read_at, self._away = self.clock.monotonic(), False
        return told

    def drawn(self) -> Table:
        """Return the table as it is now."""
        later_ms = round((self.clock.monotonic() - self._read_at) * 1000)
        return table(self._shown, later_ms=later_ms, away=self._away)


@contextmanager
def _screen(*, json: bool) -> Iterator[Callable[[Table], None]]:
    """Give a way to draw: in place on a terminal, one block after another elsewhere."""
    if json:
        yield lambda _: None
    elif out.is_terminal:
        with Live(console=out, auto_refresh=False) as live:
            yield lambda drawn: live.update(drawn, refresh=True)
    else:
        yield answer
