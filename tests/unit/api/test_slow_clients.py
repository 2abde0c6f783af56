"""A client that drips its request is answered and let go; one that waits for an answer is not."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from quantdesk.api import express
from quantdesk.api.edge import Message, Receive, Scope, Send
from quantdesk.api.server import bind, serving

pytestmark = pytest.mark.anyio

HEAD = b"POST / HTTP/1.1\r\nHost: desk\r\n"
BOUND_S = 0.05


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer after longer than a request may take to arrive."""
    message: Message = {"more_body": True}
    while message.get("more_body"):
        message = await receive()
    if message["type"] == "http.disconnect":
        return
    await asyncio.sleep(BOUND_S * 2)
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


@pytest.fixture
async def port(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[int]:
    monkeypatch.setattr(express, "REQUEST_S", BOUND_S)
    bound = bind("127.0.0.1", 0)
    async with serving(app, bound):
        yield bound.getsockname()[1]


async def spoken(port: int, opening: bytes, drip: bytes) -> bytes:
    """Return all that the desk answers to an opening and then drips until it hangs up."""
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(0)
        async with asyncio.timeout(60):
            await loop.sock_sendall(client, opening)
            answer = asyncio.ensure_future(_heard(client))
            while drip and not answer.done():
                with suppress(ConnectionError):  # it hung up meanwhile: what it said is being read
                    await loop.sock_sendall(client, drip)
                await asyncio.sleep(BOUND_S / 50)
            return await answer


async def _heard(client: socket.socket) -> bytes:
    # Not a stream of asyncio: that forgets what it holds when the other side hangs up on a drip.
    heard = b""
    with suppress(ConnectionError):
        while chunk := await asyncio.get_running_loop().sock_recv(client, 65_536):
            heard += chunk
    return heard


@pytest.mark.parametrize(
    ("opening", "drip"),
    [
        (b"", b""),
        (HEAD, b"X: y\r\n"),
        (HEAD, b""),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b" "),
        (HEAD + b"Content-Length: 9999\r\n\r\n", b""),
        (HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
    ],
    ids=["nothing", "headers", "half a head", "body", "half a body", "chunks"],
)
async def test_lets_go_of_a_client_that_drips_its_request(
    port: int, opening: bytes, drip: bytes
) -> None:
    head, _, body = (await spoken(port, opening, drip)).partition(b"\r\n\r\n")

    assert head.startswith(b"HTTP/1.1 408 ")
    problem = json.loads(body)
    assert (problem["status"], problem["code"]) == (408, "request.slow")


async def test_lets_a_whole_request_wait_for_its_answer(port: int) -> None:
    request = HEAD + b"Connection: close\r\nContent-Length: 1\r\n\r\n "

    assert (await spoken(port, request, b"")).startswith(b"HTTP/1.1 204 ")
