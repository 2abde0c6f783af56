"""`quantdesk sessions`: where the owner is signed in, and how to end that."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.table import Table

from quantdesk import settings as knobs
from quantdesk.cli import figures
from quantdesk.cli.client import client
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, answer, say, verbatim
from quantdesk.core.clock import SystemClock

app = typer.Typer(help="List where you are signed in; end sessions.")


class _Session(msgspec.Struct, frozen=True, rename="camel"):
    session_id: str
    method: str
    ip: str
    agent: str
    opened_at: str
    renewed_at: str


class _Sessions(msgspec.Struct, frozen=True):
    sessions: list[_Session]


@app.callback(invoke_without_command=True)
def sessions(context: typer.Context, json: Json = False, home: Home = None) -> None:  # noqa: FBT002
    """List your open sessions; or end them."""
    if context.invoked_subcommand is not None:
        return
    told = run(_ask(knobs.home(home), "GET", "/api/sessions"))
    if json:
        verbatim(told.decode())
        return
    shown = msgspec.json.decode(told, type=_Sessions).sessions
    if not shown:
        say("nobody is signed in as you", style="")
        return
    answer(table(shown, now_ms=SystemClock().now_ms()))


@app.command()
def end(
    session: Annotated[
        str | None, typer.Argument(help="A session's ID; without one all are ended.")
    ] = None,
    home: Home = None,
) -> None:
    """End one session, or all, everywhere at once."""
    path = "/api/sessions" if session is None else f"/api/sessions/{session}"
    told = run(_ask(knobs.home(home), "DELETE", path))
    answer(f"sessions ended: {msgspec.json.decode(told)['ended']}")


def table(shown: list[_Session], *, now_ms: int) -> Table:
    """Return sessions as a table."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("session", "by", "address", "since (UTC)", "renewed (UTC)", "program"):
        drawn.add_column(title, no_wrap=True)
    for session in shown:
        drawn.add_row(
            session.session_id,
            session.method,
            session.ip,
            figures.when(session.opened_at, now_ms=now_ms),
            figures.when(session.renewed_at, now_ms=now_ms),
            session.agent,
        )
    return drawn


async def _ask(home: Path, method: str, path: str) -> bytes:
    async with client(home) as desk:
        return await (desk.get(path) if method == "GET" else desk.delete(path))
