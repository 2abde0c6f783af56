"""`quantdesk up`: one desk in the foreground, until Ctrl-C or SIGTERM."""

import fcntl
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from quantdesk import settings as knobs
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.stages import grid
from quantdesk.cli.terminal import PROGRAM, Home, answer, say
from quantdesk.core.clock import Clock, SystemClock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ops import folder
from quantdesk.settings import Settings

if TYPE_CHECKING:
    from quantdesk.app.foundation import Desk

LOCK = "desk.lock"
DESK = "desk"
INGEST = "ingest"
API = "api"
WORKER = "worker"
_LEADS = frozenset({DESK, WORKER})
_MODES = {
    "paper": "paper: fills at the reference price, nothing is signed",
    "localnet": "localnet: real transactions on a chain of this machine, worthless tokens",
    "devnet": "devnet: real transactions on the node of solana.rpc_url, for rehearsal",
    "mainnet": "mainnet: real money; nothing is signed until `quantdesk unlock`",
}


def up(
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; 0 takes a free port.")] = None,
    mode: Annotated[str | None, typer.Option(help="localnet, paper, devnet or mainnet.")] = None,
    source: Annotated[
        str | None, typer.Option(help="auto, pyth, simulated, shared, recorded:FILE.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, any setting.")
    ] = None,
) -> None:
    """Run a desk in the foreground until Ctrl-C."""
    named = {"api.port": port, "mode": mode, "source": source}
    serve(home, [*(set_ or []), *flags(named)])


def serve(home: Path | None, settings_given: Sequence[str], *, role: str = DESK) -> NoReturn:
    """Run a process of a desk in the foreground until Ctrl-C, and exit."""
    place = knobs.home(home)
    settings = knobs.load(place, flags=settings_given)
    ready: list[bool] = []
    try:
        run(_serve(settings, place, ready, role))
    except Stopped as stopped:
        say("stopped")
        if stopped.number == signal.SIGINT and not ready:
            raise
    raise typer.Exit(0)


def flags(named: Mapping[str, object]) -> list[str]:
    """Return the settings a person gave by name, as `--set` writes them."""
    return [f"{name}={value}" for name, value in named.items() if value is not None]


@asynccontextmanager
async def desk(
    settings: Settings, place: Path, *, clock: Clock, role: str = DESK
) -> AsyncIterator["Desk"]:
    """Run a desk while the block runs, telling what a start is doing and how long it takes.

    Raises `Refused` (`desk.running`) when one runs in this folder already, and what keeps a desk
    from starting.
    """
    # Half a second of imports that the commands which only ask do not pay.
    match role:
        case "ingest":
            from quantdesk.app.ingest import open_ingest as open_role  # noqa: PLC0415
        case "api":
            from quantdesk.app.api import open_api as open_role  # noqa: PLC0415
        case "worker":
            from quantdesk.app.worker import open_worker as open_role  # noqa: PLC0415
        case _:
            from quantdesk.app.desk import open_desk as open_role  # noqa: PLC0415

    with alone(place):
        async with open_role(settings, place, say=_progress(clock)) as opened:
            yield opened


@contextmanager
def alone(place: Path) -> Iterator[None]:
    """Hold a data folder while the block runs; raises `Refused` (`desk.running`) if one does."""
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(place / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        # The kernel lets go of it with the process, however that ends.
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Refused(_occupied(place), code="desk.running") from None
    try:
        yield
    finally:
        os.close(handle)


async def _serve(settings: Settings, place: Path, ready: list[bool], role: str) -> None:
    clock = SystemClock()
    began = clock.monotonic()
    async with desk(settings, place, clock=clock, role=role) as opened:
        ready.append(True)
        _announce(opened, place, clock.monotonic() - began)
        try:
            await opened.ends()
        finally:
            say("stopping: open orders go on at the next start" if role in _LEADS else "stopping")


def _announce(opened: "Desk", place: Path, took_s: float) -> None:
    told = opened.identity
    facts = grid()
    takes_orders = "api" in told["roles"]
    if takes_orders:
        facts.add_row("page", _page(opened.url))
    facts.add_row("url", opened.url)
    facts.add_row("mode", _MODES.get(told["mode"], told["mode"]))
    facts.add_row("prices", told["source"])
    if told["wallet"]:
        facts.add_row("wallet", told["wallet"])
    if (place / folder.OWNER_KEY).exists():
        facts.add_row("key", f"{place / folder.OWNER_KEY}")
    if opened.new_key:
        facts.add_row("", f"{opened.new_key}  (new; shown once)")
    answer(f"{_named(told['roles'])} ready in {took_s:.1f} s")
    answer(facts)
    if not takes_orders:
        return
    elsewhere = "" if place == knobs.home(None) else f" --home {place}"
    answer(f"open  the page, and come in as the owner with the key in {place / folder.OWNER_KEY}")
    answer(f"try   {PROGRAM} order buy 10.5 SOL-USDC --watch{elsewhere}")
    if opened.new_key:
        answer(
            f"then  {PROGRAM} sign-in --owner --key KEYFILE{elsewhere}   to be its owner by wallet"
        )


def _named(roles: Sequence[str]) -> str:
    """Return the role a process was asked for by what it does."""
    if API in roles:
        return DESK if WORKER in roles else API
    return WORKER if WORKER in roles else INGEST


def _page(url: str) -> str:
    from quantdesk.api.web import is_built  # noqa: PLC0415 - the desk has it loaded by now

    return f"{url}/" if is_built() else "not built: `make web`; all else works"


def _progress(clock: Clock) -> Callable[[str], None]:
    began = clock.monotonic()
    return lambda line: say(f"{clock.monotonic() - began:6.1f} s  {line}")


def _occupied(place: Path) -> str:
    cure = "or choose another --home"
    try:
        told = folder.running(place)
    except Unavailable:
        return f"another desk is starting or stopping in {place}: wait for it, {cure}"
    where, pid = told["urls"]["api"], told["pid"]
    return f"a desk runs in {place} already, at {where}: stop it with `kill {pid}`, {cure}"
