"""The web server: uvicorn on a socket that is bound before anything is announced."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from functools import partial

import uvicorn

from quantdesk.api.connections import Bounded, Bounds, Connections
from quantdesk.api.edge import App
from quantdesk.api.express import HotPaths
from quantdesk.api.protection.headers import EVERYWHERE
from quantdesk.api.protection.protection import Protection
from quantdesk.api.wires import WebSocket
from quantdesk.core.errors import Unavailable

_PING_S = 10.0
_PONG_S = 30.0
_IDLE_S = 30
_STOP_S = 2
_STOP_POLL_S = 0.005
_BACKLOG = 1024
_HEADERS = [(name.decode(), value.decode()) for name, value in EVERYWHERE]
_UNSENT = 128 * 1024
"""What the kernel may hold of a connection: a client that reads late should not read old news."""


def bind(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address; port 0 takes a free one.

    Raises `Unavailable` (`port.taken`) when another program has it.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT)  # inherited by each connection
    try:
        bound.bind((host, port))
    except OSError as problem:
        bound.close()
        raise Unavailable(
            f"cannot listen on {host}:{port} ({problem.strerror}); choose another --port",
            code="port.taken",
        ) from problem
    return bound


@asynccontextmanager
async def serving(
    app: App,
    bound: socket.socket,
    *,
    hot_paths: HotPaths | None = None,
    protection: Protection | None = None,
    tls: ssl.SSLContext | None = None,
    bounds: Bounds | None = None,
) -> AsyncIterator[None]:
    """Serve the application, and its hot requests, on a bound socket while the block runs."""
    connections = Connections(bounds or Bounds())
    config = uvicorn.Config(
        app,
        http=partial(
            Bounded,
            hot_paths=hot_paths,
            protection=protection,
            connections=connections,
        ),  # type: ignore[arg-type]
        ws=WebSocket,
        lifespan="off",
        access_log=False,
        log_config=None,
        timeout_keep_alive=_IDLE_S,
        ws_ping_interval=_PING_S,
        ws_ping_timeout=_PONG_S,
        ws_per_message_deflate=False,
        ws_max_size=64 * 1024,
        backlog=_BACKLOG,
        server_header=False,
        proxy_headers=False,
        date_header=False,
        headers=_HEADERS,
        ssl_context_factory=None if tls is None else lambda *_: tls,
    )
    server = _Server(config)
    task = asyncio.get_running_loop().create_task(server.serve([bound]))
    try:
        while not server.started:
            if task.done():
                task.result()
            await asyncio.sleep(0)
        yield
    finally:
        server.stop()
        await task


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers (the process has one owner) and without its clock.

    Its main loop wakes ten times a second for a date header that is off here, and polls as slowly
    when it stops; this one sleeps until it is told.
    """

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def stop(self) -> None:
        """Let `serve` end."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        await self.on_tick(0)  # sets the headers of every answer
        await self._told.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        for bound in sockets or ():
            bound.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        with suppress(TimeoutError):
            async with asyncio.timeout(_STOP_S):
                # Nothing tells when the last of them is gone.
                while self.server_state.connections or self.server_state.tasks:  # noqa: ASYNC110
                    await asyncio.sleep(_STOP_POLL_S)
        for task in self.server_state.tasks:
            task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield
