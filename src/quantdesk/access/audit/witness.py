"""What the audit signed, kept in the home: whoever changes the database does not change it here.

    <home>/audit.head     the newest head, replaced about once a minute
    <home>/audit.roots    the root of each day, one a line, only ever added to
    <home>/audit.pub      the public key, hexadecimal, to be handed out

Copy `audit.roots` and `audit.pub` to another machine, and nobody on this one can rewrite the past.
"""

import asyncio
import os
from pathlib import Path
from typing import Final

import msgspec

from quantdesk.access.audit.signing import PublicKey, Root, stated
from quantdesk.core.errors import Corrupt

HEAD: Final = "audit.head"
ROOTS: Final = "audit.roots"
PUBLIC: Final = "audit.pub"

_LINES_MAX: Final = 100_000


class _Line(msgspec.Struct, frozen=True):
    statement: str
    key: str
    signature: str


class Files:
    """The witness in a folder; its files are readable by their owner alone, the key by all."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def last(self) -> Root | None:
        """Return the last head kept; raise `Corrupt` (`audit.witness`) if it is unreadable."""
        return await asyncio.to_thread(self._last)

    async def head(self, root: Root) -> None:
        """Keep a signed head in place of the one before."""
        await asyncio.to_thread(_replace, self._home / HEAD, _written(root), 0o600)

    async def ended(self, root: Root) -> None:
        """Keep the root of a day that ended; one kept already is not kept again."""
        await asyncio.to_thread(self._ended, root)

    async def publish(self, key: PublicKey) -> None:
        """Write the public key down."""
        await asyncio.to_thread(
            _replace, self._home / PUBLIC, f"{key.public.hex()}\n".encode(), 0o644
        )

    def kept(self) -> list[Root]:
        """Return every root kept, the newest head last; raises as `last`."""
        found = self.roots()
        last = self._last()
        return found if last is None else [*found, last]

    def roots(self) -> list[Root]:
        """Return the roots of days, in order; raises as `last`."""
        path = self._home / ROOTS
        if not path.exists():
            return []
        lines = path.read_bytes().splitlines()[:_LINES_MAX]
        return [_read(line, path) for line in lines]

    def _last(self) -> Root | None:
        path = self._home / HEAD
        return _read(path.read_bytes(), path) if path.exists() else None

    def _ended(self, root: Root) -> None:
        known = self.roots()
        if known and stated(known[-1]).last >= stated(root).last:
            return
        descriptor = os.open(self._home / ROOTS, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "ab") as file:
            file.write(_written(root))
            file.flush()
            os.fsync(file.fileno())


def _written(root: Root) -> bytes:
    line = _Line(root.statement, root.key, root.signature.hex())
    return msgspec.json.encode(line) + b"\n"


def _read(line: bytes, path: Path) -> Root:
    try:
        told = msgspec.json.decode(line, type=_Line)
        return Root(told.statement, told.key, bytes.fromhex(told.signature))
    except (msgspec.DecodeError, ValueError) as problem:
        raise Corrupt(f"{path} is unreadable: {problem}", code="audit.witness") from problem


def _replace(path: Path, text: bytes, mode: int) -> None:
    fresh = path.with_name(path.name + ".new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
