"""`quantdesk order buy|sell`: place an order, and watch it to its end.

Every order carries an idempotency key, the trader's or one made here. So when the desk breaks off
in the middle of placing, asking again is safe, and it is asked again.
"""

from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from quantdesk import settings as knobs
from quantdesk.chains.port import Priority
from quantdesk.cli import figures, typed
from quantdesk.cli.client import Client, Cut, client
from quantdesk.cli.route import route
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.stages import Stages, outcome
from quantdesk.cli.terminal import PROGRAM, Home, Json, answer, out, say, verbatim
from quantdesk.cli.views import Placed
from quantdesk.cli.watching import Away, follow, is_last, read_order
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.ids import ids
from quantdesk.engines.orders.wire import EventView, OrderView, encode

CONFIRMED = 0
ENDED_UNFILLED = 2
STILL_OPEN = 3

_ASK_AGAIN_S = 0.5
_PLACING_S = 20.0

app = typer.Typer(no_args_is_help=True, help="Place an order.")

Amount = Annotated[str, typer.Argument(help="Of the base asset, exactly; 10.5.")]
Pair = Annotated[str, typer.Argument(help="BASE-QUOTE, such as SOL-USDC.")]
Limit = Annotated[
    str | None, typer.Option(help="Rest until the price is this or better (quote per base).")
]
Slippage = Annotated[
    int,
    typer.Option(
        min=0, max=10_000, help="How far from the quote a fill may land, in basis points."
    ),
]
Pays = Annotated[
    Priority | None,
    typer.Option(
        "--priority", help="Priority fee to land by; the desk's setting landing.policy without it."
    ),
]
Key = Annotated[
    str | None, typer.Option(help="Idempotency key: the same key places the order once.")
]
Watch = Annotated[bool, typer.Option("--watch", help="Show every state as it happens.")]


@dataclass(frozen=True, slots=True)
class Wish:
    """What a trader wants; numbers are exact decimal text."""

    direction: str
    amount: str
    pair: str
    limit: str | None
    slippage_bps: int
    priority: Priority | None = None

    def body(self) -> bytes:
        """Return the JSON of it, with every digit as it was typed."""
        fields: dict[str, object] = {
            "pair": self.pair,
            "amount": msgspec.Raw(self.amount.encode()),
            "direction": self.direction,
            "slippageBps": self.slippage_bps,
        }
        if self.limit is not None:
            fields["limitPrice"] = msgspec.Raw(self.limit.encode())
        if self.priority is not None:
            fields["priority"] = self.priority
        return msgspec.json.encode(fields)


@dataclass(frozen=True, slots=True)
class _Ways:
    """How the order is placed and what is shown of it."""

    key: str | None
    watch: bool
    json: bool


def _command(direction: str) -> Callable[..., None]:
    def command(  # noqa: PLR0913, PLR0917 - one parameter per option
        amount: Amount,
        pair: Pair,
        limit: Limit = None,
        slippage: Slippage = 50,
        priority: Pays = None,
        key: Key = None,
        watch: Watch = False,  # noqa: FBT002 - a flag
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
        _go(knobs.home(home), wish, _Ways(key, watch, json))

    return command


app.command("buy", help="Buy exactly AMOUNT of the base asset.")(_command("BUY"))
app.command("sell", help="Sell exactly AMOUNT of the base asset.")(_command("SELL"))


def _go(home: Path, wish: Wish, ways: _Ways) -> None:
    clock = SystemClock()
    key = ways.key or str(ids(clock.now_ms)())
    placed: list[Placed] = []
    try:
        code = run(_place_and_watch(home, wish, ways, key, placed))
    except Stopped:
        if not placed:
            say(f"stopped while placing: it may be placed; --key {key} asks again safely", style="")
        else:
            say_open(placed[0].order_id)
        raise typer.Exit(STILL_OPEN) from None
    raise typer.Exit(code)


async def _place_and_watch(
    home: Path, wish: Wish, ways: _Ways, key: str, placed: list[Placed]
) -> int:
    clock = SystemClock()
    async with client(home) as desk:
        told = await place(desk, wish, key=key, clock=clock)
        order = msgspec.json.decode(told, type=Placed)
        placed.append(order)
        if ways.watch:
            return await watch(desk, order.order_id, json=ways.json, clock=clock)
    if ways.json:
        verbatim(told.decode())
    else:
        answer(f"placed {order.order_id} ({order.status}, {order.mode})")
        say(f"watch it: {PROGRAM} orders show {figures.short_id(order.order_id)} --watch")
    return CONFIRMED


async def place(desk: Client, wish: Wish, *, key: str, clock: Clock) -> bytes:
    """Place an order and return the desk's answer, asking again while the desk breaks off.

    Raises what the desk refuses with, and `Unavailable` (`order.unclear`) when it broke off
    and then, for 20 s, would not say that it has the order.
    """
    deadline = clock.monotonic() + _PLACING_S
    in_doubt = False
    while True:
        try:
            return await desk.post("/api/orders", wish.body(), headers={"idempotency-key": key})
        except DeskError as problem:
            in_doubt = in_doubt or isinstance(problem, Cut)
            if not in_doubt:
                raise
            # Even a refusal proves nothing now: the order it follows may have used up the funds.
            if not problem.retryable or clock.monotonic() > deadline:
                raise _unclear(key, problem) from problem
        say("the desk broke off; asking again with the same key")
        await clock.sleep(_ASK_AGAIN_S)


async def watch(desk: Client, order_id: str, *, json: bool, clock: Clock) -> int:
    """Show an order live to its end and return the exit code that says how it ended."""
    stages = Stages()
    last: EventView | None = None
    with _busy(json=json) as busy:
        async with aclosing(follow(desk, order_id, clock=clock)) as coming:
            async for event in coming:
                if isinstance(event, Away):
                    say(f"  {event.detail}; the order is safe, waiting for the desk")
                    continue
                last = event
                busy(event.status)
                if json:
                    verbatim(encode(event).decode())
                else:
                    answer(stages.line(event))
    assert last is not None, "an order has at least one version"
    if not json:
        await _tell_outcome(desk, order_id)
    return exit_code(last)


async def _tell_outcome(desk: Client, order_id: str) -> None:
    answer()
    try:
        order = await read_order(desk, order_id)
        answer(outcome(order))
        if order.route:
            answer()
            answer(route(order.route, order.pair.split("-")[1]))
    except Unavailable as problem:
        # How it ended is known; only the account of it has to wait.
        say(f"{problem.detail}; later: {PROGRAM} orders show {figures.short_id(order_id)}")


def exit_code(told: OrderView | EventView) -> int:
    """Return 0 for CONFIRMED, 2 for FAILED or CANCELLED, 3 for what is still open."""
    if not is_last(told):
        return STILL_OPEN
    return CONFIRMED if told.status == "CONFIRMED" else ENDED_UNFILLED


def say_open(order_id: str) -> None:
    """Tell that an order goes on although nobody watches, and what can be done about it."""
    short = figures.short_id(order_id)
    say(f"the order goes on: {order_id}", style="bold")
    say(f"  look     {PROGRAM} orders show {short} --watch", style="")
    say(f"  cancel   {PROGRAM} orders cancel {short}", style="")


@contextmanager
def _busy(*, json: bool) -> Iterator[Callable[[str], None]]:
    """Keep a moving line below the states on a terminal, and nothing elsewhere."""
    if json or not out.is_terminal:
        yield lambda _: None
        return
    with out.status("") as spinner:
        yield lambda status: spinner.update(
            Text(f"{status.lower()} · Ctrl-C stops watching, not the order", style="dim")
        )


def _unclear(key: str, problem: DeskError) -> Unavailable:
    return Unavailable(
        f"the desk broke off, so the order may be placed ({problem.detail}): see "
        f"`quantdesk orders`, or run the same command with --key {key}, which places it once",
        code="order.unclear",
    )
