"""One paper desk for each file of tests, run as its user runs it."""

from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest
from tests.flow.http.client import WAIT_S, Client
from tests.flow.process.running import PAPER, Process, desk, homes


@pytest.fixture(scope="module")
def running() -> Iterator[Process]:
    with homes() as folder, desk(folder / "home", *PAPER) as started:
        started.start()
        yield started
        assert '"event": "http.unexpected"' not in started.said()
        assert '"event": "websocket.unexpected"' not in started.said()
        assert '"event": "order.halted"' not in started.said()
        assert started.stop() == 0


@pytest.fixture
async def client(running: Process) -> AsyncIterator[Client]:
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(running, session)
