"""Binance's candle histories on loopback, spot or USD-M, with their bad days on command.

Shapes, limits and statuses:
https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Self

from aiohttp import web

from quantdesk.core.candles import INTERVALS
from quantdesk.testing.serving import Serving

ROWS_MAX: Final = 1_000
_INVALID: Final = {"code": -1121, "msg": "Invalid symbol."}
_BUSY: Final = {"code": -1003, "msg": "Too much request weight used"}


@dataclass(slots=True)
class KlinesServer:
    """Serves candles of one market, BTCUSDT, whose prices follow from their times.

    `since_ms` is when the market was listed, `now_ms` the exchange's time, `down` the windows of a
    minute in which it did not trade at all. `refusals` are statuses that the next questions are
    answered with, each with `retry_after` or nothing; `body` is sent instead of an answer.
    """

    now_ms: int
    since_ms: int = 0
    down: frozenset[int] = frozenset()
    refusals: list[tuple[int, str]] = field(default_factory=list)
    body: str = ""
    asked: list[tuple[str, int, int]] = field(default_factory=list)
    """Interval, first and last millisecond of every question that was answered."""
    url: str = ""
    _serving: Serving = field(default_factory=Serving)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/api/v3/klines", self._serve)
        app.router.add_get("/fapi/v1/klines", self._serve)
        place = await self._serving.begin(app)
        self.url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._serving.end()

    async def _serve(self, request: web.Request) -> web.Response:
        if self.refusals:
            status, retry_after = self.refusals.pop(0)
            headers = {"Retry-After": retry_after} if retry_after else {}
            return web.json_response(_BUSY, status=status, headers=headers)
        query = request.query
        if query["symbol"] != "BTCUSDT":
            return web.json_response(_INVALID, status=400)
        first_ms, last_ms = int(query["startTime"]), int(query["endTime"])
        self.asked.append((query["interval"], first_ms, last_ms))
        if self.body:
            return web.Response(text=self.body, content_type="application/json")
        limit = min(int(query["limit"]), ROWS_MAX)
        return web.json_response(self._rows(query["interval"], first_ms, last_ms)[:limit])

    def _rows(self, interval: str, first_ms: int, last_ms: int) -> list[list[object]]:
        length_ms = INTERVALS[interval]
        begin_ms = -(-max(first_ms, self.since_ms) // length_ms) * length_ms
        opens = range(begin_ms, min(last_ms, self.now_ms) + 1, length_ms)
        return list(self._traded(opens, length_ms))

    def _traded(self, opens: Iterable[int], length_ms: int) -> Iterable[list[object]]:
        for open_ms in opens:
            if open_ms in self.down:
                continue
            number = open_ms // length_ms
            quiet = number % 11 == 0  # as on a thin market: nothing traded, the price stands
            price = 50_000 + number % 97
            high = f"{price}.00000000" if quiet else f"{price + 3}.50000000"
            yield [
                open_ms, f"{price}.00000000", high,
                f"{price}.00000000", f"{price}.00000000", "0.00000000" if quiet else "1.25000000",
                open_ms + length_ms - 1, "0.00000000" if quiet else f"{price * 5}.12500000",
                0 if quiet else 7, "0.00000000" if quiet else "0.50000000", "0.00000000", "0",
            ]  # fmt: skip
