"""A desk's front on loopback with one hot path and one page, spoken to in bytes."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.requests import Request as PageRequest

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.model import Permission, Principal
from quantdesk.api.edge import Edge, Files, Hot, Receive, Reply, Request, Scope, Send
from quantdesk.api.pages import pages
from quantdesk.api.protection.guarded import Guarded
from quantdesk.api.protection.protection import Protection
from quantdesk.api.server import bind, serving
from quantdesk.settings import ApiSettings
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

KEY = new_key()
HOST = "Host: 127.0.0.1:4000\r\n"
SIGNED = f"Authorization: Bearer {KEY}\r\n"
TYPED = "Content-Type: application/json\r\nContent-Length: 2\r\n"


class Answer(NamedTuple):
    """What came back; headers as they were sent, names in lower case."""

    status: int
    fields: list[tuple[str, str]]
    body: bytes

    @property
    def headers(self) -> dict[str, str]:
        """Return the headers; fail when one was sent twice."""
        names = [name for name, _ in self.fields]
        assert len(names) == len(set(names)), self.fields
        return dict(self.fields)


class Front:
    """The server, and how often its hot path was served."""

    def __init__(self, port: int, trust: ssl.SSLContext | None) -> None:
        self.port = port
        self._trust = trust
        self.seen: list[Scope] = []
        self.placed = 0

    async def say(self, said: str) -> Answer:
        """Return the answer to a request, given in full."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", self.port, ssl=self._trust, server_hostname="desk" if self._trust else None
        )
        writer.write(said.encode("latin-1"))
        async with asyncio.timeout(60):
            heard = await reader.read()
        writer.close()
        return answer(heard)

    async def get(self, path: str = "/who", headers: str = HOST) -> Answer:
        """Return the answer to a GET of the owner's."""
        return await self.say(f"GET {path} HTTP/1.1\r\n{headers}{SIGNED}Connection: close\r\n\r\n")

    async def post(
        self, headers: str = HOST, *, path: str = "/hot", method: str = "POST"
    ) -> Answer:
        """Return the answer to a POST of the owner's."""
        return await self.say(
            f"{method} {path} HTTP/1.1\r\n{headers}{SIGNED}{TYPED}Connection: close\r\n\r\n{{}}"
        )


def answer(heard: bytes) -> Answer:
    """Return an answer read from its bytes."""
    head, _, body = heard.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    fields = [(name.lower(), value) for name, _, value in (line.partition(": ") for line in lines)]
    return Answer(int(first.split()[1]), fields, body)


@asynccontextmanager
async def front(
    *,
    context: ssl.SSLContext | None = None,
    trust: ssl.SSLContext | None = None,
    names: tuple[str, ...] = (),
    files: Files | None = None,
    **api: object,
) -> AsyncIterator[Front]:
    """Serve while the block runs, with these settings of `api`."""
    bound = bind("127.0.0.1", 0)
    opened = Front(bound.getsockname()[1], trust)

    async def hot(request: Request) -> Reply:
        opened.placed += 1
        return Reply(201, request.body)

    async def socket(_: Principal, scope: Scope, __: Receive, send: Send) -> bool:
        opened.seen.append(scope)
        await send({"type": "websocket.close", "code": 1000})
        return True

    router = APIRouter()

    @router.get("/who")
    async def who(request: PageRequest) -> Response:
        opened.seen.append(request.scope)
        return Response(b"{}", media_type="application/json")

    @router.post("/page")
    async def page() -> Response:
        opened.placed += 1
        return Response(b"{}", media_type="application/json")

    metrics = Metrics()
    edge = Edge(
        keys=Keys({digest(KEY): key_holder(UUID(int=1))}),
        hot={("POST", "/hot"): Hot(Permission.ORDERS_WRITE, hot)},
        socket=socket,
        pages=pages([router], version="1", metrics=metrics),
        metrics=metrics,
    )
    if files is not None:
        edge.show(files)
    protection = Protection(ApiSettings.model_validate(api), names=names)
    guarded = Guarded(edge, protection, metrics=metrics)
    async with serving(guarded, bound, hot_paths=edge, protection=protection, tls=context):
        yield opened
    bound.close()
