"""`quantdesk sign-in`: a session of a Solana wallet, by its key file, for scripts on this machine.

    POST /api/auth/nonce ─▶ the text, held against what a sign-in here says ─▶ signed ─▶
    POST /api/auth/wallet ─▶ <home>/session.json (mode 0600)

The key is read, signs that one text, and is gone; a text of anything else is not signed.
"""

import asyncio
from pathlib import Path
from typing import Annotated, TypeVar
from urllib.parse import urlsplit

import msgspec
import typer

from quantdesk import settings as knobs
from quantdesk.cli.client import Client, client
from quantdesk.cli.terminal import Home, answer, verbatim
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ops import folder

T = TypeVar("T")

SESSION = "session.json"
LINKS = "Let this wallet sign in to your QuantDesk account."

Key = Annotated[
    Path, typer.Option("--key", help="Key file of the wallet, as solana-keygen writes it (0600).")
]
Bare = Annotated[bool, typer.Option("--token", help="Print the token alone, and store nothing.")]


Owner = Annotated[
    bool, typer.Option("--owner", help="Give the wallet to the desk's owner first (owner.key).")
]


class Asked(msgspec.Struct, frozen=True):
    """A text to sign."""

    message: str


class User(msgspec.Struct, frozen=True):
    """Who signed in."""

    name: str
    role: str


class Opened(msgspec.Struct, frozen=True, rename="camel"):
    """A session, or None of it where a second factor is needed."""

    token: str | None = None
    refresh_token: str | None = None
    expires_at: str | None = None
    user: User | None = None


class Kept(msgspec.Struct, frozen=True, rename="camel"):
    """What `session.json` holds."""

    address: str
    token: str
    refresh_token: str | None
    expires_at: str | None


def sign_in(
    key: Key,
    home: Home = None,
    token: Bare = False,  # noqa: FBT002 - a flag
    owner: Owner = False,  # noqa: FBT002 - a flag
) -> None:
    """Sign in to a running desk with a Solana wallet's key file."""
    place = knobs.home(home)
    if owner:
        answer(f"{asyncio.run(_linked(place, key))} is the owner's wallet now")
    address, opened = asyncio.run(_opened(place, key))
    assert opened.token is not None, "else it was refused"
    if token:
        verbatim(opened.token)
        return
    kept = Kept(address, opened.token, opened.refresh_token, opened.expires_at)
    folder.write(place / SESSION, msgspec.json.encode(kept).decode() + "\n")
    who = f"{opened.user.name} ({opened.user.role})" if opened.user else address
    answer(f"signed in as {who} until {opened.expires_at}")
    answer(f"the token is in {place / SESSION}")


def check(message: str, *, url: str, address: str, says: str = "Sign in to ") -> None:
    """Raise `Refused` (`message.unexpected`) unless a text only signs this wallet in there.

    `says` is how what the text is for must begin.
    """
    domain = urlsplit(url).netloc
    head = f"{domain} wants you to sign in with your Solana account:\n{address}\n\n{says}"
    lines = message.split("\n")
    if not message.startswith(head) or f"URI: {url}" not in lines[4:] or "Version: 1" not in lines:
        raise Refused(
            f"the desk asks to sign something else than was asked for, of {address} at {domain};"
            " nothing was signed",
            code="message.unexpected",
        )


async def _linked(place: Path, key: Path) -> str:
    """Link the wallet to the owner's account and return its address."""
    from quantdesk.chains.solana import keys  # noqa: PLC0415 - as below

    keypair = keys.load(key)
    address = str(keypair.pubkey())
    url: str = folder.running(place)["urls"]["api"]
    wish = {"address": address, "chain": "solana", "purpose": "link"}
    async with client(place) as desk:
        asked = await _post(desk, "auth/nonce", wish, Asked)
        check(asked.message, url=url, address=address, says=LINKS)
        signature = str(keypair.sign_message(asked.message.encode()))
        shown = {"address": address, "signature": signature, "message": asked.message}
        await desk.post("/api/wallets", msgspec.json.encode(shown), headers={})
    return address


async def _opened(place: Path, key: Path) -> tuple[str, Opened]:
    # Keys and their machinery; the commands that only ask do not pay for them.
    from quantdesk.chains.solana import keys  # noqa: PLC0415

    keypair = keys.load(key)
    address = str(keypair.pubkey())
    url: str = folder.running(place)["urls"]["api"]
    async with client(place) as desk:
        asked = await _post(desk, "auth/nonce", {"address": address, "chain": "solana"}, Asked)
        check(asked.message, url=url, address=address)
        signature = str(keypair.sign_message(asked.message.encode()))
        shown = {"address": address, "signature": signature, "message": asked.message}
        opened = await _post(desk, "auth/wallet", shown, Opened)
    if opened.token is None:
        raise Refused(
            "this account asks for a second factor: sign in on the desk's page",
            code="factor.needed",
        )
    return address, opened


async def _post(desk: Client, name: str, body: dict[str, str], shape: type[T]) -> T:
    told = await desk.post(f"/api/{name}", msgspec.json.encode(body), headers={})
    try:
        return msgspec.json.decode(told, type=shape)
    except msgspec.MsgspecError:
        raise Unavailable("an answer that no desk gives", code="desk.unreadable") from None
