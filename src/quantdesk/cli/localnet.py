"""`quantdesk localnet`: the local chain alone, in the foreground, for wallets and scripts."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from quantdesk import settings as knobs
from quantdesk.cli.running import Stopped, run
from quantdesk.cli.stages import grid
from quantdesk.cli.terminal import Home, answer, say
from quantdesk.core.errors import Refused

_PORT = 8899  # where Solana tools look by themselves


def localnet(
    home: Home = None,
    port: Annotated[int, typer.Option(help="Where to listen; 0 takes a free port.")] = _PORT,
    program: Annotated[
        list[str] | None,
        typer.Option(help="ID=FILE.so: a real program in place of ours, on a new chain."),
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, any setting.")
    ] = None,
) -> None:
    """Run the local Solana chain in the foreground until Ctrl-C."""
    place = knobs.home(home)
    settings = knobs.load(place, flags=set_ or [])
    try:
        run(_serve(place, settings.localnet, port, _programs(program or [])))
    except Stopped:
        say("stopped: the chain goes on from here at the next start")
    raise typer.Exit(0)


def _programs(given: list[str]) -> dict[str, Path]:
    programs = {}
    for text in given:
        address, equals, file = text.partition("=")
        if not equals or not Path(file).is_file():
            raise Refused(f"--program {text}: write ID=FILE.so", code="localnet.program")
        programs[address] = Path(file)
    return programs


async def _serve(
    place: Path, settings: knobs.LocalnetSettings, port: int, programs: dict[str, Path]
) -> None:
    # The chain's machinery takes half a second to import; other commands do not pay for it.
    from quantdesk.localnet import process  # noqa: PLC0415

    async with process.serving(place, settings, port=port, programs=programs) as served:
        facts = grid()
        facts.add_row("rpc", served.rpc_url)
        facts.add_row("ws", served.ws_url)
        facts.add_row("wallet key", f"{place / process.WALLET_KEY}")
        facts.add_row("data", f"{place / process.FOLDER}")
        answer("local chain ready")
        answer(facts)
        await asyncio.Event().wait()
