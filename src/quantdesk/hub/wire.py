"""What the hub asks of a connection; the WebSocket protocol of the edge is one by shape.

`serve` of a stream finds it in the ASGI scope, among the extensions, under `EXTENSION`.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Protocol

EXTENSION = "quantdesk.wire"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]

DONE = 1000
RESTART = 1012
OVERLOADED = 1013
POLICY = 1008
FORBIDDEN = 4403
UNKNOWN = 4404


class Wire(Protocol):
    """The sending half of an accepted WebSocket; only `drained` waits for the client."""

    congested: bool
    """Whether more is unsent than the connection should hold: write no more until relieved."""
    relieved: Callable[[], None]
    """Is called when `congested` ends; the hub sets it."""

    def write(self, frames: bytes) -> None:
        """Send whole frames; they are dropped when the connection is closing or gone."""

    def end(self, code: int, reason: str = "") -> None:
        """Close with a code, after what was written; a second call does nothing."""

    async def drained(self) -> None:
        """Return once the connection takes more, or is gone."""
