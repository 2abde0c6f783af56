"""`quantdesk run`: the roles of a desk as processes of their own, on one database and one NATS."""

from enum import StrEnum
from typing import Annotated

import typer

from quantdesk.cli.terminal import Home
from quantdesk.cli.up import API, DESK, INGEST, WORKER, flags, serve

_SHARED = "shared"


class Role(StrEnum):
    """What a process does."""

    API = API
    WORKER = WORKER
    DESK = DESK
    INGEST = INGEST


def run(
    role: Annotated[Role, typer.Argument(help="What the process does.")],
    home: Home = None,
    port: Annotated[int | None, typer.Option(help="Where to listen; 0 takes a free port.")] = None,
    mode: Annotated[str | None, typer.Option(help="localnet, paper, devnet or mainnet.")] = None,
    source: Annotated[
        str | None, typer.Option(help="As of `up`; all but ingest take what it shares.")
    ] = None,
    set_: Annotated[
        list[str] | None, typer.Option("--set", help="section.name=value, any setting.")
    ] = None,
) -> None:
    """Run one role until Ctrl-C: ingest shares market data by NATS, the others trade on it.

    A desk is api and worker in one: api serves clients and has no key, a worker has the wallet.
    """
    if source is None and role is not Role.INGEST:
        source = _SHARED
    named = {"api.port": port, "mode": mode, "source": source}
    serve(home, [*(set_ or []), *flags(named)], role=role)
