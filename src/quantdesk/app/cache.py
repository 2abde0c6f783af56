"""The cache of prices from a command line: a connection for a moment, without a desk."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from quantdesk.app.wide import BUCKET, open_link
from quantdesk.bus.nats.cache import Cache
from quantdesk.core.clock import SystemClock
from quantdesk.core.errors import Refused, Unavailable
from quantdesk.ingest.cached import Cached, read
from quantdesk.settings import Settings

_WITHIN_S: Final = 5.0


async def cached_prices(settings: Settings, symbols: Sequence[str]) -> list[Cached]:
    """Return what the cache holds of these assets; raise `Refused` and `Unavailable`."""
    async with _opened(settings) as cache:
        found = [await read(cache, symbol) for symbol in symbols]
    return [one for one in found if one is not None]


async def purge_cached(settings: Settings, symbols: Sequence[str]) -> None:
    """Forget these assets; raise `Refused` and `Unavailable`."""
    async with _opened(settings) as cache:
        for symbol in symbols:
            await cache.purge(symbol)


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Cache]:
    if not settings.nats_url:
        raise Refused("there is no cache without NATS: set nats_url", code="settings.invalid")
    link = open_link(settings, name="quantdesk cache", clock=SystemClock())
    running = asyncio.get_running_loop().create_task(link.run())
    try:
        async with asyncio.timeout(_WITHIN_S):
            yield Cache(link, bucket=BUCKET)
    except TimeoutError as problem:
        await link.probe()
        raise Unavailable(f"NATS at {link.shown} is slow", code="bus.away") from problem
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running
