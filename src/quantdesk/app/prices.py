"""Which source fills the board: what `--source` says, joined with its adapter."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from quantdesk.core.assets import ASSETS
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ingest.board import Board
from quantdesk.ingest.collect import Candidate, Collector, choose
from quantdesk.settings import SourcesSettings
from quantdesk.sources.port import Source
from quantdesk.sources.pyth import Pyth
from quantdesk.sources.recorded import Recorded
from quantdesk.sources.simulated import Simulated

_FIRST_S = 3.0
_RECORDED = "recorded:"
_PAR = {"USDT": Decimal(1), "USDC": Decimal(1), "PYUSD": Decimal(1)}
"""Recordings of one pair hold no price of the dollar tokens: taken at par, and labeled so."""


@dataclass(frozen=True, slots=True)
class Prices:
    """A board that a source keeps filling."""

    board: Board
    source: str
    collector: Collector

    async def probe(self) -> str:
        """Return what fills the board; raise `Unavailable` when nothing does."""
        if self.collector.problem is not None:
            raise self.collector.problem
        if self.collector.ended:
            raise Unavailable(f"{self.source} has ended", code="source.ended")
        return self.source


@asynccontextmanager
async def open_prices(
    named: str, settings: SourcesSettings, *, clock: Clock
) -> AsyncIterator[Prices]:
    """Fill a board from the source a user named while the block runs.

    Raises `Refused` (`source.unknown`, `recording.missing`).
    """
    board = _board(named)
    source = await _source(named, settings, clock)
    collector = Collector(
        source=source,
        symbols=tuple(ASSETS),
        board=board,
        clock=clock,
        chance=random.Random(os.urandom(8)).random,  # noqa: S311 - jitter keeps no secret
    )
    with board.changes() as changes:
        running = asyncio.get_running_loop().create_task(collector.run())
        with suppress(TimeoutError):
            async with asyncio.timeout(_FIRST_S):
                await anext(aiter(changes))
    try:
        yield Prices(board, source.name, collector)
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


def _board(named: str) -> Board:
    if named.startswith(_RECORDED):
        return Board(assume=_PAR, replayed={Recorded.name})
    return Board()


async def _source(named: str, settings: SourcesSettings, clock: Clock) -> Source:
    chance = random.Random(os.urandom(8)).random  # noqa: S311 - jitter keeps no secret
    simulated = Simulated(clock=clock, seed=settings.seed)
    if named.startswith(_RECORDED):
        path = Path(named.removeprefix(_RECORDED))
        return Recorded(path=path, clock=clock, speed=settings.speed)
    if named == "simulated":
        return simulated
    if named not in {"auto", "pyth"}:
        raise Refused(
            f"there is no source {named}; choose auto, pyth, simulated or recorded:FILE",
            code="source.unknown",
        )
    if not settings.pyth_url:
        if named == "auto":
            return simulated
        raise Refused("set sources.pyth_url to use pyth", code="source.settings")
    pyth = Pyth(
        clock=clock,
        chance=chance,
        base_url=settings.pyth_url,
        api_key=settings.pyth_key or None,
    )
    if named == "pyth":
        return pyth
    candidate = Candidate(pyth, lambda: pyth.latest(tuple(ASSETS)))
    return await choose([candidate], otherwise=simulated, clock=clock)
