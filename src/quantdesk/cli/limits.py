"""`quantdesk limits`: what bounds orders, who says so, and changing it while the desk runs."""

from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec
import typer
from rich.table import Table

from quantdesk import settings as knobs
from quantdesk.cli.client import client
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, answer, say, verbatim
from quantdesk.core.errors import Refused

app = typer.Typer(help="Show what bounds orders; change it.")

Account = Annotated[
    str | None, typer.Option("--account", help="ID of an account; else your own, or the desk.")
]

_SOURCES = ("settings", "desk", "account")


class _Limit(msgspec.Struct, frozen=True):
    name: str
    value: Any
    source: str | None
    settings: Any
    desk: Any
    account: Any


class _Change(msgspec.Struct, frozen=True):
    at: str
    account: str | None
    name: str
    before: Any
    after: Any
    by: str


class _Limits(msgspec.Struct, frozen=True):
    account: str
    limits: list[_Limit]
    history: list[_Change]


@app.callback(invoke_without_command=True)
def limits(
    context: typer.Context,
    account: Account = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show what bounds your orders, or an account's; or change it."""
    if context.invoked_subcommand is not None:
        return

    async def ask() -> bytes:
        async with client(knobs.home(home)) as desk:
            return await desk.get("/api/limits", {} if account is None else {"account": account})

    _show(run(ask()), json=json)


@app.command("set")
def change(
    values: Annotated[
        list[str],
        typer.Argument(metavar="NAME=VALUE...", help="`none` takes a limit away; pairs: commas."),
    ],
    account: Account = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Set limits of the desk, or of one account; in force at once."""
    wanted: dict[str, Any] = {} if account is None else {"account": account}
    for one in values:
        name, equals, value = one.partition("=")
        if not equals:
            raise Refused(f"{one}: write NAME=VALUE", code="limit.invalid")
        wanted[name.strip()] = _value(name.strip(), value.strip())

    async def ask() -> bytes:
        async with client(knobs.home(home)) as desk:
            return await desk.put("/api/limits", msgspec.json.encode(wanted))

    _show(run(ask()), json=json)


def _value(name: str, told: str) -> Any:  # noqa: ANN401 - JSON
    """Return a value as the desk reads it; what it makes no sense of, the desk refuses by name."""
    if told == "none":
        return None
    if name == "pairs":
        return [pair.strip().upper() for pair in told.split(",") if pair.strip()]
    try:
        number = Decimal(told)
    except InvalidOperation:
        return told
    is_whole = name.endswith(("_bps_max", "_ms_max", "orders_max"))
    return int(number) if is_whole and number.is_finite() and number == int(number) else told


def _show(told: bytes, *, json: bool) -> None:
    if json:
        verbatim(told.decode())
        return
    found = msgspec.json.decode(told, type=_Limits)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("limit", no_wrap=True)
    for title in ("holds", "by", *_SOURCES):
        table.add_column(title, no_wrap=True)
    for one in found.limits:
        sources = (_text(getattr(one, source)) for source in _SOURCES)
        table.add_row(one.name, _text(one.value), one.source or "", *sources)
    answer(table)
    if found.history:
        say(f"last changes of the desk and of account {found.account}:")
    for change in found.history[:5]:
        whose = "desk" if change.account is None else "account"
        say(
            f"{change.at}  {whose}  {change.name}: {_text(change.before)} to"
            f" {_text(change.after)}, by {change.by}"
        )


def _text(value: Any) -> str:  # noqa: ANN401 - JSON
    if value is None:
        return "none"
    if isinstance(value, list):
        return ",".join(value) or "no pair"
    if isinstance(value, dict):  # a halt, in the history
        return f"{value.get('scope')} ({value.get('reason')})"
    return str(value)
