"""The database for commands that work on what is stored: a running desk's, or a named one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from quantdesk.core.errors import Unavailable
from quantdesk.settings import Settings
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import pending
from quantdesk.store.pool import Pools, connect

_POOL_MAX = 2


@asynccontextmanager
async def stored(home: Path, settings: Settings) -> AsyncIterator[Pools]:
    """Open the database while the block runs.

    Raises `Unavailable` (`desk.not_running`) where the desk has a database of its own that does not
    run, or one whose tables an older desk made.
    """
    url = settings.database_url
    if not url:
        embedded = Embedded(home)
        if not await embedded.runs():
            raise Unavailable(
                f"no desk runs in {home}: start one with `quantdesk up`", code="desk.not_running"
            )
        url = await embedded.start()
    if await pending(url):
        raise Unavailable(
            "the database is of an older desk: start this one with `quantdesk up` first",
            code="desk.not_running",
        )
    async with await connect(url, write_max=_POOL_MAX, read_max=_POOL_MAX) as pools:
        yield pools
