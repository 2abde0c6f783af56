"""A transport that gives up on answers larger than any a provider has reason to send."""

from collections.abc import AsyncIterator
from typing import Final

import httpx2

ANSWER_BYTES_MAX: Final = 1 << 20


class Bounded(httpx2.AsyncBaseTransport):
    """Passes requests on; an answer past `ANSWER_BYTES_MAX` is an `httpx2.ReadError`."""

    def __init__(self, transport: httpx2.AsyncBaseTransport | None = None) -> None:
        self._transport = transport or httpx2.AsyncHTTPTransport()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Return the answer, its body bounded."""
        response = await self._transport.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, stream: httpx2.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        left = ANSWER_BYTES_MAX
        async for part in self._stream:
            left -= len(part)
            if left < 0:
                raise httpx2.ReadError("the answer is larger than any we asked for")
            yield part

    async def aclose(self) -> None:
        await self._stream.aclose()
