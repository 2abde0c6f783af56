"""A connection that a test fills and drains by hand, and a client that follows the rules."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import msgspec

from quantdesk.access.model import Role
from quantdesk.access.policy import ROLES
from quantdesk.hub.client import Account, Client

TRADER = Account(UUID(int=1), ROLES[Role.TRADER])


class HandWire:
    """Takes frames; `stuck` ones are those that came while nobody read."""

    def __init__(self) -> None:
        self.congested = False
        self.relieved: Callable[[], None] = lambda: None
        self.room: int | None = None
        """Frames it takes before it is congested; None is any number."""
        self.written: list[bytes] = []
        self.ended: tuple[int, str] | None = None

    def write(self, frames: bytes) -> None:
        """Take frames."""
        assert self.ended is None, "nothing follows a close"
        self.written.append(frames)
        if self.room is not None:
            self.room -= 1
            self.congested = self.room <= 0

    def end(self, code: int, reason: str = "") -> None:
        """Note the close."""
        if self.ended is None:
            self.ended = (code, reason)

    async def drained(self) -> None:
        """Return at once."""

    def relieve(self, room: int | None = None) -> None:
        """Have room again, for so many writes."""
        self.congested, self.room = False, room
        self.relieved()

    def messages(self) -> list[Any]:
        """Return what was written since the last call, as messages."""
        data, self.written = b"".join(self.written), []
        return [msgspec.json.decode(payload) for payload in payloads(data)]


def payloads(data: bytes) -> list[bytes]:
    """Return the payloads of whole server text frames (RFC 6455 §5.2)."""
    found, at = [], 0
    while at < len(data):
        assert data[at] == 0x81, "a final text frame"
        size, head = data[at + 1], 2
        if size == 126:
            size, head = int.from_bytes(data[at + 2 : at + 4]), 4
        elif size == 127:
            size, head = int.from_bytes(data[at + 2 : at + 10]), 10
        found.append(data[at + head : at + head + size])
        assert len(found[-1]) == size
        at += head + size
    return found


def client(wire: HandWire, *, bytes_max: int = 1 << 20, account: Account = TRADER) -> Client:
    """Return a client of that connection."""
    return Client(wire, account, bytes_max=bytes_max)
