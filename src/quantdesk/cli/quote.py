"""`quantdesk quote buy|sell`: what an order would get now, and why; nothing is placed."""

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import typer
from rich.table import Table

from quantdesk import settings as knobs
from quantdesk.cli import figures, typed
from quantdesk.cli.client import client
from quantdesk.cli.order import Amount, Limit, Pair, Pays, Slippage, Wish
from quantdesk.cli.route import route
from quantdesk.cli.running import run
from quantdesk.cli.stages import grid
from quantdesk.cli.terminal import Home, Json, answer, verbatim

app = typer.Typer(
    no_args_is_help=True, help="Show what an order would get now, without placing it."
)


class Quoted(msgspec.Struct, frozen=True, rename="camel"):
    """What the desk answers to a preview; amounts are whole tokens."""

    pair: str
    direction: str
    amount: str
    quotes: list[dict[str, Any]]
    route: dict[str, Any]
    execution_price: Decimal
    price_impact_bps: str
    fees: dict[str, str]
    minimum_received: str | None = None
    maximum_paid: str | None = None


def _command(direction: str) -> Callable[..., None]:
    def command(  # noqa: PLR0913, PLR0917 - one parameter per option
        amount: Amount,
        pair: Pair,
        limit: Limit = None,
        slippage: Slippage = 50,
        priority: Pays = None,
        json: Json = False,  # noqa: FBT002 - a flag
        home: Home = None,
    ) -> None:
        wish = Wish(
            direction=direction,
            amount=typed.number(amount, "amount"),
            pair=typed.pair(pair),
            limit=None if limit is None else typed.number(limit, "limit"),
            slippage_bps=slippage,
            priority=priority,
        )
        told = run(_ask(knobs.home(home), wish))
        if json:
            verbatim(told.decode())
            return
        quoted = msgspec.json.decode(told, type=Quoted)
        answer(facts(quoted))
        answer()
        answer(route(quoted.route | {"quotes": quoted.quotes}, quoted.pair.split("-")[1]))

    return command


app.command("buy", help="Quote buying exactly AMOUNT of the base asset.")(_command("BUY"))
app.command("sell", help="Quote selling exactly AMOUNT of the base asset.")(_command("SELL"))


def facts(quoted: Quoted) -> Table:
    """Return what a quote comes to: price, impact, bound, every fee, and why this route."""
    base, quote = quoted.pair.split("-")
    fees, buys = quoted.fees, quoted.direction == "BUY"
    bound = ("at most", quoted.maximum_paid) if buys else ("at least", quoted.minimum_received)
    table = grid()
    table.add_row("quote", f"{quoted.direction} {quoted.amount} {base}; nothing was placed")
    table.add_row("price", f"{figures.price(quoted.execution_price)} {quote} per {base}, expected")
    table.add_row("impact", f"{quoted.price_impact_bps} bps, fees left out")
    table.add_row("paid" if buys else "received", f"{bound[0]} {bound[1]} {quote}")
    table.add_row("pool fees", f"{fees['pool']} {quote}, in the price")
    table.add_row("network fee", f"{fees['network']} SOL, and {fees['priority']} SOL of priority")
    table.add_row("route", quoted.route["reason"])
    return table


async def _ask(home: Path, wish: Wish) -> bytes:
    async with client(home) as desk:
        return await desk.post("/api/orders/preview", wish.body(), headers={})
