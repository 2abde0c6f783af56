"""One server-sent stream of a source: each event to a plain function, until it ends.

An HTTP answer that never ends, as `socket.py` is for WebSockets; what its bytes mean says `sse.py`.
Comments (keep-alives) are not heard: a server that sends nothing else has nothing to say.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Final

import aiohttp

from quantdesk.core.clock import Clock
from quantdesk.sources.sse import Events

Hear = Callable[[bytes], None]

_ERROR: Final = "error"
_WORDS_MAX: Final = 200


class EventStream:
    """An open stream; `heard` counts the events that came by it.

    `counts` gains oversized, the events that were too long to be kept.
    """

    def __init__(
        self, response: aiohttp.ClientResponse, hear: Hear, *, counts: Counter[str]
    ) -> None:
        self._response = response
        self._hear = hear
        self._counts = counts
        self._heard = 0
        self._over = asyncio.ensure_future(self._listen())

    @property
    def heard(self) -> int:
        """Return how many messages came."""
        return self._heard

    async def over(self, *, seconds: float, clock: Clock) -> str:
        """Return why the stream is over, "" when it still stands after that many seconds.

        An error of ours in the function that hears is raised here.
        """
        alarm = asyncio.ensure_future(clock.sleep(seconds))
        try:
            await asyncio.wait({self._over, alarm}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            alarm.cancel()
        return self._over.result() if self._over.done() else ""

    def close(self) -> None:
        """Cut the connection; nothing more is heard."""
        self._over.cancel()
        self._response.close()

    async def _listen(self) -> str:
        events = Events()
        try:
            while chunk := await self._response.content.readany():
                for event in events.feed(chunk):
                    if event.name == _ERROR:
                        said = event.data[:_WORDS_MAX].decode("utf-8", "replace")
                        return f"ended by the server: {said}"
                    self._heard += 1
                    self._hear(event.data)
        except (aiohttp.ClientError, OSError) as problem:
            return str(problem) or type(problem).__name__
        finally:
            self._counts["oversized"] += events.oversized
        return "the connection was cut"
