"""Kraken's markets and candles on loopback, as ccxt asks for them, with bad days on command.

Shapes: https://docs.kraken.com/api-reference/market-data/get-ohlc-data and
https://docs.kraken.com/api-reference/market-data/get-tradable-asset-pairs
"""

from dataclasses import dataclass, field
from typing import Final, Self

from aiohttp import web

from quantdesk.testing.serving import Serving

ROWS_MAX: Final = 720
_PAIR: Final = {
    "altname": "XBTUSD", "wsname": "XBT/USD", "aclass_base": "currency", "base": "XXBT",
    "aclass_quote": "currency", "quote": "ZUSD", "lot": "unit", "pair_decimals": 1,
    "lot_decimals": 8, "lot_multiplier": 1, "leverage_buy": [2, 3], "leverage_sell": [2, 3],
    "fees": [[0, 0.4]], "fees_maker": [[0, 0.25]], "ordermin": "0.00005", "costmin": "0.5",
    "tick_size": "0.1", "status": "online",
}  # fmt: skip
_ASSETS: Final = {
    "XXBT": {"aclass": "currency", "altname": "XBT", "decimals": 10, "display_decimals": 5},
    "ZUSD": {"aclass": "currency", "altname": "USD", "decimals": 4, "display_decimals": 2},
}


@dataclass(slots=True)
class KrakenServer:
    """Serves candles of one market, BTC/USD; whatever is asked, the latest `ROWS_MAX` at most.

    `price` and `volume` are put into the answer as they are written here, in JSON. `refusals` are
    status, `Retry-After` and body that the next questions for candles are answered with.
    """

    now_ms: int
    price: str = '"50000.1"'
    volume: str = '"1.25000000"'
    down: frozenset[int] = frozenset()
    refusals: list[tuple[int, str, str]] = field(default_factory=list)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Interval in minutes and `since` in seconds of every question for candles."""
    url: str = ""
    _serving: Serving = field(default_factory=Serving)

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/0/public/AssetPairs", _pairs)
        app.router.add_get("/0/public/Assets", _assets)
        app.router.add_get("/0/public/OHLC", self._serve)
        place = await self._serving.begin(app)
        self.url = f"http://{place}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._serving.end()

    async def _serve(self, request: web.Request) -> web.Response:
        query = request.query
        self.asked.append((query["interval"], query["since"]))
        if self.refusals:
            status, retry_after, body = self.refusals.pop(0)
            headers = {"Retry-After": retry_after} if retry_after else {}
            return web.Response(
                status=status, text=body, headers=headers, content_type="application/json"
            )
        rows = ",".join(self._rows(int(query["interval"]) * 60, int(query["since"])))
        body = f'{{"error":[],"result":{{"XXBTZUSD":[{rows}],"last":0}}}}'
        return web.Response(text=body, content_type="application/json")

    def _rows(self, length_s: int, since_s: int) -> list[str]:
        latest_s = self.now_ms // 1_000 // length_s * length_s
        first_s = max(since_s + length_s, latest_s - (ROWS_MAX - 1) * length_s)
        price, volume = self.price, self.volume
        return [
            f"[{at_s},{price},{price},{price},{price},{price},{volume},7]"
            for at_s in range(-(-first_s // length_s) * length_s, latest_s + 1, length_s)
            if at_s * 1_000 not in self.down
        ]


async def _pairs(_: web.Request) -> web.Response:
    return web.json_response({"error": [], "result": {"XXBTZUSD": _PAIR}})


async def _assets(_: web.Request) -> web.Response:
    return web.json_response({"error": [], "result": _ASSETS})
