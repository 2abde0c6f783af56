"""`quantdesk master`: the key that seals every stored secret; renew it while no desk runs."""

from typing import Annotated

import typer

from quantdesk import settings as knobs
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, answer, say
from quantdesk.cli.up import alone

app = typer.Typer(no_args_is_help=True, help="The key that seals every stored secret.")


@app.command("rotate")
def rotate(
    home: Home = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, any setting.")
    ] = None,
) -> None:
    """Put a new master key in the place of the old one. Stop the desk first.

    Killed at any point it loses nothing: run it again and it goes on.
    """
    # A desk's database and wallets; the commands that only ask do not pay for them.
    from quantdesk.app import foundation, master  # noqa: PLC0415

    place = knobs.home(home)
    settings = knobs.load(place, flags=set_ or [])
    with alone(place):
        done = run(master.rotate(settings, place, say=say))
    file = foundation.master_key(settings, place)
    answer(f"master key {done.newest} seals now; {done.secrets} secrets were moved to it")
    answer(f"keep a copy of {file}, apart from the copies of the database")
    answer("copies of the database from before open with the copy of the old key only")
