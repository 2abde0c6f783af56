"""`quantdesk users`: who may use the desk: list them, add one, change or disable one."""

from pathlib import Path
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
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused

app = typer.Typer(help="List the desk's users; add, change or disable one.")

UserId = Annotated[str, typer.Argument(help="A user's ID, as `quantdesk users` shows it.")]
Role = Annotated[str, typer.Option(help="viewer, trader, approver, admin or owner.")]


class _User(msgspec.Struct, frozen=True, rename="camel"):
    user_id: str
    name: str
    role: str
    disabled: bool
    kyc: str
    plan: str
    created_at: str


class _Users(msgspec.Struct, frozen=True, rename="camel"):
    users: list[_User]
    next_cursor: str | None


@app.callback(invoke_without_command=True)
def users(
    context: typer.Context,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 50,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """List users, the newest first; or add, change or disable one."""
    if context.invoked_subcommand is not None:
        return
    told = run(_get(knobs.home(home), limit))
    if json:
        verbatim(told.decode())
        return
    page = msgspec.json.decode(told, type=_Users)
    answer(table(page.users, now_ms=SystemClock().now_ms()))
    if page.next_cursor:
        say(f"older ones are not shown: --limit {min(limit * 5, 500)}")


@app.command()
def add(
    who: Annotated[str, typer.Argument(help="An email address, or the address of a wallet.")],
    role: Role = "viewer",
    name: Annotated[str | None, typer.Option(help="What to call them.")] = None,
    home: Home = None,
) -> None:
    """Add a user, who signs in with this email address or wallet."""
    asked = {"email" if "@" in who else "wallet": who, "role": role}
    if name is not None:
        asked["name"] = name
    _print(run(_send(knobs.home(home), "POST", "/api/users", asked)))


@app.command("set")
def change(
    user: UserId,
    role: Annotated[str | None, typer.Option(help="A role not above your own.")] = None,
    kyc: Annotated[str | None, typer.Option(help="none, pending, approved or rejected.")] = None,
    plan: Annotated[str | None, typer.Option(help="free, pro or desk.")] = None,
    disabled: Annotated[bool | None, typer.Option("--disable/--enable", help="At once.")] = None,
    home: Home = None,
) -> None:
    """Change a user's role, KYC status or plan; disable or enable them."""
    told = {"role": role, "kyc": kyc, "plan": plan, "disabled": disabled}
    asked = {name: value for name, value in told.items() if value is not None}
    if not asked:
        raise Refused("say what to change: see --help", code="user.unchanged")
    _print(run(_send(knobs.home(home), "PATCH", f"/api/users/{user}", asked)))


def table(shown: list[_User], *, now_ms: int) -> Table:
    """Return users as a table."""
    drawn = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("user", "name", "role", "kyc", "plan", "since (UTC)"):
        drawn.add_column(title, no_wrap=True)
    for user in shown:
        role = Text(f"{user.role}, disabled", style="red") if user.disabled else Text(user.role)
        drawn.add_row(
            user.user_id,
            user.name,
            role,
            user.kyc,
            user.plan,
            figures.when(user.created_at, now_ms=now_ms),
        )
    return drawn


def _print(told: bytes) -> None:
    answer(table([msgspec.json.decode(told, type=_User)], now_ms=SystemClock().now_ms()))


async def _get(home: Path, limit: int) -> bytes:
    async with client(home) as desk:
        return await desk.get("/api/users", {"limit": limit})


async def _send(home: Path, method: str, path: str, asked: object) -> bytes:
    body = msgspec.json.encode(asked)
    async with client(home) as desk:
        if method == "PATCH":
            return await desk.patch(path, body)
        return await desk.post(path, body, headers={})
