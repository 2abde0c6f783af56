"""The watch over market data: what is the matter now, in words a person can act on.

Looked at once a second, not per message; only what could be over by then (a gap in a book, a candle
that an exchange contradicts) is noted when it happens.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from typing import Final, Protocol

from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import iso
from quantdesk.core.errors import DeskError, Unavailable
from quantdesk.core.validity import BOUNDS, Validity
from quantdesk.ingest.alerts import About, AlertKind, Alerts
from quantdesk.ingest.books.books import BookNotice
from quantdesk.ingest.books.sync import BookState
from quantdesk.ingest.candles.candles import Mismatch
from quantdesk.ingest.clocks import SKEWED_MS
from quantdesk.ingest.feeds import PLAYED, Feed
from quantdesk.ingest.hours import is_open
from quantdesk.ingest.market_data import MarketData

EVERY_S: Final = 1.0

_BROKEN: Final = frozenset({"gap", "crossed", "restarted", "unreadable"})
"""Why a book is not to be believed, where that is a fault; others get ten seconds to begin."""

Told = Iterator[tuple[About, str]]


class Running(Protocol):
    """A source that runs (`collect.Collector`)."""

    ended: bool

    @property
    def problem(self) -> DeskError | None:
        """Return why it gave up last, None once it has sent something since."""


class Stoppable(Protocol):
    """What may stop for good (`recorder.Recorder`)."""

    problem: Unavailable | None


class Watch:
    """Looks after market data and its sources, and keeps `alerts`."""

    def __init__(
        self,
        market: MarketData,
        *,
        sources: Mapping[str, Running],
        recorder: Stoppable | None = None,
        symbols: Collection[str] = tuple(ASSETS),
    ) -> None:
        """Take who runs the frames of each name of a source, and the assets on the board."""
        self.alerts = Alerts()
        self._market = market
        self._sources = sources
        self._recorder = recorder
        self._symbols = symbols
        self._noted: dict[About, str] = {}
        books = market.books
        self._synced = {m for m in books.markets() if books.top(*m).state is BookState.SYNCED}
        market.books.on_notice(self._note_book)
        market.candles.on_mismatch(self._note_candle)

    def advance(self, now_ms: int) -> None:
        """Look at everything; Unix milliseconds of the desk's clock."""
        noted, self._noted = self._noted, {}
        for about, detail in noted.items():
            self.alerts.note(about, detail, now_ms=now_ms)
        holding: dict[About, str] = {}
        holding.update(self._away())
        holding.update(self._silent(now_ms))
        holding.update(self._unsynced())
        holding.update(self._skewed())
        holding.update(self._disagreeing(now_ms))
        if self._recorder is not None and self._recorder.problem is not None:
            holding[About(AlertKind.RECORDER)] = self._recorder.problem.detail
        self.alerts.look(now_ms, holding)

    def unsynced(self) -> Counter[str]:
        """Return how many books of each source are not to be believed."""
        books = self._market.books.markets()
        return Counter(market[0] for market in books if market not in self._synced)

    def _away(self) -> Told:
        for name, source in self._sources.items():
            problem = source.problem
            if problem is not None:
                again = "it is tried again" if problem.retryable else "it is not tried again"
                about = About(AlertKind.AWAY, PLAYED[:-1] if name.startswith(PLAYED) else name)
                yield about, f"{problem.detail} ({problem.code}); {again}"

    def _silent(self, now_ms: int) -> Told:
        for source, (silent, whole) in self._fallen(now_ms).items():
            away = self._is_away(source)
            if whole and not away:
                yield About(AlertKind.SILENT, source), _all_silent(source, silent)
            for about, feeds in _by_market(silent).items():
                # What stood before its whole source fell silent has not ended by that.
                if not (whole or away) or self.alerts.stands(about):
                    yield about, _of_market(about, feeds)

    def _fallen(self, now_ms: int) -> dict[str, tuple[list[Feed], bool]]:
        """Return the silent feeds of each source, and whether those are several and all it has."""
        speaking: set[str] = set()
        fallen: dict[str, list[Feed]] = {}
        for feed in self._market.gate.feeds():
            if not feed.silent:
                speaking.add(feed.source)
            elif is_open(feed.symbol, now_ms) and not self._done(feed.source):
                fallen.setdefault(feed.source, []).append(feed)
        return {
            source: (feeds, source not in speaking and len(feeds) > 1)
            for source, feeds in fallen.items()
        }

    def _unsynced(self) -> Told:
        books = self._market.books
        for market in books.markets():
            if market not in self._synced and not self._done(market[0]):
                yield About(AlertKind.BOOK, *market), _of_book(*market, books.top(*market).reason)

    def _skewed(self) -> Told:
        clocks = {feed.source: feed.clock for feed in self._market.gate.feeds()}
        for source, clock in clocks.items():
            if clock.skewed and clock.offset_ms is not None and not self._done(source):
                yield About(AlertKind.SKEWED, source), _of_clock(source, clock.offset_ms)

    def _disagreeing(self, now_ms: int) -> Told:
        board = self._market.board
        for symbol in self._symbols:
            price = board.latest(symbol)
            if price is None or price.agreement_bps is None:
                continue
            validity = board.validity(symbol, now_ms=now_ms, age_ms_max=BOUNDS.age_trade_ms)
            if validity is Validity.DISAGREES:
                detail = _of_sources(symbol, price.sources, price.agreement_bps)
                yield About(AlertKind.DISAGREES, symbol=symbol), detail

    def _note_book(self, notice: BookNotice) -> None:
        market = notice.source, notice.symbol, notice.currency
        if notice.state is BookState.SYNCED:
            self._synced.add(market)
        else:
            self._synced.discard(market)
        if notice.state is BookState.DIRTY and notice.reason in _BROKEN:
            lost = f", {notice.missing} updates lost" if notice.missing else ""
            self._noted[About(AlertKind.BOOK, *market)] = _of_book(*market, notice.reason + lost)

    def _note_candle(self, mismatch: Mismatch) -> None:
        ours, theirs = mismatch.ours, mismatch.theirs
        about = About(AlertKind.CANDLE, ours.source, ours.symbol, ours.currency)
        self._noted[about] = (
            f"the {ours.interval} candle of {iso(ours.open_ms)} from every trade we heard is not "
            f"the exchange's: close {ours.close} and {theirs.close}, volume {ours.volume} and "
            f"{theirs.volume}; ours stays, compare with the exchange before relying on it"
        )

    def _done(self, source: str) -> bool:
        """Return whether a source has nothing more to say, so that its silence is no wonder."""
        running = self._sources.get(source)
        return running is not None and running.ended

    def _is_away(self, source: str) -> bool:
        """Return whether a source gave up, which is an alert of its own."""
        running = self._sources.get(source)
        return running is not None and running.problem is not None


def _by_market(silent: Collection[Feed]) -> dict[About, list[Feed]]:
    markets: dict[About, list[Feed]] = {}
    for feed in silent:
        about = About(AlertKind.SILENT, feed.source, feed.symbol, feed.currency)
        markets.setdefault(about, []).append(feed)
    return markets


def _of_market(about: About, feeds: Collection[Feed]) -> str:
    kinds = " and ".join(sorted(feed.kind.name.lower() for feed in feeds))
    last = iso(max(feed.received_ms for feed in feeds))
    return (
        f"no {kinds} of {about.symbol}/{about.currency} from {about.source} since {last}, far "
        "longer than its usual gaps: if it lasts, look whether the market is halted there, or "
        "choose another with --source"
    )


def _all_silent(source: str, silent: Collection[Feed]) -> str:
    last = iso(max(feed.received_ms for feed in silent))
    return (
        f"nothing of any of {source}'s {len(silent)} feeds since {last}: it connects again by "
        "itself; if it lasts, look at the network and at its status page, or choose another with "
        "--source"
    )


def _of_book(source: str, symbol: str, currency: str, why: str) -> str:
    return (
        f"the book of {symbol}/{currency} from {source} is not to be believed ({why}) and shows no "
        "levels: a snapshot is asked for again by itself; if it lasts, look at `quantdesk sources`"
    )


def _of_clock(source: str, offset_ms: int) -> str:
    where = "ahead of" if offset_ms > 0 else "behind"
    way = ", or its messages take that long to arrive" if offset_ms > 0 else ""
    return (
        f"our clock is {abs(offset_ms)} ms {where} {source}'s, more than {SKEWED_MS} ms{way}: ages "
        "allow for it; see `quantdesk doctor`, and let the machine keep time by NTP"
    )


def _of_sources(symbol: str, sources: Collection[str], bps: float) -> str:
    return (
        f"{', '.join(sources)} are {bps:.0f} bps apart on {symbol}: orders on it wait until they "
        "agree; `quantdesk plot` shows who moved, --source leaves one out"
    )
