"""The market data of a desk: sources running through the flow, told how they are."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Final

from quantdesk.app.background import Background
from quantdesk.app.news import Newsroom
from quantdesk.app.sources import RECORDED, chance, chosen
from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame, Headline
from quantdesk.core.validity import Bounds
from quantdesk.ingest.board import Board
from quantdesk.ingest.books.books import Resync
from quantdesk.ingest.collect import Collector
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.recorder import Keep, Recorder
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.sources import tape
from quantdesk.sources.port import BookSource, Source, Take
from quantdesk.sources.readers import READERS
from quantdesk.sources.recorded import PREFIX, Recorded
from quantdesk.sources.shared import NAMES as SENDERS
from quantdesk.sources.shared import Shared

FIRST_S: Final = 3.0
TURN_S: Final = 0.25  # between looks at what is due: silence, candles to close, books to ask for
_PAR: Final = {"USDT": Decimal(1), "USDC": Decimal(1), "PYUSD": Decimal(1)}
"""Dollar tokens at par, and labeled so, where no source has a price of theirs in dollars."""
_MADE_UP: Final = frozenset({"simulated", "recorded"})
_IN_DOLLARS: Final = frozenset({"pyth", "switchboard", "simulated"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Feeding:
    """Market data that sources keep filling; `collectors` run them."""

    market: MarketData
    collectors: tuple[Collector, ...]
    shared: Shared | None = None
    news_collectors: tuple[Collector, ...] = ()
    recorder: Recorder | None = None

    @property
    def board(self) -> Board:
        """Return the agreed prices."""
        return self.market.board

    @property
    def source(self) -> str:
        """Return the names of what fills the board."""
        return ", ".join(one.source.name for one in self.collectors)

    def names(self, collector: Collector) -> Sequence[str]:
        """Return the names that a source's frames carry: a recording's, of all who sent it."""
        return names(collector.source)

    async def recording(self) -> str:
        """Return what is recorded where; raise `Unavailable` (`recording.stopped`)."""
        assert self.recorder is not None, "asked only where there is one"
        return self.recorder.probe()

    async def probe(self) -> str:
        """Return what fills the board; raise `Unavailable` when nothing does."""
        problems = [one.problem for one in self.collectors]
        if all(problems):
            assert problems[0] is not None
            raise problems[0]
        if self.shared is not None and self.shared.problem is not None:
            raise Unavailable(self.shared.problem, code="source.silent")
        if all(one.ended for one in self.collectors):
            raise Unavailable(f"{self.source} has ended", code="source.ended")
        return self.source


@asynccontextmanager
async def open_feeding(
    settings: Settings,
    home: Path,
    newsroom: Newsroom,
    *,
    clock: Clock,
    tasks: Tasks,
    share: Take | None = None,
) -> AsyncIterator[Feeding]:
    """Fill a board from the sources a user named, and the news, while the block runs.

    `share` is handed every frame too. Raises `Refused` (`source.unknown`, `source.settings`,
    `recording.missing`).
    """
    sources = await chosen(settings.source, settings.sources, clock=clock)
    live = any(source.name not in _MADE_UP for source in sources)
    told = newsroom.sources if live else ()
    async with AsyncExitStack() as stack:
        background = Background(stack, tasks)
        recorder = _recorder(stack, settings, home)
        market = MarketData(
            {name: source.read for source in (*sources, *told) for name in names(source)},
            board=board_of(settings, in_dollars=any(one.name in _IN_DOLLARS for one in sources)),
            resync=_resync(sources),
            tap=_tap(recorder, share),
        )
        market.flow.on(Headline, newsroom.news.headline)
        feeding = Feeding(
            market=market,
            collectors=tuple(collector(source, market, clock) for source in sources),
            news_collectors=tuple(collector(source, market, clock) for source in told),
            recorder=recorder,
        )

        async def turn() -> None:
            while True:
                market.flow.advance(clock.now_ms())
                await clock.sleep(TURN_S)

        with market.board.changes() as changes:
            for one in (*feeding.collectors, *feeding.news_collectors):
                background.begin(f"source {one.source.name}", one.run)
            background.begin("market clock", turn)
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await anext(aiter(changes))
        yield feeding


def names(source: Source) -> Sequence[str]:
    """Return the names that frames of a source carry."""
    if isinstance(source, Recorded):
        return [PREFIX + name for name in READERS]
    return [source.name, *sorted(SENDERS)] if isinstance(source, Shared) else [source.name]


def collector(
    source: Source, market: MarketData, clock: Clock, *, take: Take | None = None
) -> Collector:
    """Return what runs a source into the flow, or into what stands before it."""
    passages = [market.flow.sources[name] for name in names(source)]
    return Collector(
        source=source,
        symbols=tuple(ASSETS),
        take=take or market.flow.take,
        heard=lambda: sum(passage.frames for passage in passages),
        clock=clock,
        chance=chance(),
    )


def board_of(settings: Settings, *, in_dollars: bool) -> Board:
    """Return a board; where money is real, nothing on it is assumed."""
    assumes = settings.source.startswith(RECORDED) or not in_dollars
    return Board(
        assume=_PAR if assumes and settings.mode != "mainnet" else {},
        bounds=Bounds(age_trade_ms=settings.guard.price_age_ms_max),
    )


def _resync(sources: Sequence[Source]) -> Resync:
    having_books = {one.name: one for one in sources if isinstance(one, BookSource)}

    def resync(source: str, symbol: str) -> None:
        if source in having_books:  # a recording has no books to give but its own
            having_books[source].resync(symbol)

    return resync


def _tap(recorder: Recorder | None, share: Take | None) -> Take | None:
    if recorder is None or share is None:
        return share if recorder is None else recorder.tap

    def tap(frame: Frame) -> None:
        recorder.tap(frame)
        share(frame)

    return tap


def _recorder(stack: AsyncExitStack, settings: Settings, home: Path) -> Recorder | None:
    hours = settings.sources.record_hours
    if not hours or settings.source.startswith(RECORDED):
        return None
    keep = Keep(hours=hours, megabytes=settings.sources.record_megabytes)
    recorder = Recorder(home / tape.FOLDER, keep=keep).start()
    stack.callback(recorder.close)
    return recorder
