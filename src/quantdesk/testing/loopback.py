"""When loopback has come to rest: how a test on a hand-moved clock waits for real sockets.

So many turns of the loop are no measure of that: a busy kernel delivers later. It is asked, of each
TCP socket of the loop, whether anything is under way: a handshake, bytes the other side has not
acknowledged, a goodbye (https://man7.org/linux/man-pages/man7/tcp.7.html: `TCP_INFO`, `SIOCOUTQ`).
Elsewhere than on Linux turns are all there is.
"""

import asyncio
import socket
import struct
import sys
from collections.abc import Iterable
from contextlib import suppress
from fcntl import ioctl
from termios import TIOCOUTQ
from typing import Final

from quantdesk.core.clock import SystemClock

_ESTABLISHED: Final = 1  # linux/include/net/tcp_states.h
_SHAKING_HANDS: Final = frozenset({2, 3})
_LISTENING: Final = 10
_TURNS: Final = 60
"""Passes of the loop that a chain of tasks waking each other needs at most."""
_ROUNDS_MAX: Final = 400
"""A side that reads nothing never has its bytes acknowledged: then this was rest enough."""
_PAUSE_S: Final = 0.0005
_CLOCK: Final = SystemClock()  # loopback takes its time, whatever a test makes of its own

_Line = tuple[object, object]  # the two ends of a connection


class Loopback:
    """The connections of this process with itself, as the kernel has them."""

    def __init__(self) -> None:
        self._whole: set[_Line] = set()

    async def rest(self, turns: int = _TURNS) -> None:
        """Return when nothing is under way and every task had its turns."""
        for _ in range(_ROUNDS_MAX):
            was_quiet = not self._is_under_way()
            for _ in range(turns):
                await asyncio.sleep(0)
            if was_quiet and not self._is_under_way():
                return
            if not was_quiet:
                await _CLOCK.sleep(_PAUSE_S)

    def _is_under_way(self) -> bool:
        busy, standing = False, set[_Line]()
        for descriptor in _sockets():
            with suppress(OSError):  # it is no TCP
                busy |= _looked_at(descriptor, standing)
        ends = {(far, near) for near, far in standing}
        parting = (standing & self._whole) - ends  # the other end is closed, this one not told yet
        self._whole = (standing & ends) | parting
        return busy or bool(parting)


def _sockets() -> Iterable[int]:
    """Return what the loop listens to: all but what was told to read no more."""
    selector = getattr(asyncio.get_running_loop(), "_selector", None)
    return selector.get_map() if selector is not None and sys.platform == "linux" else ()


def _looked_at(descriptor: int, standing: set[_Line]) -> bool:
    """Return whether something is under way on a socket; add it to those that stand."""
    looked = socket.socket(socket.AF_INET, socket.SOCK_STREAM, fileno=descriptor)
    try:
        state = looked.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0]
        if state == _ESTABLISHED:
            standing.add((looked.getsockname(), looked.getpeername()))
        if state in _SHAKING_HANDS or state == _LISTENING:
            return state != _LISTENING
        (unheard,) = struct.unpack("i", ioctl(descriptor, TIOCOUTQ, bytes(4)))
        return bool(unheard)
    finally:
        looked.detach()
