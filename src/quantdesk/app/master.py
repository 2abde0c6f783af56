"""The master key of a desk: where its file is, and what it seals beside the database."""

import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from quantdesk.access.master.opening import open_master
from quantdesk.access.master.rotation import Rotated, Rotation
from quantdesk.access.sealing import Sealer
from quantdesk.app import wallets
from quantdesk.app.foundation import master_key
from quantdesk.core.errors import Unavailable
from quantdesk.settings import Settings
from quantdesk.store.embedded import Embedded
from quantdesk.store.migrate import pending
from quantdesk.store.pool import Pools, connect


async def open_sealer(settings: Settings, home: Path, pools: Pools) -> Sealer:
    """Return what seals and opens this desk's secrets; raises as `open_master`."""
    return await open_master(master_key(settings, home), pools=pools, files=wallets.files(home))


async def rotate(settings: Settings, home: Path, *, say: Callable[[str], None]) -> Rotated:
    """Put a new master key in the place of the old one, while no desk runs.

    Raises as `Rotation.run`, and `Refused` (`master.in_use`), `Unavailable`
    (`database.outdated`), and what keeps the master key from opening (`open_master`).
    """
    path = master_key(settings, home)
    with _one_at_a_time(path):
        async with _database(settings, home) as pools:
            await open_sealer(settings, home, pools)  # the right key, or nothing happens
            rotation = Rotation(path, pools=pools, files=wallets.files(home), say=say)
            return await rotation.run()


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path.with_name(path.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Unavailable("another rotation runs", code="master.rotating") from None
    finally:
        os.close(handle)


@asynccontextmanager
async def _database(settings: Settings, home: Path) -> AsyncIterator[Pools]:
    """Open the database while the block runs, one connection of each kind; start an own one."""
    embedded = None if settings.database_url else Embedded(home)
    url = settings.database_url if embedded is None else await embedded.start()
    try:
        if await pending(url):
            raise Unavailable(
                "the database is of an older desk: start this one with `quantdesk up` first",
                code="database.outdated",
            )
        async with await connect(url, write_max=1, read_max=1) as pools:
            yield pools
    finally:
        if embedded is not None:
            await embedded.stop()


async def open_wrapping(settings: Settings, home: Path, pools: Pools) -> Sealer:
    """Return what seals this home's wallets alone; raises as `open_master`.

    A process that signs has a master key of its own: that of the processes which serve clients
    opens no wallet, and this one need not open what they have sealed.
    """
    path = master_key(settings, home)
    return await open_master(path, pools=pools, files=wallets.files(home), columns=())
