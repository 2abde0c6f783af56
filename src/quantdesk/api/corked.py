"""Connections that write once per turn of the event loop.

A response is a head and a body, an order's stages come in bursts, and a client of the hub follows
several channels: each would be a system call of its own, and that call is most of what they cost
(docs/numbers.md). Here whatever one turn wrote to a connection leaves together.
"""

import asyncio
from typing import Any

_KEPT_MAX = 64 * 1024
"""More than this is not kept for the end of a turn, so that whoever writes learns what it holds."""


class Corked:
    """A transport whose writes wait for the end of the turn; everything else passes through."""

    def __init__(self, transport: asyncio.Transport) -> None:
        self._transport = transport
        self._loop = asyncio.get_running_loop()
        self._written: list[bytes] = []
        self._kept = 0

    def write(self, data: bytes) -> None:
        """Keep data for the end of this turn of the loop."""
        if not self._written:
            self._loop.call_soon(self._flush)
        self._written.append(data)
        self._kept += len(data)
        if self._kept > _KEPT_MAX:
            self._flush()

    def close(self) -> None:
        """Write what is kept, then close."""
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        written, self._written, self._kept = self._written, [], 0
        if written and not self._transport.is_closing():
            self._transport.write(b"".join(written))

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever a transport has
        return getattr(self._transport, name)
