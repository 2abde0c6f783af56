"""`quantdesk prices --watch`: the channel of prices on the screen, growing old by the second."""

import asyncio
from collections.abc import Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Final

import msgspec
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from quantdesk.cli.client import Client
from quantdesk.cli.following import Away, Back, Change, follow
from quantdesk.cli.views import Price
from quantdesk.core.clock import Clock
from quantdesk.core.errors import DeskError

CHANNEL: Final = "prices"
_STALE: Final = "stale"
_UNKNOWN: Final = b"null"

Draw = Callable[[RenderableType], None]
Rows = Callable[[list[Price]], Table]

_price = msgspec.json.Decoder(Price).decode


@dataclass(frozen=True, slots=True)
class _Row:
    """A price, when it came by our own clock, and on which connection."""

    price: Price
    came_s: float
    life: int


class Seen:
    """The prices the desk told, growing older by our own clock; pure but for that clock.

    `age_ms_max` is how old a price may be traded on: past it one is shown as stale, whatever the
    desk said of it when it came.
    """

    def __init__(self, *, clock: Clock, age_ms_max: int) -> None:
        self._clock = clock
        self._age_ms_max = age_ms_max
        self._rows: dict[str, _Row] = {}
        self._life = 0
        self.away: str | None = None
        """Why the desk does not answer now."""

    def take(self, heard: Change | Away | Back) -> None:
        """Take what was heard."""
        if isinstance(heard, Away):
            self.away = heard.detail
        elif isinstance(heard, Back):
            self._life += 1
            self.away = None
        elif heard.state == _UNKNOWN:  # no source has spoken of it yet
            self._rows.pop(heard.key, None)
        else:
            self._rows[heard.key] = _Row(_price(heard.state), self._clock.monotonic(), self._life)

    def prices(self) -> list[Price]:
        """Return all prices as they are now, by symbol."""
        now_s = self._clock.monotonic()
        return [self._aged(row, now_s) for _, row in sorted(self._rows.items())]

    def _aged(self, row: _Row, now_s: float) -> Price:
        price = row.price
        age_ms = price.age_ms + round((now_s - row.came_s) * 1000)
        changes: dict[str, object] = {"age_ms": age_ms}
        if self.away is not None or row.life != self._life:
            changes |= {"valid": False, "validity": "desk away"}
        elif price.valid and age_ms > self._age_ms_max:
            changes |= {"valid": False, "validity": _STALE}
        return msgspec.structs.replace(price, **changes)


async def show(
    desk: Client, seen: Seen, *, clock: Clock, table: Rows, draw: Draw, every_s: float
) -> None:
    """Draw what the desk tells, so many seconds apart, until cancelled; raises as `follow`."""
    task = asyncio.get_running_loop().create_task(_hear(desk, seen, clock))
    try:
        while not task.done():
            shown = seen.prices()
            if shown or seen.away is not None:
                draw(_drawn(table(shown), seen.away))
            await clock.sleep(every_s)
        task.result()
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError, DeskError):
            await task


async def print_changes(
    desk: Client, *, clock: Clock, print_line: Callable[[str], None], say: Callable[[str], None]
) -> None:
    """Print each change of a price as a line of JSON until cancelled; raises as `follow`.

    A price told again, only older, is no change.
    """
    printed: dict[str, Price] = {}
    async with aclosing(follow(desk, CHANNEL, clock=clock)) as coming:
        async for heard in coming:
            if isinstance(heard, Away):
                say(f"desk away: {heard.detail}")
            elif isinstance(heard, Change) and heard.state != _UNKNOWN:
                price = msgspec.structs.replace(_price(heard.state), age_ms=0)
                if printed.get(heard.key) != price:
                    printed[heard.key] = price
                    print_line(heard.state.decode())


async def _hear(desk: Client, seen: Seen, clock: Clock) -> None:
    async with aclosing(follow(desk, CHANNEL, clock=clock)) as coming:
        async for heard in coming:
            seen.take(heard)


def _drawn(shown: Table, away: str | None) -> RenderableType:
    """Return a table, with what is the matter with the desk below it."""
    return shown if away is None else Group(shown, Text(f"desk away: {away}", style="red"))
