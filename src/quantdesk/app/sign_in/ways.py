"""All ways to sign in, joined: the owner's key, wallets, passwords, second factors, providers."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from fastapi import APIRouter

from quantdesk.access.owner_key import OwnerKey
from quantdesk.api.sign_in.holdings import Read
from quantdesk.api.sign_in.owner_keys import OwnerKeyRoutes
from quantdesk.app.background import Background
from quantdesk.app.sign_in.factors import open_factors
from quantdesk.app.sign_in.joined import Joined
from quantdesk.app.sign_in.oauth import open_oauth
from quantdesk.app.sign_in.passwords import Passwords
from quantdesk.app.sign_in.wallets import open_wallets
from quantdesk.ingest.board import Board

_HERE: Final = ("localhost", "127.0.0.1", "[::1]")
"""What this machine calls itself; passkeys need a name, so it comes first."""


async def open_ways(
    stack: AsyncExitStack,
    background: Background,
    joined: Joined,
    *,
    home: Path,
    board: Board,
    read: Read | None,
) -> tuple[APIRouter, ...]:
    """Return the routes of every way to sign in, until the stack unwinds.

    Raises `Refused` for settings that cannot be, `Unavailable` without the database.
    """
    wallets, wallet_routes = open_wallets(stack, joined, board=board, read=read)
    passwords = Passwords(stack, background, joined, wallet_routes, home=home)
    owner_key = OwnerKey(
        pools=joined.pools,
        clock=joined.clock,
        new_id=joined.new_id,
        tell=joined.tell,
        throttle=joined.throttle,
        welcome=joined.access.entrance,
    )
    return (
        OwnerKeyRoutes(owner_key).routes(),
        wallet_routes.routes(),
        passwords.routes.routes(),
        *await open_factors(joined, passwords=passwords, wallets=wallets, owner_key=owner_key),
        open_oauth(stack, joined).routes(),
    )


def sites(configured: Sequence[str], url: str) -> tuple[str, ...]:
    """Return the origins a desk that listens at `url` is reached by."""
    here = urlsplit(url)
    return tuple(configured) or tuple(f"{here.scheme}://{name}:{here.port}" for name in _HERE)
