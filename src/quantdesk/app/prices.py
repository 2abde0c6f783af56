"""The prices of a desk: of sources it hears itself and stores, or of an ingest process that does.

Where `nats_url` is set, what processes share is opened here too; else NATS is not even loaded.
"""

from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from quantdesk.app.background import Background
from quantdesk.app.bounds import check_sources
from quantdesk.app.feeding import Feeding, open_feeding
from quantdesk.app.news import Newsroom, open_newsroom
from quantdesk.app.sources import SHARED
from quantdesk.app.storing import keep_market_data
from quantdesk.core.clock import Clock
from quantdesk.core.errors import Refused
from quantdesk.ingest.retention import Keep
from quantdesk.ingest.writer import Writer
from quantdesk.ops.tasks import Tasks
from quantdesk.settings import Settings
from quantdesk.store.pool import Pools

if TYPE_CHECKING:
    from quantdesk.app.wide import Wide


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """What fills the board; `writer` stores it, None where another process does."""

    newsroom: Newsroom
    feeding: Feeding
    writer: Writer | None
    wide: "Wide | None"


async def open_prices(
    stack: AsyncExitStack,
    settings: Settings,
    home: Path,
    *,
    pools: Pools,
    tasks: Tasks,
    clock: Clock,
) -> Prices:
    """Fill a board until the stack unwinds.

    Raises `Refused` (`source.unknown`, `source.settings`, `source.unreal`, `recording.missing`,
    `settings.invalid`).
    """
    background = Background(stack, tasks)
    wide = _wide(stack, background, settings, clock)
    shared = settings.source == SHARED
    news = None if shared else settings.news
    newsroom = await open_newsroom(stack, background, news, pools=pools, clock=clock)
    feeding = await stack.enter_async_context(
        _shared(settings, newsroom, wide, tasks, clock)
        if shared
        else open_feeding(settings, home, newsroom, clock=clock, tasks=tasks)
    )
    writer = None
    if not shared:
        check_sources(settings.mode, feeding.source.split(", "))
        writer = keep_market_data(
            stack,
            background,
            feeding.market,
            pools=pools,
            keep=Keep(ticks_days=settings.sources.keep_ticks_days),
            clock=clock,
        )
    return Prices(newsroom=newsroom, feeding=feeding, writer=writer, wide=wide)


def _wide(
    stack: AsyncExitStack, background: Background, settings: Settings, clock: Clock
) -> "Wide | None":
    if not settings.nats_url:
        return None
    from quantdesk.app.wide import open_wide  # noqa: PLC0415 - NATS is not loaded unless asked for

    return open_wide(stack, background, settings, clock=clock)


def _shared(
    settings: Settings, newsroom: Newsroom, wide: "Wide | None", tasks: Tasks, clock: Clock
) -> AbstractAsyncContextManager[Feeding]:
    if wide is None:
        raise Refused("set nats_url to share an ingest process's prices", code="source.settings")
    from quantdesk.app.shared import open_shared  # noqa: PLC0415 - as above

    return open_shared(settings, newsroom, wide, clock=clock, tasks=tasks)
