"""`quantdesk run`: the roles of a desk as processes of their own, on one database and one NATS."""

from enum import StrEnum
from typing import Annotated

import typer

from quantdesk.cli.terminal import Home
from quantdesk.cli.up import DESK, INGEST, flags, serve

_SHARED = "shared"


class Role(StrEnum):
    """What a process does."""

    DESK = DESK
    INGEST = INGEST


def run(
    role: Annotated[Role, typer.Argument(help="What the process does.")],
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; 0 takes a free port.")] = None,
    mode: Annotated[str | None, typer.Option(help="localnet, paper, devnet or mainnet.")] = None,
    source: Annotated[
        str | None, typer.Option(help="As of `up`; a desk takes what ingest shares.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, any setting.")
    ] = None,
) -> None:
    """Run one role until Ctrl-C: ingest shares market data by NATS, a desk trades on it."""
    if source is None and role is Role.DESK:
        source = _SHARED
    named = {"api.port": port, "mode": mode, "source": source}
    serve(home, [*(set_ or []), *flags(named)], role=role)
