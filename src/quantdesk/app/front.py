"""The front of a desk: the socket it listens on, its certificate, what stands before the edge."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import Protocol

from quantdesk.api.connections import Bounds
from quantdesk.api.edge import Receive, Scope, Send
from quantdesk.api.express import HotPaths
from quantdesk.api.protection import listening
from quantdesk.api.protection.guarded import Guarded
from quantdesk.api.protection.protection import Protection
from quantdesk.api.server import bind, serving
from quantdesk.api.tls import Tls
from quantdesk.app.background import Background
from quantdesk.core.clock import Clock
from quantdesk.settings import ApiSettings
from quantdesk.telemetry.metrics import Metrics


class Served(HotPaths, Protocol):
    """What is served: the edge, or the little of a process without one."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request or socket."""


@dataclass(frozen=True, slots=True)
class Front:
    """A socket that is bound, and who may come through it."""

    bound: socket
    tls: Tls | None
    protection: Protection
    bounds: Bounds

    @property
    def url(self) -> str:
        """Return where it listens."""
        host, port = self.bound.getsockname()[:2]
        named = f"[{host}]" if ":" in host else host
        return f"{'https' if self.tls else 'http'}://{named}:{port}"

    @property
    def pinned(self) -> dict[str, str]:
        """Return what tools of this machine know the desk by, for `desk.json`."""
        return {} if self.tls is None else {"cert": str(self.tls.cert)}

    async def serve(
        self,
        stack: AsyncExitStack,
        background: Background,
        edge: Served,
        *,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        """Serve the edge until the stack unwinds."""
        guarded = Guarded(edge, self.protection, metrics=metrics)
        context = None
        if self.tls is not None:
            context = self.tls.context
            background.begin("tls renewal", partial(self.tls.run, clock.sleep))
        await stack.enter_async_context(
            serving(
                guarded,
                self.bound,
                hot_paths=edge,
                protection=self.protection,
                tls=context,
                bounds=self.bounds,
            )
        )


def open_front(stack: AsyncExitStack, api: ApiSettings) -> Front:
    """Bind the socket of these settings; it is closed when the stack unwinds.

    Raises `Refused` (`listen.insecure`, `settings.invalid`, `tls.unreadable`, `key.*`) and
    `Unavailable` (`port.taken`).
    """
    listening.check(api)
    tls = None
    if api.tls_cert:
        tls = Tls(_place(api.tls_cert), _place(api.tls_key))
    protection = Protection(api, names=tls.names if tls else ())
    bound = bind(api.host, api.port)
    stack.callback(bound.close)
    bounds = Bounds(total=api.connections, per_address=api.connections_per_address)
    return Front(bound, tls, protection, bounds)


def _place(named: str) -> Path:
    return Path(named).expanduser().absolute()
