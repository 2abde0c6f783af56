"""Addresses of loopback for servers that are told where to listen, and may be started there again.

A port the system hands out is one of those it also gives to every outgoing connection: once it is
let go, a connection of anybody may hold it before the server listens. These lie below that range
(32768 and up on Linux: https://docs.kernel.org/networking/ip-sysctl.html, ip_local_port_range).
"""

import os
import socket
from collections.abc import Iterator
from itertools import chain
from typing import Final

FIRST: Final = 12_000
LAST: Final = 32_000

_spread = os.getpid() * 97 % (LAST - FIRST)
_untried: Iterator[int] = chain(range(FIRST + _spread, LAST), range(FIRST, FIRST + _spread))


def reserved_port() -> int:
    """Return a port that nobody listens at; no port is returned twice."""
    for port in _untried:
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:
            continue
        return port
    raise AssertionError(f"every port from {FIRST} to {LAST} was handed out or is taken")
