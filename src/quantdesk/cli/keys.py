"""`quantdesk keys`: the owner's API keys: list them, make, rotate or revoke one.

A fresh key goes to standard output alone, once, so that it can be piped to where it is kept.
"""

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

app = typer.Typer(help="List your API keys; make, rotate or revoke one.")

KeyId = Annotated[str, typer.Argument(help="A key's ID, as `quantdesk keys` shows it.")]


class _Key(msgspec.Struct, frozen=True, rename="camel"):
    key_id: str
    name: str
    prefix: str
    scopes: list[str] | None
    allow_ips: list[str]
    expires_at: str | None
    last_used_at: str | None


class _Keys(msgspec.Struct, frozen=True):
    keys: list[_Key]


class _Made(msgspec.Struct, frozen=True, rename="camel"):
    key_id: str
    key: str


@app.callback(invoke_without_command=True)
def keys(context: typer.Context, json: Json = False, home: Home = None) -> None:  # noqa: FBT002
    """List your API keys that work; or make, rotate or revoke one."""
    if context.invoked_subcommand is not None:
        return
    told = run(_get(knobs.home(home)))
    if json:
        verbatim(told.decode())
        return
    answer(table(msgspec.json.decode(told, type=_Keys).keys, now_ms=SystemClock().now_ms()))


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="What it is for.")],
    scope: Annotated[list[str], typer.Option(help="market:read, orders:write …; repeat it.")],
    allow_ip: Annotated[
        list[str] | None, typer.Option(help="Only from this address or network; repeat it.")
    ] = None,
    expires: Annotated[
        str | None, typer.Option(help="Until then, like 2030-01-31T00:00:00Z.")
    ] = None,
    home: Home = None,
) -> None:
    """Make an API key and print it; nobody can show it again."""
    asked: dict[str, object] = {"name": name, "scopes": scope, "allowIps": allow_ip or []}
    if expires is not None:
        asked["expiresAt"] = expires
    _print_made(run(_post(knobs.home(home), "/api/keys", asked)))


@app.command()
def rotate(
    key: KeyId,
    overlap_s: Annotated[
        int, typer.Option(min=0, help="Seconds the key before goes on working.")
    ] = 3600,
    home: Home = None,
) -> None:
    """Print a new key in place of one, which goes on working for a while."""
    asked = {"overlapS": overlap_s}
    _print_made(run(_post(knobs.home(home), f"/api/keys/{key}/rotate", asked)))


@app.command()
def revoke(key: KeyId, home: Home = None) -> None:
    """End an API key, everywhere at once."""

    async def ask() -> None:
        async with client(knobs.home(home)) as desk:
            await desk.delete(f"/api/keys/{key}")

    run(ask())
    answer(f"{key} works no more")


def table(shown: list[_Key], *, now_ms: int) -> Table:
    """Return keys as a table."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("key", "begins", "name", "scopes", "from", "used (UTC)", "until (UTC)"):
        drawn.add_column(title, no_wrap=True)
    for key in shown:
        drawn.add_row(
            key.key_id,
            key.prefix,
            key.name,
            "all" if key.scopes is None else " ".join(key.scopes),
            " ".join(key.allow_ips) or "anywhere",
            "never" if key.last_used_at is None else figures.when(key.last_used_at, now_ms=now_ms),
            "" if key.expires_at is None else figures.when(key.expires_at, now_ms=now_ms),
        )
    return drawn


def _print_made(told: bytes) -> None:
    made = msgspec.json.decode(told, type=_Made)
    say(f"key {made.key_id}; it is shown this once:", style="")
    verbatim(made.key)


async def _get(home: Path) -> bytes:
    async with client(home) as desk:
        return await desk.get("/api/keys")


async def _post(home: Path, path: str, asked: object) -> bytes:
    async with client(home) as desk:
        return await desk.post(path, msgspec.json.encode(asked), headers={})
