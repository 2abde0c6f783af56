"""`quantdesk security`: what acts added up to, who is kept out, and what a day came to."""

from typing import Annotated

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import figures
from quantdesk.cli.client import client
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, answer, say, verbatim

app = typer.Typer(help="Security events, blocked networks and the daily report.")

TESTED_S = 75.0
"""Longer than the slowest way takes: a letter, by `mail.smtp_timeout_s`."""
ADDRESSES = "notices.webhook_url, notices.slack_url or notices.email"
_STYLES = {"critical": "bold red", "warning": "yellow", "notice": "bright_black"}


class Event(msgspec.Struct, frozen=True, rename="camel"):
    """What acts added up to."""

    at: str
    kind: str
    severity: str
    subject: str
    count: int
    detail: str


class Events(msgspec.Struct, frozen=True):
    """Security events, the newest first."""

    events: list[Event]


class Block(msgspec.Struct, frozen=True):
    """A network that is kept out."""

    network: str
    until: str
    reason: str


class Blocks(msgspec.Struct, frozen=True):
    """The networks that are kept out."""

    blocks: list[Block]


class TestedWay(msgspec.Struct, frozen=True):
    """What became of a test notice on a way."""

    name: str
    to: str
    delivered: bool
    code: str | None
    detail: str | None


class Tested(msgspec.Struct, frozen=True, rename="camel"):
    """What became of a test notice on every way."""

    log_only: bool
    ways: list[TestedWay]


class EventCount(msgspec.Struct, frozen=True):
    """How many events of a kind a day had."""

    kind: str
    severity: str
    events: int


class ActCount(msgspec.Struct, frozen=True):
    """How many acts of a kind a day had."""

    action: str
    acts: int
    refused: int
    accounts: int
    networks: int


class Report(msgspec.Struct, frozen=True):
    """One UTC day."""

    day: str
    events: list[EventCount]
    acts: list[ActCount]
    blocks: int


@app.command()
def events(
    limit: Annotated[int, typer.Option(min=1, max=500, help="The latest so many.")] = 50,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show what acts added up to, the newest first."""

    async def show() -> None:
        async with client(knobs.home(home)) as desk:
            body = await desk.get("/api/security/events", {"limit": limit})
        if json:
            verbatim(body.decode())
            return
        found = msgspec.json.decode(body, type=Events).events
        if not found:
            say("nothing happened that looks like a threat", style="")
            return
        drawn = _table("when", "kind", "of", "times", "")
        for one in found:
            drawn.add_row(
                figures.clock(one.at),
                Text(one.kind, style=_STYLES[one.severity]),
                one.subject,
                str(one.count),
                one.detail,
            )
        answer(drawn)

    run(show())


@app.command()
def blocks(json: Json = False, home: Home = None) -> None:  # noqa: FBT002 - a flag
    """Show the networks that are kept out, and until when."""

    async def show() -> None:
        async with client(knobs.home(home)) as desk:
            body = await desk.get("/api/security/blocks")
        if json:
            verbatim(body.decode())
            return
        found = msgspec.json.decode(body, type=Blocks).blocks
        if not found:
            say("no network is kept out", style="")
            return
        drawn = _table("network", "until", "for")
        for one in found:
            drawn.add_row(one.network, figures.clock(one.until), one.reason)
        answer(drawn)

    run(show())


@app.command()
def lift(
    network: Annotated[str, typer.Argument(help="Such as 192.0.2.0/24; see `security blocks`.")],
    home: Home = None,
) -> None:
    """Let a network in again."""

    async def done() -> None:
        async with client(knobs.home(home)) as desk:
            await desk.delete(f"/api/security/blocks/{network}")
        say(f"{network} may come in again", style="green")

    run(done())


@app.command("test-notice")
def send_test(json: Json = False, home: Home = None) -> None:  # noqa: FBT002 - a flag
    """Send a test notice to everybody who is told of events; exit with 1 if any got none."""

    async def done() -> Tested:
        say("sending; a way that does not answer takes a while")
        async with client(knobs.home(home)) as desk:
            body = await desk.act("/api/security/notices/test", within_s=TESTED_S)
        told = msgspec.json.decode(body, type=Tested)
        if json:
            verbatim(body.decode())
            return told
        drawn = _table("way", "to", "outcome", "")
        for way in told.ways:
            outcome = ("delivered", "green") if way.delivered else ("failed", "bold red")
            cause = f"{way.code}: {way.detail}" if way.code else ""
            drawn.add_row(way.name, way.to, Text(*outcome), cause)
        answer(drawn)
        if told.log_only:
            say(f"only the log is told; set {ADDRESSES} and restart the desk", style="yellow")
        return told

    if not all(way.delivered for way in run(done()).ways):
        raise typer.Exit(1)


@app.command()
def report(
    day: Annotated[str | None, typer.Option(help="A UTC day, YYYY-MM-DD; today if unset.")] = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show what a day came to."""

    async def show() -> None:
        async with client(knobs.home(home)) as desk:
            body = await desk.get("/api/security/report", {"day": day} if day else None)
        if json:
            verbatim(body.decode())
            return
        told = msgspec.json.decode(body, type=Report)
        say(f"{told.day} (UTC), {told.blocks} networks kept out now", style="bold")
        drawn = _table("event", "times")
        for one in told.events:
            drawn.add_row(Text(one.kind, style=_STYLES[one.severity]), str(one.events))
        answer(drawn if told.events else Text("no security events", style="green"))
        acts = _table("act", "times", "refused", "accounts", "networks")
        for act in told.acts:
            acts.add_row(act.action, *map(str, (act.acts, act.refused, act.accounts, act.networks)))
        answer(acts)

    run(show())


def _table(*titles: str) -> Table:
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in titles:
        drawn.add_column(title, justify="right" if title in _NUMBERS else "left")
    return drawn


_NUMBERS = frozenset({"times", "refused", "accounts", "networks"})
