"""Access behind the desk's own web server and edge, with a way to sign in that believes anybody."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from uuid import UUID

import aiohttp
import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import Response
from tests.flow.access.world import World
from yarl import URL

from quantdesk.access import store
from quantdesk.access.model import Permission, Principal
from quantdesk.api.border import Border
from quantdesk.api.edge import Edge, Hot, Receive, Reply, Scope, Send
from quantdesk.api.edge import Request as HotRequest
from quantdesk.api.needs import public
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.api.sessions import SessionRoutes
from quantdesk.api.welcome import answered
from quantdesk.telemetry.metrics import Metrics

WAIT_S = 60.0


@dataclass
class Answer:
    """What was answered."""

    status: int
    body: Any
    cookies: SimpleCookie = field(default_factory=SimpleCookie)

    @property
    def code(self) -> str:
        """Return the code of a problem."""
        code: str = self.body["code"]
        return code


@dataclass
class Browser:
    """A browser of one person: it keeps cookies, and sends them wherever it is told to."""

    url: str
    session: aiohttp.ClientSession
    cookies: dict[str, str] = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: object = None, **headers: str) -> Answer:
        """Return the answer to a request with the cookies of this browser."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        data = None if body is None else msgspec.json.encode(body)
        if data is not None:
            sent["Content-Type"] = "application/json"
        async with self.session.request(
            method, URL(self.url + path, encoded=True), data=data, headers=sent
        ) as got:
            raw = await got.read()
            answer = Answer(got.status, msgspec.json.decode(raw) if raw else None, got.cookies)
        for name, morsel in answer.cookies.items():
            self.cookies[name] = morsel.value
        return answer

    def own(self) -> dict[str, str]:
        """Return what the desk's own pages send beside the cookies."""
        return {"Origin": self.url, "X_CSRF_Token": self.cookies.get("qd_csrf", "")}

    async def sign_in(self, account_id: UUID) -> Answer:
        """Sign in for cookies."""
        path = f"/api/auth/test/{account_id}?cookie=true"
        answer = await self.ask("POST", path, Origin=self.url)
        assert answer.status == 200, answer
        return answer

    @asynccontextmanager
    async def socket(
        self, path: str, **headers: str
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Open a socket with the cookies of this browser."""
        sent = dict(headers)
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{k}={v}" for k, v in self.cookies.items())
        async with self.session.ws_connect(self.url + path, headers=sent) as socket:
            yield socket


@dataclass
class Served:
    """A desk that serves; `refused` holds what the edge told of refusals."""

    url: str
    desk: World
    edge: Edge
    refused: list[tuple[str, str]]

    @asynccontextmanager
    async def browser(self) -> AsyncIterator[Browser]:
        """Open a browser without cookies."""
        timeout = aiohttp.ClientTimeout(total=WAIT_S)
        async with aiohttp.ClientSession(
            timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
        ) as session:
            yield Browser(self.url, session)


def sign_in_route(desk: World) -> APIRouter:
    """Return a way to sign in that believes anybody."""
    router = APIRouter()

    @router.post("/api/auth/test/{account_id}", **public())
    async def sign_in(request: Request, account_id: UUID, *, cookie: bool = False) -> Response:
        async with desk.pools.read.connection() as c:
            account = await store.account(c, account_id)
        assert account is not None
        outcome = await desk.entrance.begin(account, method="test", origin=request.scope["origin"])
        return answered(outcome, cookie=cookie)

    return router


async def echo(request: HotRequest) -> Reply:
    """Answer with whom the request spoke for."""
    told = {"account": str(request.principal.account_id), "ip": request.origin.ip}
    return Reply(201, msgspec.json.encode(told))


async def talk(caller: Principal, _: Scope, receive: Receive, send: Send) -> bool:
    """Say who is there, then wait until they leave."""
    await send({"type": "websocket.send", "text": str(caller.account_id)})
    while (await receive())["type"] != "websocket.disconnect":
        pass
    return True


@asynccontextmanager
async def served(
    desk: World, *routers: APIRouter, origins: frozenset[str] = frozenset()
) -> AsyncIterator[Served]:
    """Serve while the block runs."""
    metrics = Metrics()
    refused: list[tuple[str, str]] = []
    routes = SessionRoutes(sessions=desk.sessions, tickets=desk.tickets, origins=origins)
    edge = Edge(
        keys=desk.callers,
        hot={("POST", "/echo"): Hot(Permission.ORDERS_WRITE, echo)},
        socket=talk,
        pages=pages([routes.routes(), sign_in_route(desk), *routers], version="1", metrics=metrics),
        metrics=metrics,
        border=Border(
            origins=origins,
            refused=lambda problem, _caller, _origin, path: refused.append((problem.code, path)),
        ),
    )
    bound = bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{bound.getsockname()[1]}"
    async with serving(edge, bound, hot_paths=edge):
        yield Served(url, desk, edge, refused)
