"""What stands at the border is asked on every way in, and hears of every refusal once."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack
from uuid import UUID

import pytest
from fastapi import APIRouter

from quantdesk.access.keys import Keys, digest, new_key
from quantdesk.access.limits.refusing import TooMany
from quantdesk.access.model import Origin, Permission, Principal, Role
from quantdesk.api.border import Border
from quantdesk.api.edge import Edge, Hot, Reply, Request
from quantdesk.api.given import Peer
from quantdesk.api.needs import needs
from quantdesk.api.pages import pages
from quantdesk.api.server import bind, serving
from quantdesk.core.errors import DeskError, Refused
from quantdesk.telemetry.metrics import Metrics
from quantdesk.testing.principals import key_holder

pytestmark = pytest.mark.anyio
KEY, VIEWER = new_key(), new_key()


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Guarded:
    """A desk with a guard at its border: on the express lane, and without it."""

    def __init__(self) -> None:
        self.asked: list[tuple[bool, str, str, str]] = []
        self.refused: list[tuple[str, bool, str, str]] = []
        self.full = False
        self.ports: list[int] = []

    def admit(
        self, caller: Principal | None, origin: Origin, method: str, path: str
    ) -> Sequence[tuple[bytes, bytes]]:
        """Let in until it is full."""
        self.asked.append((caller is not None, origin.ip, method, path))
        if self.full:
            raise TooMany("too many", wait_s=7, code="request.too_many")
        return [(b"ratelimit", b"r=9")]

    def hear(self, problem: DeskError, caller: Principal | None, origin: Origin, path: str) -> None:
        """Hear of a refusal."""
        self.refused.append((problem.code, caller is not None, origin.ip, path))


def behind(peer: Peer, headers: Mapping[bytes, bytes]) -> Peer:
    """Believe what a proxy says."""
    return Peer(headers.get(b"x-real-ip", peer.ip.encode()).decode(), peer.scheme)


@pytest.fixture
async def desk() -> AsyncIterator[Guarded]:
    guarded = Guarded()
    router = APIRouter()

    @router.get("/page", **needs(Permission.LIMITS_WRITE))
    async def page() -> None:
        raise Refused("no", code="page.no")

    async def serve(_: Request) -> Reply:
        raise Refused("no", code="hot.no")

    async def socketless(*_: object) -> bool:
        return False

    metrics = Metrics()
    edge = Edge(
        keys=Keys(
            {
                digest(KEY): key_holder(UUID(int=1)),
                digest(VIEWER): key_holder(UUID(int=2), Role.VIEWER),
            }
        ),
        hot={("POST", "/hot"): Hot(Permission.ORDERS_WRITE, serve)},
        socket=socketless,
        pages=pages([router], version="1", metrics=metrics),
        metrics=metrics,
        border=Border(seen=behind, admit=guarded.admit, refused=guarded.hear),
    )
    async with AsyncExitStack() as stack:
        for hot_paths in (edge, None):
            bound = bind("127.0.0.1", 0)
            guarded.ports.append(bound.getsockname()[1])
            await stack.enter_async_context(serving(edge, bound, hot_paths=hot_paths))
        yield guarded


async def ask(port: int, method: str, path: str, key: str) -> str:
    """Return the answer to a request with a key, from behind a proxy."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    headers = (
        f"host: desk\r\nauthorization: Bearer {key}\r\nx-real-ip: 192.0.2.9\r\n"
        "content-type: application/json\r\ncontent-length: 2\r\nconnection: close\r\n"
    )
    writer.write(f"{method} {path} HTTP/1.1\r\n{headers}\r\n{{}}".encode())
    answer = (await reader.read()).decode()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("method", "path", "key", "code"),
    [
        ("POST", "/hot", KEY, "hot.no"),
        ("POST", "/hot", VIEWER, "request.forbidden"),
        ("POST", "/hot", "qd_nobody", "request.unauthenticated"),
        ("GET", "/page", KEY, "page.no"),
        ("GET", "/page", VIEWER, "request.forbidden"),
        ("GET", "/page", "qd_nobody", "request.unauthenticated"),
        ("GET", "/nowhere", KEY, "request.not_found"),
    ],
)
async def test_every_request_is_asked_about_and_every_refusal_told_once(
    desk: Guarded, method: str, path: str, key: str, code: str
) -> None:
    known = key != "qd_nobody"
    for port in desk.ports:
        desk.asked.clear()
        desk.refused.clear()

        answer = await ask(port, method, path, key)

        assert f'"code":"{code}"' in answer
        assert len(re.findall("ratelimit: r=9", answer)) == 1
        assert desk.asked == [(known, "192.0.2.9", method, path)]
        assert desk.refused == [(code, known, "192.0.2.9", path)]


@pytest.mark.parametrize(("method", "path"), [("POST", "/hot"), ("GET", "/page")])
async def test_whoever_is_turned_away_is_told_when_to_come_back(
    desk: Guarded, method: str, path: str
) -> None:
    desk.full = True
    for port in desk.ports:
        answer = await ask(port, method, path, KEY)

        assert '"code":"request.too_many"' in answer
        assert len(re.findall("retry-after: 7", answer)) == 1
    assert [code for code, *_ in desk.refused] == ["request.too_many"] * 2
