"""`quantdesk demo`: a desk, one real order on it, all it did shown, everything stopped again."""

import asyncio
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer
from rich.table import Table

from quantdesk import settings as knobs
from quantdesk.cli.client import Client, client
from quantdesk.cli.order import ENDED_UNFILLED, STILL_OPEN, Wish, exit_code, place
from quantdesk.cli.route import route
from quantdesk.cli.running import run
from quantdesk.cli.stages import Stages, grid, outcome
from quantdesk.cli.terminal import Home, answer, say
from quantdesk.cli.up import desk, flags
from quantdesk.cli.views import Balances, Market, Markets, Placed
from quantdesk.cli.watching import Away, follow, read_order
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Unavailable
from quantdesk.engines.orders.wire import OrderView
from quantdesk.ops import folder

if TYPE_CHECKING:
    from quantdesk.app.foundation import Desk

EVIDENCE = "evidence.json"

_ORDERS = {"SOL-USDC": "10.5", "BTC-USDC": "0.5", "ETH-USDC": "1"}
"""What is bought, by preference: a recording of one pair prices that pair only."""

_PRICED_S = 15.0
_POLL_S = 0.1
_ENDED_S = 60.0


def demo(
    home: Home = None,
    mode: Annotated[str | None, typer.Option(help="localnet (default) or paper.")] = None,
    source: Annotated[
        str | None, typer.Option(help="auto, pyth, simulated, recorded:FILE.")
    ] = None,
) -> None:
    """Start a desk, place one real order, show all it does, stop everything."""
    named = {"api.port": 0, "mode": mode, "source": source}
    with _folder(home) as place_:
        raise typer.Exit(run(_demo(knobs.load(place_, flags=flags(named)), place_)))


async def _demo(settings: knobs.Settings, place_: Path) -> int:
    clock = SystemClock()
    answer(f"1  a desk starts in {place_}")
    async with desk(settings, place_, clock=clock) as opened, client(place_) as way:
        answer(f"   {opened.url}, {settings.mode}, prices {opened.identity['source']}\n")
        code = await _trade(way, opened, place_, clock)
        answer("\n5  everything stops")
    return code


async def _trade(way: Client, opened: "Desk", place_: Path, clock: Clock) -> int:
    market = await _priced(way, clock)
    wallet = opened.identity["wallet"]
    before = await _balances(way, wallet)
    wish = Wish("BUY", _ORDERS[market.pair], market.pair, None, 50)
    answer(f"2  {wish.direction} {wish.amount} {wish.pair}, reference {market.reference_price}")
    told = await place(way, wish, key=f"demo-{opened.identity['startedAt']}", clock=clock)
    order_id = msgspec.json.decode(told, type=Placed).order_id
    try:
        async with asyncio.timeout(_ENDED_S):
            await _watch(way, order_id, clock)
    except TimeoutError:
        say(f"the order did not end within {_ENDED_S:g} s", style="bold red")
    order = await read_order(way, order_id)
    _explain(order)
    answer(_moved(market, before, await _balances(way, wallet)))
    evidence = await way.get(f"/api/orders/{order_id}/evidence")
    folder.write(place_ / EVIDENCE, msgspec.json.format(evidence, indent=2).decode() + "\n")
    answer(f"   evidence (intent, quotes, signed bytes, receipt): {place_ / EVIDENCE}")
    code = exit_code(order)
    if code in {ENDED_UNFILLED, STILL_OPEN}:
        why = f"{order.error.code}: {order.error.detail}" if order.error else "not ended"
        say(f"the order is {order.status}, not CONFIRMED: {why}", style="bold red")
    return code


async def _priced(way: Client, clock: Clock) -> Market:
    """Return the pair to trade: the first of ours that has a reference price."""
    deadline = clock.monotonic() + _PRICED_S
    while True:
        told = msgspec.json.decode(await way.get("/api/markets"), type=Markets)
        priced = {market.pair: market for market in told.markets if market.reference_price}
        for pair in _ORDERS:
            if pair in priced:
                return priced[pair]
        if clock.monotonic() > deadline:
            raise Unavailable(
                f"no price of {', '.join(_ORDERS)} came within {_PRICED_S:g} s: choose another "
                "--source",
                code="price.missing",
            )
        await clock.sleep(_POLL_S)


async def _watch(way: Client, order_id: str, clock: Clock) -> None:
    stages = Stages()
    async with aclosing(follow(way, order_id, clock=clock)) as coming:
        async for event in coming:
            if not isinstance(event, Away):
                answer(stages.line(event))


async def _balances(way: Client, wallet: str) -> dict[str, Decimal]:
    told = await way.get(f"/api/wallets/{wallet}/balances")
    held = msgspec.json.decode(told, type=Balances).balances
    return {symbol: Decimal(amount) for symbol, amount in held.items()}


def _explain(order: OrderView) -> None:
    if order.route:
        answer("\n3  why this route")
        answer(route(order.route, order.pair.split("-")[1]))
    answer("\n4  what came of it")
    answer(outcome(order))


def _moved(market: Market, before: dict[str, Decimal], after: dict[str, Decimal]) -> Table:
    table = grid()
    for symbol in dict.fromkeys((market.base, market.quote, "SOL")):
        was, now = before.get(symbol, Decimal(0)), after.get(symbol, Decimal(0))
        table.add_row(f"balance {symbol}", f"{was:f} → {now:f}  ({now - was:+f})")
    return table


@contextmanager
def _folder(home: Path | None) -> Iterator[Path]:
    """Give the folder that was named, else a fresh one of which only the evidence stays."""
    if home is not None:
        yield knobs.home(home)
        return
    fresh = Path(tempfile.mkdtemp(prefix="quantdesk-demo-"))
    try:
        yield fresh
    finally:
        _clear(fresh)


def _clear(fresh: Path) -> None:
    for entry in fresh.iterdir():
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        elif entry.name != EVIDENCE:
            entry.unlink()
    if not any(fresh.iterdir()):
        fresh.rmdir()
