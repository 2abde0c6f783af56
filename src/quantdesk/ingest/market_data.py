"""The market data of a desk joined: what the flow gives to the gate, the books and the candles.

Quote Trade Oracle Mark → gate → board          Trade, as far as it is true → candles
Diff Depth → books                              Kline → candles
"""

from collections.abc import Callable, Mapping

from quantdesk.core.ticks import Depth, Diff, Event, Frame, Kline, Mark, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.books.books import Books, Resync
from quantdesk.ingest.candles.candles import Candles
from quantdesk.ingest.feeds import Feed
from quantdesk.ingest.flow import Flow, Read, Route
from quantdesk.ingest.gate import Gate
from quantdesk.ingest.rejections import Reason, Rejected
from quantdesk.sources.port import Take

_TRUE_ALL_THE_SAME = frozenset({Reason.LATE, Reason.DUPLICATE})
"""What is no price of now any more may still be a trade that no candle has counted: they know."""


class MarketData:
    """A board with its gate, books and candles, and the `flow` that fills them.

    `silent` hear of each feed that has fallen silent, and when (Unix milliseconds).
    """

    def __init__(
        self,
        readers: Mapping[str, Read],
        *,
        board: Board,
        resync: Resync,
        tap: Take | None = None,
    ) -> None:
        """`readers` are how sources read, by name; `resync` asks a source for a book."""
        self.board = board
        self.gate = Gate(board)
        self.books = Books(resync=resync)
        self.candles = Candles()
        self.silent: list[Callable[[Feed, int], object]] = []
        self._why: Reason | None = None
        self.gate.rejected.append(self._note)
        routes: dict[type[Event], tuple[Route, ...]] = {
            Quote: (self.gate.quote,),
            Trade: (self._trade,),
            Oracle: (self.gate.oracle,),
            Mark: (self.gate.mark,),
            Diff: (self.books.diff,),
            Depth: (self.books.depth,),
            Kline: (self.candles.kline,),
        }
        timers = (self._listen, self.books.advance, self._close)
        self.flow = Flow(readers, routes, timers=timers, tap=tap)

    def _trade(self, event: Trade, frame: Frame) -> None:
        self._why = None
        if self.gate.trade(event, frame) or self._why in _TRUE_ALL_THE_SAME:
            self.candles.trade(event, frame)

    def _note(self, rejected: Rejected) -> None:
        self._why = rejected.reason

    def _listen(self, now_ms: int) -> None:
        for feed in self.gate.advance(now_ms):
            for hear in self.silent:
                hear(feed, now_ms)

    def _close(self, now_ms: int) -> None:
        offsets = {feed.source: feed.clock.offset_ms or 0 for feed in self.gate.feeds()}
        self.candles.advance(now_ms, offsets)
