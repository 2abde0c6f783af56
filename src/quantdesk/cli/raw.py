"""`quantdesk raw`: the message behind a price, as it came, asked of the desk or found on tape."""

from base64 import b64encode
from pathlib import Path
from typing import Annotated
from urllib.parse import quote

import msgspec
import typer

from quantdesk import settings as knobs
from quantdesk.cli.client import client
from quantdesk.cli.running import run
from quantdesk.cli.terminal import Home, Json, say, verbatim
from quantdesk.core.clock import iso
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.sources import tape

_NS_PER_MS = 1_000_000
_ELSEWHERE = {"desk.not_running", "message.unknown"}
"""The desk is away, or has forgotten it: a tape may know."""


class _Raw(msgspec.Struct):
    """A message as it came: `text` if it is UTF-8, else `base64`."""

    id: str
    text: str | None = None
    base64: str | None = None


def raw(
    message: Annotated[
        str, typer.Argument(metavar="ID", help="Such as binance:17231612540878912.")
    ],
    folder: Annotated[
        Path | None, typer.Option("--dir", help="Which tapes; the desk's own unless given.")
    ] = None,
    json: Json = False,  # noqa: FBT002 - a flag
    home: Home = None,
) -> None:
    """Show the raw message of an id, as prices and orders name them (rawIds).

    A running desk is asked first, unless a folder is named.
    """
    place = knobs.home(home)
    try:
        told = None if folder else msgspec.json.decode(run(_asked(place, message)), type=_Raw)
    except (Unavailable, Refused) as problem:
        if problem.code not in _ELSEWHERE:
            raise
        told = None
    told = told or _found(folder or place / tape.FOLDER, message)
    if json:
        verbatim(msgspec.json.encode(told).decode())
        return
    _, _, stamp = message.rpartition(":")
    say(f"received {iso(int(stamp) // _NS_PER_MS)}")
    verbatim(told.text or told.base64 or "")


async def _asked(home: Path, message: str) -> bytes:
    async with client(home) as desk:
        return await desk.get(f"/api/raw/{quote(message, safe=':')}")


def _found(folder: Path, message: str) -> _Raw:
    frame = tape.find(folder, message)
    if frame is None:
        raise Refused(
            f"no tape in {folder} holds {message}: it was not recorded, or is forgotten by now",
            code="message.unknown",
        )
    try:
        return _Raw(frame.id, text=frame.data.decode())
    except UnicodeDecodeError:
        return _Raw(frame.id, base64=b64encode(frame.data).decode())
