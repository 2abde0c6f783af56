"""One client of the hub: what it still has to be told, within bounds, without anybody waiting.

Two kinds of things wait for a client that is slow to read. Of conflated channels only the name of
what changed: it gets the value as it stands when there is room again. What must not be lost waits
as it is; past a bound the client is told to come back, for a stream with a hole would lie.
"""

from collections import deque
from collections.abc import Callable
from uuid import UUID

import msgspec

from quantdesk.access.model import Permission
from quantdesk.hub.wire import OVERLOADED, Wire


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds of the hub.

    `clients` at once; per client: `keys` over all its channels, `messages_per_s` it may send with
    `burst` of them at once (a malformed one counts for `malformed_cost`), `outbound_bytes` that
    wait for it in memory beside what the connection holds.
    """

    clients: int = 2_000
    keys: int = 2_000
    messages_per_s: float = 20.0
    burst: float = 200.0
    malformed_cost: float = 10.0
    outbound_bytes: int = 8 * 1024 * 1024


class Account(msgspec.Struct, frozen=True):
    """Whoever a client speaks for."""

    id: UUID
    may: frozenset[Permission]


class Client:
    """A connection, and what waits for it."""

    __slots__ = (
        "_bytes_max", "_ending", "_waiting", "_waiting_bytes", "account", "dropped", "room", "wire",
    )  # fmt: skip

    def __init__(self, wire: Wire, account: Account, *, bytes_max: int) -> None:
        self.wire = wire
        self.account = account
        self.room: Callable[[], None] = _nothing
        """Is called when all that must not be lost is sent and there is room for more."""
        self.dropped = False
        """Whether it was disconnected because it could not keep up."""
        self._bytes_max = bytes_max
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._ending: tuple[int, str] | None = None
        wire.relieved = self._relieved

    def send(self, frames: bytes) -> None:
        """Send what must not be lost, now or when there is room; past the bound: 1013."""
        if self._ending is not None:
            return
        if not self.wire.congested:
            self.wire.write(frames)
            return
        self._waiting.append(frames)
        self._waiting_bytes += len(frames)
        if self._waiting_bytes > self._bytes_max:
            self.dropped = True
            self._forget()
            self._close(OVERLOADED, "too slow: come back and take a snapshot")

    def end(self, code: int, reason: str = "") -> None:
        """Close after all that waits was sent."""
        if self._ending is None and self._waiting:
            self._ending = (code, reason)
        elif self._ending is None:
            self._close(code, reason)

    @property
    def waiting_bytes(self) -> int:
        """Return how much waits here."""
        return self._waiting_bytes

    def _relieved(self) -> None:
        while self._waiting and not self.wire.congested:
            frames = self._waiting.popleft()
            self._waiting_bytes -= len(frames)
            self.wire.write(frames)
        if self._waiting or self.wire.congested:
            return
        if self._ending is not None:
            self._close(*self._ending)
        else:
            self.room()

    def _close(self, code: int, reason: str) -> None:
        self._ending = (code, reason)
        self.wire.end(code, reason)

    def _forget(self) -> None:
        self._waiting.clear()
        self._waiting_bytes = 0


def _nothing() -> None:
    """Do nothing."""
