"""`quantdesk halt` and `quantdesk resume`: the kill switch, one word away."""

from typing import Annotated

import msgspec
import typer

from quantdesk import settings as knobs
from quantdesk.cli.client import Client, client
from quantdesk.cli.limits import Account
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, answer, say, verbatim


class _Left(msgspec.Struct, frozen=True, rename="camel"):
    order_id: str
    status: str


class _Halted(msgspec.Struct, frozen=True, rename="camel"):
    cancelled_count: int
    left_count: int
    left: list[_Left]


class _Trading(msgspec.Struct, frozen=True, rename="camel"):
    trading: bool
    desk_phrase: str
    account_phrase: str


def halt(
    all_: Annotated[bool, typer.Option("--all", help="Also cancel what is not signed.")] = False,  # noqa: FBT002 - a flag
    reason: Annotated[str, typer.Option(help="Why, for those who find it stopped.")] = "stopped",
    account: Account = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Stop trading at once: nothing new is signed until `quantdesk resume`."""
    body = {"scope": "all" if all_ else "new", "reason": reason, **_of(account)}

    async def ask() -> bytes:
        async with client(knobs.home(home)) as desk:
            return await desk.post("/api/trading/halt", msgspec.json.encode(body), headers={})

    told = run(ask())
    if json:
        verbatim(told.decode())
        return
    done = msgspec.json.decode(told, type=_Halted)
    answer("trading is halted; lift it with `quantdesk resume`")
    if all_:
        answer(f"{done.cancelled_count} orders cancelled, {done.left_count} go on to their end")
        for order in done.left:
            say(f"{order.order_id}  {order.status}")


def resume(
    confirm: Annotated[
        str | None, typer.Option(help="The phrase that is asked for otherwise.")
    ] = None,
    account: Account = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Let trading go on, after a phrase typed by hand."""
    place = knobs.home(home)

    async def look() -> _Trading:
        async with client(place) as desk:
            return await _trading(desk, account)

    told = run(look())
    phrase = told.desk_phrase if account is None else told.account_phrase
    said = typer.prompt(f"type {phrase!r}", err=True) if confirm is None else confirm

    async def ask() -> bytes:
        async with client(place) as desk:
            body = msgspec.json.encode({"confirm": said, **_of(account)})
            return await desk.post("/api/trading/resume", body, headers={})

    done = run(ask())
    if json:
        verbatim(done.decode())
        return
    is_on = msgspec.json.decode(done, type=_Trading).trading
    answer("trading goes on" if is_on else "lifted; another halt still holds: quantdesk limits")


async def _trading(desk: Client, account: str | None) -> _Trading:
    return msgspec.json.decode(await desk.get("/api/trading", _of(account)), type=_Trading)


def _of(account: str | None) -> dict[str, str | int]:
    return {} if account is None else {"account": account}
