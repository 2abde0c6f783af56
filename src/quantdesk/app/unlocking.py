"""Unlocking a running desk: a passphrase comes in through a socket that only its owner may open.

    quantdesk unlock ─▶ <home>/unlock.sock ─▶ open the sealed wallet ─▶ the vault signs for a while

One line of JSON each way: `{"passphrase", "seconds"}` is answered by `{"address", "untilMs"}` or by
`{"code", "detail"}`; no seconds lock it at once, and need no passphrase. The passphrase and the key
are in memory alone, and in nothing that is logged.
"""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import structlog

from quantdesk.chains.solana.sealed import Sealed, opened
from quantdesk.chains.solana.vault import Vault
from quantdesk.core.clock import Clock, iso
from quantdesk.core.errors import DeskError, Refused, Unavailable

log = structlog.get_logger()

SOCKET = "unlock.sock"
SECONDS_MAX = 24 * 3600
_LINE_BYTES_MAX = 4096
_PATIENCE_S = 2.0
_ANSWER_S = 30.0
_WRONG_S = 1.0  # between guesses, beside what scrypt takes


class Wish(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked of a running desk."""

    seconds: int
    passphrase: str = ""

    def __repr__(self) -> str:
        return f"Wish(seconds={self.seconds})"


class Told(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True):
    """What it answers: until when it signs, or why not."""

    address: str = ""
    until_ms: int | None = None
    code: str = ""
    detail: str = ""


class Door:
    """Opens and locks one vault; one guess at a time."""

    def __init__(self, *, sealed: Sealed, vault: Vault, clock: Clock) -> None:
        self._sealed = sealed
        self._vault = vault
        self._clock = clock
        self._guessing = asyncio.Lock()

    async def probe(self) -> str:
        """Return whether the wallet signs."""
        until_ms = self._vault.until_ms
        return "locked: `quantdesk unlock`" if until_ms is None else f"open until {iso(until_ms)}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one wish."""
        try:
            async with asyncio.timeout(_PATIENCE_S):
                line = await reader.readline()
            writer.write(msgspec.json.encode(await self._told(line)) + b"\n")
            async with asyncio.timeout(_PATIENCE_S):
                await writer.drain()
        except (TimeoutError, OSError, ValueError):
            log.info("unlock.dropped")
        finally:
            writer.close()

    async def _told(self, line: bytes) -> Told:
        try:
            return await self._granted(msgspec.json.decode(line, type=Wish))
        except msgspec.DecodeError:
            return Told(code="request.malformed", detail="one line of JSON was expected")
        except DeskError as problem:
            log.warning("unlock.refused", code=problem.code)
            return Told(code=problem.code, detail=problem.detail)

    async def _granted(self, wish: Wish) -> Told:
        if wish.seconds <= 0:
            self._vault.lock()
            log.info("wallet.locked")
            return Told(self._sealed.address)
        if wish.seconds > SECONDS_MAX:
            raise Refused("a wallet is open for a day at most", code="unlock.too_long")
        async with self._guessing:
            try:
                keypair = await asyncio.to_thread(opened, self._sealed, wish.passphrase)
            except Refused:
                await self._clock.sleep(_WRONG_S)
                raise
        self._vault.unlock(keypair, for_s=wish.seconds)
        until_ms = self._vault.until_ms
        log.info("wallet.unlocked", until_ms=until_ms)
        return Told(self._sealed.address, until_ms)


@asynccontextmanager
async def unlocking(home: Path, door: Door) -> AsyncIterator[None]:
    """Listen in the data folder while the block runs."""
    (home / SOCKET).unlink(missing_ok=True)  # of a desk that was killed: this one has the folder
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    os.fchmod(listening.fileno(), 0o600)  # before it has a name that others could open
    folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    try:
        listening.bind(_place(folder))
    finally:
        os.close(folder)
    (home / SOCKET).chmod(0o600)
    server = await asyncio.start_unix_server(door.serve, sock=listening, limit=_LINE_BYTES_MAX)
    try:
        yield
    finally:
        server.close()
        await server.wait_closed()
        (home / SOCKET).unlink(missing_ok=True)


async def ask(home: Path, wish: Wish) -> Told:
    """Ask the desk that runs in a folder.

    Raises `Unavailable` (`desk.not_running`) when none listens, and what it answers.
    """
    try:
        folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        raise _nobody(home) from None
    try:
        reader, writer = await asyncio.open_unix_connection(_place(folder))
    except OSError:
        raise _nobody(home) from None
    finally:
        os.close(folder)
    try:
        writer.write(msgspec.json.encode(wish) + b"\n")
        async with asyncio.timeout(_ANSWER_S):
            said = msgspec.json.decode(await reader.readline(), type=Told)
    except (TimeoutError, OSError, msgspec.DecodeError):
        raise Unavailable("the desk did not answer", code="desk.silent") from None
    finally:
        writer.close()
    if said.code:
        raise Refused(said.detail, code=said.code)
    return said


def _place(folder: int) -> str:
    # A socket's address has 107 bytes; a home may be longer than that.
    return f"/proc/self/fd/{folder}/{SOCKET}"


def _nobody(home: Path) -> Unavailable:
    return Unavailable(
        f"no desk in mode mainnet runs in {home}: start one with `quantdesk up --mode mainnet`",
        code="desk.not_running",
    )
