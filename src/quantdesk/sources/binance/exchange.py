"""What Binance spot and USD-M differ in: routes, streams and limits, as tables; pure.

Spot: https://github.com/binance/binance-spot-api-docs/blob/master/web-socket-streams.md
USD-M, its streams split over two routes since April 2026:
https://developers.binance.com/docs/derivatives/usds-margined-futures/websocket-market-streams
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

_STREAMS_MAX: Final = 200
"""Per connection; 1024 are allowed, and a connection that falls takes fewer markets with it."""


@dataclass(frozen=True, slots=True)
class Route:
    """One kind of connection: the frames it makes are of feed `feed`.

    `{}` in a stream's name stands for the pair in lower case; `has_books` says that a gap in it
    makes books wrong.
    """

    feed: str
    path: str
    streams: tuple[str, ...]
    has_books: bool = False


@dataclass(frozen=True, slots=True)
class Exchange:
    """One of Binance's exchanges. Weights are of REST, per minute and address.

    `depths` are how many levels a snapshot may have and what weight that costs, deepest first.
    `weight_share` is half of what an address may spend: the desk's orders ask by the same one.
    """

    name: str
    stream_url: str
    rest_url: str
    routes: tuple[Route, ...]
    info_path: str
    depth_path: str
    depths: tuple[tuple[int, int], ...]
    info_weight: int
    weight_share: int
    asks_by_pair: bool
    """Whether its list of markets can be asked for some pairs alone."""

    def depth(self, books: int) -> tuple[int, int]:
        """Return levels and weight of snapshots, so that this many fit into one minute's share.

        Deep books that take minutes to come are worth less than shallower ones at once.
        """
        fitting = (depth for depth in self.depths if depth[1] * books <= self.weight_share)
        return next(fitting, self.depths[-1])

    def at(self, *, stream_url: str = "", rest_url: str = "") -> "Exchange":
        """Return the same behind other addresses: a mirror, a proxy, a server of tests."""
        return replace(
            self,
            stream_url=(stream_url or self.stream_url).rstrip("/"),
            rest_url=(rest_url or self.rest_url).rstrip("/"),
        )


SPOT: Final = Exchange(
    name="binance",
    stream_url="wss://data-stream.binance.vision",
    rest_url="https://data-api.binance.vision",
    routes=(
        Route(
            feed="ws",
            path="/stream",
            streams=("{}@trade", "{}@bookTicker", "{}@depth@100ms", "{}@kline_1m"),
            has_books=True,
        ),
    ),
    info_path="/api/v3/exchangeInfo",
    depth_path="/api/v3/depth",
    depths=((5_000, 250), (1_000, 50), (500, 25), (100, 5)),
    info_weight=20,
    weight_share=3_000,
    asks_by_pair=True,
)
USD_M: Final = Exchange(
    name="binance.futures",
    stream_url="wss://fstream.binance.com",
    rest_url="https://fapi.binance.com",
    routes=(
        Route(
            feed="public",
            path="/public/stream",
            streams=("{}@bookTicker", "{}@depth@100ms"),
            has_books=True,
        ),
        Route(
            feed="market",
            path="/market/stream",
            streams=("{}@aggTrade", "{}@markPrice@1s", "{}@kline_1m"),
        ),
    ),
    info_path="/fapi/v1/exchangeInfo",
    depth_path="/fapi/v1/depth",
    depths=((1_000, 20), (500, 10), (100, 5)),
    info_weight=1,
    weight_share=1_200,
    asks_by_pair=False,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One connection to make: its route, the pairs on it, and the URL that asks for them."""

    route: Route
    pairs: tuple[str, ...]
    url: str


def lines(exchange: Exchange, pairs: Sequence[str]) -> list[Line]:
    """Return the connections that carry every stream of these pairs, at most 200 on each."""
    made = []
    for route in exchange.routes:
        most = _STREAMS_MAX // len(route.streams)
        for first in range(0, len(pairs), most):
            some = tuple(pairs[first : first + most])
            names = "/".join(name.format(pair.lower()) for pair in some for name in route.streams)
            made.append(Line(route, some, f"{exchange.stream_url}{route.path}?streams={names}"))
    return made
