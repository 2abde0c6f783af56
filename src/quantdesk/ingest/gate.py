"""The gate: every price passes it once, between a source's reader and all who use what it says.

Rules in their order: sane numbers, duplicate and order, clock, jump from the feed's own history.
What a price is worth beyond that (age, confidence, agreement, market hours) is told by the board
when it is read. Now is when a frame arrived: the same frames in the same order give the same
verdicts. The questions asked of every message are inline here; what few messages need is in
`rules.py`, `clocks.py` and `outliers.py`.
"""

from collections.abc import Callable, Iterator
from typing import Final

from quantdesk.core.ticks import Event, Frame, Mark, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.clocks import SourceClock
from quantdesk.ingest.feeds import DERIVATIVES, NO_ORDER, PLAYED, Feed, Kind
from quantdesk.ingest.outliers import PriceEvent
from quantdesk.ingest.rejections import Reason, Rejected, Rejections
from quantdesk.ingest.rules import (
    EVENT_MS_MAX,
    PRICE_MAX,
    PRICE_MIN,
    SIZE_MAX,
    crossed,
    disordered,
    floats,
    insane,
    mistimed,
    note_missing,
)

Heard = Callable[[PriceEvent, Frame], None]
"""Is handed an event and the frame it came in; returns at once and raises nothing."""

_NS_PER_MS = 1_000_000
_POWERS: Final = {exponent: 10.0**exponent for exponent in range(-40, 41)}
_INTEGER_MAX = 1 << 100

_Key = tuple[str, str, str]
_Word = tuple[int, int, object, object]


class Gate:
    """Takes price events or says why not, and keeps a record of every feed.

    Listeners: `accepted` of a kind hear what may be used, in order, confirmed jumps included;
    `rejected` hear a `Rejected`; `quarantined` hear a jump when it is held back and `confirmed`
    when it is believed after all (just before `accepted` do). Trades are facts and reach `accepted`
    at once even when they jump: it is only as prices that they wait.
    """

    def __init__(self, board: Board) -> None:
        self._board = board
        self._clocks: dict[str, SourceClock] = {}
        self._quotes: dict[_Key, Feed] = {}
        self._trades: dict[_Key, Feed] = {}
        self._oracles: dict[_Key, Feed] = {}
        self._marks: dict[_Key, Feed] = {}
        self.rejections = Rejections()
        self.accepted: dict[type[PriceEvent], list[Heard]] = {
            Quote: [], Trade: [], Oracle: [], Mark: [],
        }  # fmt: skip
        self.rejected: list[Callable[[Rejected], None]] = []
        self.quarantined: list[Heard] = []
        self.confirmed: list[Heard] = []

    def take(self, event: Event, frame: Frame) -> bool:
        """Return whether an event may be used; those that carry no price always may."""
        if isinstance(event, Quote):
            return self.quote(event, frame)
        if isinstance(event, Trade):
            return self.trade(event, frame)
        if isinstance(event, Oracle):
            return self.oracle(event, frame)
        return self.mark(event, frame) if isinstance(event, Mark) else True

    def quote(self, event: Quote, frame: Frame) -> bool:
        """Judge the top of a book; its sizes are no prices and are left to those who use them."""
        key = (frame.source, event.symbol, event.currency)
        feed = self._quotes.get(key) or self._open(self._quotes, key, Kind.QUOTE)
        last = feed.event
        if last is not None and event.bid == last.bid and event.ask == last.ask:
            price = feed.price  # sizes alone changed, as most often
        else:
            try:
                bid, ask = floats(event.bid, event.ask)
            except ValueError:
                return self._reject(Reason.NOT_A_NUMBER, feed, frame)
            if not PRICE_MIN <= bid < ask <= PRICE_MAX:
                return self._reject(crossed(bid, ask), feed, frame)
            price = (bid + ask) / 2
        order = event.update_id
        if order <= feed.order:
            reason = Reason.DUPLICATE if order == feed.order else Reason.OLDER
            feed.turn_away(order)
            return self._reject(reason, feed, frame)
        if event.event_ms is not None and not self._timely(feed, event.event_ms, frame):
            return self._reject(mistimed(event.event_ms), feed, frame)
        feed.order = order
        near = feed.low <= price <= feed.high
        return (
            self._settle(feed, event, frame, price)
            if near
            else self._weigh(feed, event, frame, price)
        )

    def trade(self, event: Trade, frame: Frame) -> bool:
        """Judge a trade on an exchange."""
        key = (frame.source, event.symbol, event.currency)
        feed = self._trades.get(key) or self._open(self._trades, key, Kind.TRADE)
        try:
            price, size = floats(event.price, event.quantity)
        except ValueError:
            return self._reject(Reason.NOT_A_NUMBER, feed, frame)
        if not (PRICE_MIN <= price <= PRICE_MAX and 0.0 < size < SIZE_MAX):
            return self._reject(insane(price, size), feed, frame)
        trade_id = event.trade_id
        if trade_id <= feed.order:
            feed.turn_away(trade_id)
            return self._reject(disordered(feed, trade_id), feed, frame)
        if not self._timely(feed, event.event_ms, frame):
            return self._reject(mistimed(event.event_ms), feed, frame)
        if trade_id > feed.order + 1 and feed.order != NO_ORDER:
            note_missing(feed, trade_id)
        feed.order = trade_id
        near = feed.low <= price <= feed.high
        return (
            self._settle(feed, event, frame, price)
            if near
            else self._weigh(feed, event, frame, price)
        )

    def oracle(self, event: Oracle, frame: Frame) -> bool:
        """Judge the word of an oracle."""
        key = (frame.source, event.symbol, event.currency)
        feed = self._oracles.get(key) or self._open(self._oracles, key, Kind.QUOTE)
        power = _POWERS.get(event.exponent)
        sized = abs(event.price) < _INTEGER_MAX and 0 <= event.confidence < _INTEGER_MAX
        if power is None or not sized:
            return self._reject(Reason.NOT_A_NUMBER, feed, frame)
        price = event.price * power
        if not PRICE_MIN <= price <= PRICE_MAX:
            return self._reject(insane(price), feed, frame)
        word = (event.event_ms, event.order, event.price, event.confidence)
        return self._follow(feed, event, frame, price, word)

    def mark(self, event: Mark, frame: Frame) -> bool:
        """Judge a mark price; its index stands for the asset, the mark for the perpetual alone."""
        key = (frame.source, event.symbol, event.currency)
        feed = self._marks.get(key) or self._open(self._marks, key, Kind.INDEX)
        try:
            price, mark = floats(event.index, event.mark)
            funded = -1.0 <= float(event.funding_rate or 0) <= 1.0
        except ValueError:
            return self._reject(Reason.NOT_A_NUMBER, feed, frame)
        if not (PRICE_MIN <= price <= PRICE_MAX and PRICE_MIN <= mark <= PRICE_MAX and funded):
            return self._reject(insane(price, mark), feed, frame)
        return self._follow(feed, event, frame, price, (event.event_ms, 0, event.index, event.mark))

    def advance(self, now_ms: int) -> list[Feed]:
        """Note which feeds have fallen silent, and return those that newly have.

        A feed may be silent only because its source numbers its messages anew, as after the
        exchange's maintenance: then its order begins anew too. Its history stays, so that what it
        says first is held against what it said before.
        """
        fallen = []
        for feed in self.feeds():
            if feed.silent:
                if feed.numbered_anew:
                    feed.begin_anew()
            elif feed.ticks and now_ms - feed.received_ms > feed.patience_ms:
                feed.silent = True
                self._upset(feed)
                fallen.append(feed)
        return fallen

    def feeds(self) -> Iterator[Feed]:
        """Yield every feed there is."""
        for feeds in (self._quotes, self._trades, self._oracles, self._marks):
            yield from feeds.values()

    def _open(self, feeds: dict[_Key, Feed], key: _Key, kind: Kind) -> Feed:
        source = key[0]
        clock = self._clocks.get(source)
        if clock is None:
            clock = self._clocks[source] = SourceClock(replayed=source.startswith(PLAYED))
        if kind is not Kind.INDEX and source.removeprefix(PLAYED) in DERIVATIVES:
            kind = Kind.DERIVED
        feed = feeds[key] = Feed(key, kind, clock)
        self._board.follow(feed)
        return feed

    def _timely(self, feed: Feed, event_ms: int, frame: Frame) -> bool:
        if not 0 <= event_ms <= EVENT_MS_MAX:
            return False
        lag_ms = feed.clock.lag_ms(frame.received_ns // _NS_PER_MS, event_ms)
        if lag_ms is None:
            return False
        feed.lag_ms = lag_ms
        return True

    def _follow(
        self, feed: Feed, event: Oracle | Mark, frame: Frame, price: float, word: _Word
    ) -> bool:
        """Judge a word that is ordered by its time, and by a slot within it."""
        last = feed.word
        if last is not None and word[:2] <= last[:2]:
            if word == last:
                return self._reject(Reason.DUPLICATE, feed, frame)
            if word[:2] < last[:2] or word[1]:
                return self._reject(Reason.OLDER, feed, frame)
        if not self._timely(feed, event.event_ms, frame):
            return self._reject(mistimed(event.event_ms), feed, frame)
        feed.word = word
        near = feed.low <= price <= feed.high
        return (
            self._settle(feed, event, frame, price)
            if near
            else self._weigh(feed, event, frame, price)
        )

    def _settle(self, feed: Feed, event: PriceEvent, frame: Frame, price: float) -> bool:
        """Make this the feed's price."""
        feed.price = price
        feed.event = event
        feed.frame = frame
        feed.revision += 1
        if not feed.sampled_ns <= frame.received_ns < feed.due_ns:
            self._sample(feed, price, frame.received_ns)
        board = self._board
        board.revision += 1
        board.last = feed
        if board.followed:
            board.tell(feed.symbol)
        for hear in self.accepted[type(event)]:
            hear(event, frame)
        return True

    def _weigh(self, feed: Feed, event: PriceEvent, frame: Frame, price: float) -> bool:
        """Take a price that is near the feed's last; hold back one that jumps."""
        last = feed.price
        if last and abs(price - last) > feed.history.reach * last:
            return self._jump(feed, event, frame, price)
        self._refute(feed)
        feed.silent = False
        self._settle(feed, event, frame, price)
        feed.centre()
        return True

    def _jump(self, feed: Feed, event: PriceEvent, frame: Frame, price: float) -> bool:
        """Hold back a price far from the feed's last, until something speaks for it."""
        fact = isinstance(event, Trade)
        at_ms = frame.received_ms
        confirmed = feed.quarantine.confirms(rose=price > feed.price, at_ms=at_ms)
        if not (confirmed or self._board.corroborates(feed, price, now_ms=at_ms)):
            self._hold(feed, event, frame, price)
            if fact:
                self._tell(event, frame)
            return fact
        held = feed.quarantine.release()
        feed.doubted = feed.silent = False
        feed.confirmed += len(held) + 1
        for one in (*held, (event, frame)):
            for hear in self.confirmed:
                hear(*one)
        for one in () if fact else held:
            self._tell(*one)
        self._settle(feed, event, frame, price)
        feed.centre()
        return True

    def _hold(self, feed: Feed, event: PriceEvent, frame: Frame, price: float) -> None:
        feed.quarantined += 1
        crowded_out = feed.quarantine.hold(event, frame, price)
        if crowded_out is not None:
            self._refuse_outlier(feed, *crowded_out)
        if not feed.doubted:
            feed.doubted = True
            self._upset(feed)
        for hear in self.quarantined:
            hear(event, frame)

    def _refute(self, feed: Feed) -> None:
        """Reject the jumps that the feed itself has come back from."""
        feed.doubted = False
        for event, frame in feed.quarantine.release():
            self._refuse_outlier(feed, event, frame)

    def _refuse_outlier(self, feed: Feed, event: PriceEvent, frame: Frame) -> None:
        if not isinstance(event, Trade):  # a trade is a fact, and was told when it came
            self._reject(Reason.OUTLIER, feed, frame)

    def _sample(self, feed: Feed, price: float, received_ns: int) -> None:
        since_ms = (received_ns - feed.sampled_ns) // _NS_PER_MS
        if feed.sampled_ns and since_ms >= 0:
            ticks = feed.revision - feed.sampled_at
            feed.gaps.append(since_ms // max(1, ticks))
        feed.sampled_ns, feed.sampled_at = received_ns, feed.revision
        feed.due_ns = feed.history.sample(price, received_ns // _NS_PER_MS) * _NS_PER_MS
        if feed.low <= feed.high:
            feed.centre()

    def _upset(self, feed: Feed) -> None:
        feed.upset()
        self._board.heard(feed)

    def _reject(self, reason: Reason, feed: Feed, frame: Frame) -> bool:
        rejected = Rejected(reason, feed.symbol, feed.currency, frame)
        self.rejections.add(rejected)
        for hear in self.rejected:
            hear(rejected)
        return False

    def _tell(self, event: PriceEvent, frame: Frame) -> None:
        for hear in self.accepted[type(event)]:
            hear(event, frame)
