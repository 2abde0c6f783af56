"""Binance as a source of books, trades, candles and marks: sockets and snapshots → frames.

Which exchange it is says the table it is given (`exchange.py`); what a frame says, the words
(`sources/words/binance.py`), which recordings are read by too.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from quantdesk.core.backoff import Backoff, Chance
from quantdesk.core.breaker import Breaker
from quantdesk.core.bucket import Bucket
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.core.ticks import Event, Frame
from quantdesk.sources.binance.exchange import Exchange, Line, lines
from quantdesk.sources.binance.markets import QUOTES, listed_pairs, wanted_pairs
from quantdesk.sources.binance.rest import Rest
from quantdesk.sources.binance.snapshots import Snapshots
from quantdesk.sources.limits import Declined
from quantdesk.sources.patience import within
from quantdesk.sources.port import Take
from quantdesk.sources.reconnecting import PATIENCE, Care, Patience, Reconnecting
from quantdesk.sources.socket import Socket, connect
from quantdesk.sources.together import together
from quantdesk.sources.words import binance as words

log = structlog.get_logger()

PROBE_S: Final = 3.0
_CONNECTS: Final = 60
"""Connections that may be opened in five minutes: a fifth of what an address may."""
_FIVE_MINUTES_S: Final = 300.0
_MARKETS: Final = b'{"stream":"0'
"""Messages about markets come after this in the alphabet of bytes; notices and replies before."""


class Binance:
    """One of Binance's exchanges as a `BookSource`; no key is needed.

    Assets are followed in each of `quotes` they trade in. `counts` holds messages, connects,
    reconnects, renewals (planned ones), silences, failures, shutdowns, refusals (of streams),
    snapshots and snapshot_failures. Runs once at a time.
    """

    def __init__(
        self,
        exchange: Exchange,
        *,
        clock: Clock,
        chance: Chance,
        quotes: Sequence[str] = QUOTES,
        patience: Patience = PATIENCE,
    ) -> None:
        self._exchange = exchange
        self._clock = clock
        self._chance = chance
        self._patience = patience
        self._quotes = tuple(quotes)
        self._connects = Bucket(capacity=_CONNECTS, per_s=_CONNECTS / _FIVE_MINUTES_S)
        self._snapshots: Snapshots | None = None
        self._pairs: tuple[str, ...] = ()
        self._last_ns = 0
        self._messages = 0
        self._counts: Counter[str] = Counter()

    @property
    def counts(self) -> Counter[str]:
        """Return what happened how often."""
        self._counts["messages"] = self._messages
        return self._counts

    @property
    def name(self) -> str:
        """Return `binance` or `binance.futures`."""
        return self._exchange.name

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says; raise `Corrupt` (`message.unreadable`)."""
        return words.read(frame.data, frame.feed)

    async def probe(self) -> None:
        """Return if it answers within `PROBE_S` and lists markets; raise `Unavailable` if not."""
        async with self._rest() as rest:
            asked = listed_pairs(rest, self._exchange, wanted_pairs(("BTC",), self._quotes[:1]))
            try:
                pairs = await within(PROBE_S, asked, clock=self._clock)
            except TimeoutError as problem:
                raise Unavailable(f"{self.name}: {problem}", code="source.unavailable") from problem
            if not pairs:
                raise Unavailable(f"{self.name} lists no BTC market", code="source.unavailable")

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over frames about these assets until cancelled.

        Raises `Refused` (`symbol.unknown`) when none of them trades here, `Declined`
        (`source.barred`) when Binance does not serve this place.
        """
        async with self._rest() as rest:
            self._pairs = await self._listed(rest, symbols)
            self._snapshots = Snapshots(
                fetch=lambda pair: self._depth(rest, pair),
                deliver=lambda pair, body: self._hearing(take, words.DEPTH_FEED + pair)(body),
                clock=self._clock,
                chance=self._chance,
                counts=self._counts,
            )
            care = Care(self._clock, self._chance, self._counts, Breaker())
            made = lines(self._exchange, self._pairs)
            kept = [self._kept(line, take, care) for line in made]
            try:
                await together(self._snapshots.run(), *(one.run() for one in kept))
            finally:
                self._snapshots = None

    def resync(self, symbol: str) -> None:
        """Fetch snapshots of this asset's books soon, as frames of feed `depth:<PAIR>`."""
        self._want([pair for pair in self._pairs if (words.market(pair) or ("",))[0] == symbol])

    def _want(self, pairs: Sequence[str]) -> None:
        if self._snapshots is not None:
            for pair in pairs:
                self._snapshots.want(pair)

    def _kept(self, line: Line, take: Take, care: Care) -> Reconnecting:
        """Return a line's connection, its frames handed over, its notices acted upon."""
        feed = line.route.feed

        heard = self._hearing(take, feed)

        def hear(data: bytes) -> None:
            heard(data)
            if data < _MARKETS:
                self._noticed(data, kept)

        async def open_one() -> Socket:
            while (wait_s := self._connects.take(1, self._clock.monotonic())) > 0:
                await self._clock.sleep(wait_s)
            return await connect(line.url, hear, clock=self._clock)

        def opened() -> None:
            if line.route.has_books:
                self._want(line.pairs)

        kept = Reconnecting(
            name=f"{self.name}/{feed}",
            open_one=open_one,
            opened=opened,
            care=care,
            patience=self._patience,
        )
        return kept

    def _hearing(self, take: Take, feed: str) -> Callable[[bytes], None]:
        """Return what makes frames of a feed's messages; called for every one, so it is short."""
        name, now_ns = self._exchange.name, self._clock.now_ns

        def hear(data: bytes) -> None:
            stamp_ns, last_ns = now_ns(), self._last_ns
            if stamp_ns <= last_ns:  # later than any before: it names the message for good
                stamp_ns = last_ns + 1
            self._last_ns = stamp_ns
            self._messages += 1
            take(Frame(name, feed, stamp_ns, data))

        return hear

    def _noticed(self, data: bytes, kept: Reconnecting) -> None:
        notice = words.control(data)
        if isinstance(notice, words.Shutdown):
            self._counts["shutdowns"] += 1
            kept.restart()
        elif notice is not None and notice.error:
            self._counts["refusals"] += 1
            log.warning("source.refused", source=self.name, why=notice.error)

    async def _listed(self, rest: Rest, symbols: Sequence[str]) -> tuple[str, ...]:
        """Return the pairs to follow, asking for as long as it takes to be answered."""
        backoff = Backoff(self._chance)
        wanted = wanted_pairs(symbols, self._quotes)
        while wanted:
            pairs = await self._asked_list(rest, wanted)
            if pairs:
                return pairs
            if pairs is not None:
                break
            await self._clock.sleep(backoff.failed())  # a longer bar is kept by `rest`
        raise Refused(
            f"{self.name} trades none of {', '.join(symbols)} in {' or '.join(self._quotes)}",
            code="symbol.unknown",
        )

    async def _asked_list(self, rest: Rest, wanted: Sequence[str]) -> tuple[str, ...] | None:
        try:
            return await listed_pairs(rest, self._exchange, wanted)
        except Unavailable as problem:
            if isinstance(problem, Declined) and problem.lasting:
                raise
            self._counts["failures"] += 1
            log.warning("source.unavailable", source=self.name, detail=problem.detail)
            return None

    async def _depth(self, rest: Rest, pair: str) -> bytes:
        levels, weight = self._exchange.depth(len(self._pairs))
        query = {"symbol": pair, "limit": str(levels)}
        return await rest.get(self._exchange.depth_path, query, weight=weight)

    def _rest(self) -> Rest:
        return Rest(
            url=self._exchange.rest_url,
            clock=self._clock,
            weight_share=self._exchange.weight_share,
        )
