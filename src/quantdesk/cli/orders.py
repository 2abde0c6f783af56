"""`quantdesk orders`: list them, look at one, cancel one, take its evidence away.

Wherever an ID is asked for, its last digits do, and `last` is the newest order.
"""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
import typer
from rich.table import Table
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.cli import figures, stages, typed
from quantdesk.cli.client import Client, client
from quantdesk.cli.order import say_open
from quantdesk.cli.order import watch as follow_order
from quantdesk.cli.route import route
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.terminal import PROGRAM, WIDE_COLUMNS, Home, Json, answer, out, say, verbatim
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused
from quantdesk.engines.orders.model import OrderStatus
from quantdesk.engines.orders.wire import OrderView
from quantdesk.ops import folder

_SEARCHED = 500
_UNFILLED = ("FAILED", "CANCELLED")  # what they were once to trade at says nothing any more

app = typer.Typer(help="List orders; show, cancel or prove one.")

Id = Annotated[str, typer.Argument(help="An order's ID, its last digits, or `last`.")]


class _Page(msgspec.Struct, frozen=True, rename="camel"):
    orders: list[OrderView]
    next_cursor: str | None


@app.callback(invoke_without_command=True)
def orders(
    context: typer.Context,
    status: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    pair: Annotated[str | None, typer.Option(help="Only those of this pair.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many at most.")] = 20,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """List orders, newest first; or show, cancel or prove one."""
    if context.invoked_subcommand is not None:
        return
    query: dict[str, str | int] = {"limit": limit}
    if status is not None:
        query["status"] = _status(status)
    if pair is not None:
        query["pair"] = typed.pair(pair)
    told = run(_read(knobs.home(home), "/api/orders", query))
    if json:
        verbatim(told.decode())
        return
    page = msgspec.json.decode(told, type=_Page)
    if not page.orders:
        say(f"no orders; place one: {PROGRAM} order buy 10.5 SOL-USDC --watch", style="")
        return
    now_ms = SystemClock().now_ms()
    answer(listed(page.orders, now_ms=now_ms, wide=out.width >= WIDE_COLUMNS))
    if page.next_cursor:
        say(f"older ones are not shown: --limit {limit * 5}")


@app.command()
def show(
    order: Id,
    watch: Annotated[bool, typer.Option("--watch", help="Follow it to its end.")] = False,  # noqa: FBT002
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show one order: its history, route and fill."""
    found: list[str] = []
    try:
        code = run(_show(knobs.home(home), order, found, watch=watch, json=json))
    except Stopped:
        if found:
            say_open(found[0])
        raise typer.Exit(3) from None
    raise typer.Exit(code)


@app.command()
def cancel(order: Id, json: Json = False, home: Home = None) -> None:  # noqa: FBT002
    """Cancel an order of which nothing was signed yet."""

    async def ask() -> bytes:
        async with client(knobs.home(home)) as desk:
            return await desk.delete(f"/api/orders/{await resolve(desk, order)}")

    told = run(ask())
    if json:
        verbatim(told.decode())
        return
    view = msgspec.json.decode(told, type=OrderView)
    answer(Text.assemble(f"{view.order_id} is ", stages.status(view.status)))


@app.command()
def evidence(
    order: Id,
    file: Annotated[Path | None, typer.Option("--out", help="Write it to this file.")] = None,
    home: Home = None,
) -> None:
    """Give everything that proves what happened to an order, as JSON."""

    async def ask() -> tuple[str, bytes]:
        async with client(knobs.home(home)) as desk:
            order_id = await resolve(desk, order)
            return order_id, await desk.get(f"/api/orders/{order_id}/evidence")

    order_id, told = run(ask())
    pretty = msgspec.json.format(told, indent=2)
    if file is None:
        verbatim(pretty.decode())
        return
    folder.write(file, pretty.decode() + "\n")
    answer(f"evidence of {order_id}: {file} ({len(pretty)} bytes, only you can read it)")


async def resolve(desk: Client, typed_id: str) -> str:
    """Return the whole ID of an order named by its ID, its last digits, or `last`.

    Raises `Refused` (`order.unknown`, `order.ambiguous`).
    """
    wanted = typed_id.strip().lower()
    try:
        return str(UUID(wanted))
    except ValueError:
        pass
    page = msgspec.json.decode(
        await desk.get("/api/orders", {"limit": 1 if wanted == "last" else _SEARCHED}), type=_Page
    )
    found = [o.order_id for o in page.orders if wanted == "last" or o.order_id.endswith(wanted)]
    if len(found) == 1:
        return found[0]
    if found:
        raise Refused(
            f"{typed_id} may be any of {len(found)}: give more digits", code="order.ambiguous"
        )
    where = f" among the last {_SEARCHED}" if page.next_cursor else ""
    raise Refused(
        f"there is no order {typed_id}{where}: see `quantdesk orders`", code="order.unknown"
    )


def listed(shown: list[OrderView], *, now_ms: int, wide: bool) -> Table:
    """Return orders as a table; whole identifiers only where there is room."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for title in ("time (UTC)", "order", "status", "side"):
        table.add_column(title, no_wrap=True)
    for title in ("amount", "pair", "price"):
        table.add_column(title, no_wrap=True, justify="left" if title == "pair" else "right")
    for order in shown:
        price = None if order.status in _UNFILLED else order.execution_price
        table.add_row(
            figures.when(order.created_at, now_ms=now_ms),
            order.order_id if wide else figures.short_id(order.order_id),
            _state(order),
            Text(order.direction, style="green" if order.direction == "BUY" else "red"),
            f"{order.amount:f}",
            order.pair,
            "" if price is None else figures.price(price),
        )
    return table


async def _show(home: Path, name: str, found: list[str], *, watch: bool, json: bool) -> int:
    async with client(home) as desk:
        order_id = await resolve(desk, name)
        found.append(order_id)
        if watch:
            return await follow_order(desk, order_id, json=json, clock=SystemClock())
        told = await desk.get(f"/api/orders/{order_id}")
    if json:
        verbatim(told.decode())
    else:
        _print(msgspec.json.decode(told, type=OrderView))
    return 0


def _print(order: OrderView) -> None:
    lines = stages.Stages()
    for event in order.logs:
        answer(lines.line(event))
    answer()
    answer(stages.outcome(order))
    if order.route:
        answer()
        answer(route(order.route, order.pair.split("-")[1]))


def _state(order: OrderView) -> Text:
    told = stages.status(order.status)
    doubt = order.waiting or order.outcome
    return Text.assemble(told, (f" ({doubt})", "dim")) if doubt else told


def _status(text: str) -> OrderStatus:
    wanted = text.strip().upper()
    if wanted in OrderStatus.__members__:
        return OrderStatus(wanted)
    near = typed.nearest(wanted, list(OrderStatus.__members__))
    hint = f"did you mean {near}? " if near else ""
    listed_states = ", ".join(OrderStatus.__members__)
    raise Refused(
        f"there is no state {text}: {hint}states are {listed_states}", code="status.unknown"
    )


async def _read(home: Path, path: str, query: dict[str, str | int]) -> bytes:
    async with client(home) as desk:
        return await desk.get(path, query)
