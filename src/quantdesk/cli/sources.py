"""`quantdesk sources`: how each source of market data and news is doing, once or live."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.console import Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import figures
from quantdesk.cli.client import Client, client
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.terminal import Home, Json, answer, out, say, verbatim
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Unavailable

_READ_S = 1.0
_STYLES = {"live": "green", "silent": "bright_black", "away": "red"}


class Source(msgspec.Struct, frozen=True, rename="camel"):
    """How a source is doing; counts are since the start of the desk."""

    name: str
    state: str
    age_ms: int | None
    messages: int
    unreadable: int
    rejected: dict[str, int]
    offset_ms: int | None
    reconnects: int
    problem: str | None


class Sources(msgspec.Struct, frozen=True):
    """All sources of a desk."""

    sources: list[Source]


class Alert(msgspec.Struct, frozen=True, rename="camel"):
    """Something that is the matter now."""

    kind: str
    source: str | None
    symbol: str | None
    detail: str
    begun_at: str
    times: int = 1


class Alerts(msgspec.Struct, frozen=True):
    """What is the matter, the latest first."""

    current: list[Alert]


def sources(
    watch: Annotated[bool, typer.Option("--watch", help="Until Ctrl-C.")] = False,  # noqa: FBT002
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show how sources are doing: what came, what was rejected and why, what is the matter."""
    place = knobs.home(home)
    try:
        run(_watched(place, json=json) if watch else _once(place, json=json))
    except Stopped:
        raise typer.Exit(0) from None


def table(shown: list[Source], *, before: Mapping[str, int] | None = None) -> Table:
    """Return sources as a table; `before` holds their messages a second ago, for a rate."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("source", "state"):
        drawn.add_column(title, no_wrap=True)
    for title in ("last", "messages", *(["per s"] if before is not None else []), "clock"):
        drawn.add_column(title, justify="right", no_wrap=True)
    for title in ("rejected", "reconnects"):
        drawn.add_column(title, justify="left" if title == "rejected" else "right")
    drawn.add_column("")
    for source in shown:
        rate = [] if before is None else [_rate(source, before)]
        drawn.add_row(
            source.name,
            Text(source.state, style=_STYLES.get(source.state, "yellow")),
            "never" if source.age_ms is None else figures.age(source.age_ms),
            str(source.messages),
            *rate,
            "" if source.offset_ms is None else f"{source.offset_ms:+d} ms",
            _rejected(source),
            str(source.reconnects) if source.reconnects else "",
            Text(source.problem or "", style="red"),
        )
    return drawn


def matters(alerts: list[Alert]) -> Text:
    """Return what is the matter as lines, the latest first; empty when nothing is."""
    lines = Text()
    for alert in alerts:
        about = "".join(f" {name}" for name in (alert.source, alert.symbol) if name)
        often = f" ({alert.times} times)" if alert.times > 1 else ""
        lines.append(f"\n{figures.clock(alert.begun_at)} ", style="dim")
        lines.append(alert.kind, style="yellow")
        lines.append(f"{about}: {alert.detail}{often}")
    return lines


async def _read(desk: Client) -> tuple[list[Source], list[Alert]]:
    told = msgspec.json.decode(await desk.get("/api/sources"), type=Sources)
    alerts = msgspec.json.decode(await desk.get("/api/alerts"), type=Alerts)
    return told.sources, alerts.current


async def _once(place: Path, *, json: bool) -> None:
    async with client(place) as desk:
        if json:
            verbatim((await desk.get("/api/sources")).decode())
            return
        shown, alerts = await _read(desk)
    if not shown:
        say("this desk has no source: see `quantdesk doctor`", style="")
        return
    answer(Group(table(shown), matters(alerts)) if alerts else table(shown))


async def _watched(place: Path, *, json: bool) -> None:
    """Read once a second; a desk that goes away is waited for once it was there."""
    clock = SystemClock()
    before: dict[str, int] = {}
    seen = False
    drawing = out.is_terminal and not json
    async with client(place) as desk:
        with Live(console=out, auto_refresh=False) if drawing else _Nothing() as live:
            while True:
                try:
                    drawn, before = await _state(desk, before, json=json)
                    seen = True
                except Unavailable as problem:
                    if not seen:
                        raise
                    drawn = Text(f"desk away: {problem.detail}", style="bright_black")
                if live is not None:
                    live.update(drawn, refresh=True)
                elif not json:
                    answer(drawn)
                await clock.sleep(_READ_S)


async def _state(
    desk: Client, before: Mapping[str, int], *, json: bool
) -> tuple[RenderableType, dict[str, int]]:
    """Return how sources are, drawn, and their messages so far; print it where that is asked."""
    if json:
        verbatim((await desk.get("/api/sources")).decode())
        return Text(), {}
    shown, alerts = await _read(desk)
    drawn = Group(table(shown, before=before), matters(alerts))
    return drawn, {source.name: source.messages for source in shown}


class _Nothing:
    """Draws nowhere."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _rate(source: Source, before: Mapping[str, int]) -> str:
    was = before.get(source.name)
    return "" if was is None else str(max(0, source.messages - was))


def _rejected(source: Source) -> str:
    lost = {**source.rejected, **({"unreadable": source.unreadable} if source.unreadable else {})}
    told = sorted(lost.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{count} {reason.replace('_', ' ')}" for reason, count in told if count)
