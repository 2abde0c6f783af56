"""`quantdesk unlock`: let a running mainnet desk sign for a while; make or bring its wallet.

A passphrase is asked for at the terminal, or read from a file that only its owner may open; it is
never an argument, which every user of the machine could read.
"""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from quantdesk import settings as knobs
from quantdesk.cli.terminal import Home, answer
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused

_MINUTES = 60
_DAY = 24 * 60


def unlock(
    home: Home = None,
    minutes: Annotated[
        int, typer.Option(min=0, max=_DAY, help="How long it signs; 0 locks it at once.")
    ] = _MINUTES,
    new: Annotated[bool, typer.Option("--new", help="Make a wallet; starts nothing.")] = False,  # noqa: FBT002 a flag
    import_: Annotated[
        Path | None,
        typer.Option("--import", help="Bring a wallet from a solana-keygen file (mode 0600)."),
    ] = None,
    passphrase_file: Annotated[
        Path | None, typer.Option(help="File (mode 0600) whose first line is the passphrase.")
    ] = None,
) -> None:
    """Unlock the wallet of a running mainnet desk for a while."""
    # Ciphers and the machinery of a desk; the commands that only ask do not pay for them.
    from quantdesk.app import unlocking, wallets  # noqa: PLC0415

    place = knobs.home(home)
    if new and import_ is not None:
        raise Refused("--new or --import, not both", code="wallet.ambiguous")
    if new or import_ is not None:
        passphrase = _passphrase(passphrase_file, twice=True)
        address = wallets.create(place, passphrase, source=import_)
        answer(f"wallet {address}, sealed in {place / wallets.SEALED}")
        answer("keep a copy of that file and its passphrase: nobody can bring back either")
        return
    passphrase = _passphrase(passphrase_file, twice=False) if minutes else ""
    wish = unlocking.Wish(seconds=minutes * 60, passphrase=passphrase)
    told = asyncio.run(unlocking.ask(place, wish))
    if told.until_ms is None:
        answer(f"{told.address} is locked")
    else:
        answer(f"{told.address} signs until {iso(told.until_ms)}")


def _passphrase(file: Path | None, *, twice: bool) -> str:
    from quantdesk.core import secret_file  # noqa: PLC0415

    if file is None:
        said: str = typer.prompt("passphrase", hide_input=True, confirmation_prompt=twice)
        return said
    try:
        return secret_file.read(file).decode().partition("\n")[0].rstrip("\r")
    except UnicodeDecodeError:
        raise Refused(f"{file} holds no text", code="passphrase.unreadable") from None
