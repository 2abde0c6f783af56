"""A Crossbar server on loopback that answers as the real one does, and has its bad days on command.

Format: https://docs.rs/crate/switchboard-on-demand/latest/source/src/client/crossbar.rs
"""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Self

from aiohttp import web

from quantdesk.testing.serving import Serving


class Crossbar:
    """Answers for the feeds that `publish` gave results, and with an error for one that `fail`ed.

    Bad days: `status` other than 200 answers every request with that; `freeze` never answers those
    that wait now, nor the next one; `cut` closes the connection on the next request; `body` is said
    instead of an answer.
    """

    def __init__(self) -> None:
        self._answers: dict[str, dict[str, Any]] = {}
        self._closing = asyncio.Event()
        self._frozen = 0
        self._cut = 0
        self._serving = Serving()
        self.base_url = ""
        self.status = int(HTTPStatus.OK)
        self.retry_after = ""
        self.body: bytes | None = None
        self.paths: list[str] = []

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/simulate/solana/{network}/{feeds}", self._serve)
        place = await self._serving.begin(app, cancels=True)
        self.base_url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        self._closing.set()
        await self._serving.end()

    def publish(self, pubkey: str, results: Sequence[float | str | None]) -> None:
        """Have the feed's jobs find these."""
        self._answers[pubkey] = {
            "feed": pubkey, "feedHash": f"0x{len(pubkey):064x}", "results": [*results],
        }  # fmt: skip

    def fail(self, pubkey: str, error: str = "job failed: HTTP 500") -> None:
        """Have the feed's jobs find nothing."""
        self.publish(pubkey, [])
        self._answers[pubkey]["error"] = error

    def freeze(self) -> None:
        """Leave the next request without an answer for good."""
        self._frozen += 1

    def cut(self) -> None:
        """Close the connection of the next request instead of answering.

        And of the one after it: clients of HTTP ask again at once, on their own.
        """
        self._cut += 2

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        self.paths.append(request.path)
        if self._frozen:
            self._frozen -= 1
            await self._closing.wait()
        if self._cut:
            self._cut -= 1
            assert request.transport is not None, "it came by a connection"
            request.transport.close()
        if self.status != HTTPStatus.OK:
            headers = {"Retry-After": self.retry_after} if self.retry_after else {}
            return web.Response(
                status=self.status, text=HTTPStatus(self.status).phrase, headers=headers
            )
        asked = request.match_info["feeds"].split(",")
        said = [self._answers[one] for one in asked if one in self._answers]
        body = json.dumps(said).encode() if self.body is None else self.body
        return web.Response(body=body, content_type="application/json")
