"""A desk that cannot record says so on REST, on `/ws`, in its log and in its numbers; it trades."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import aiohttp
import pytest
from tests.flow.http.client import SELL, WAIT_S, Client
from tests.flow.process.running import PAPER, Process, desk, homes

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
def unrecorded() -> Iterator[Process]:
    """Run a desk whose tapes have nowhere to go."""
    with homes() as folder, desk(folder / "home", *PAPER) as started:
        started.home.mkdir(mode=0o700)
        (started.home / "tapes").write_text("in the way")
        started.launch()
        started.until((started.home / "desk.json").exists, "running")
        yield started
        assert '"event": "task.failed"' not in started.said()
        assert started.stop() == 0


@pytest.fixture
async def client(unrecorded: Process) -> AsyncIterator[Client]:
    timeout = aiohttp.ClientTimeout(total=WAIT_S)
    async with aiohttp.ClientSession(timeout=timeout) as session:
        yield Client(unrecorded, session)


async def followed(client: Client) -> list[dict[str, Any]]:
    """Return the alerts that a follower of the channel is told of first."""
    async with client.stream("/ws") as stream:
        assert "alerts" in (await stream.next())["channels"]
        await stream.socket.send_json({"op": "subscribe", "ch": "alerts"})
        while True:
            told = await stream.next()
            if told["ch"] == "alerts" and (found := told.get("snap") or told.get("d")):
                alerts: list[dict[str, Any]] = found
                return alerts


async def test_tells_what_is_the_matter_wherever_it_is_asked(client: Client) -> None:
    (alert,) = await followed(client)
    told = (await client.get("/api/alerts")).body
    numbers = await client.metrics()

    assert told == {"current": [alert], "recent": []}
    assert (alert["kind"], alert["source"], alert["endedAt"]) == ("recording.stopped", None, None)
    assert "make room or choose another folder" in alert["detail"]
    assert numbers['quantdesk_alerts{kind="recording.stopped"}'] == 1
    assert client.desk.said().count('"event": "alert.begun"') == 1
    assert (await client.settled(await client.placed(SELL)))["status"] == "CONFIRMED"


async def test_counts_market_data_by_source(client: Client) -> None:
    before = await client.metrics()
    async with client.stream("/ws") as stream:
        await stream.socket.send_json({"op": "subscribe", "ch": "books"})
        while (await stream.next()).get("d", {}).get("state") != "synced":
            pass
    numbers = await client.metrics()

    messages = 'quantdesk_source_messages_total{source="simulated"}'
    assert 0 < before[messages] < numbers[messages]
    assert numbers['quantdesk_source_state{source="simulated",state="live"}'] == 1
    assert numbers['quantdesk_book_updates_total{outcome="applied",source="simulated"}'] > 0
    assert numbers['quantdesk_recorder_frames_total{fate="dropped"}'] > 0
    assert 0 <= numbers['quantdesk_feed_age_seconds{kind="quote",source="simulated"}'] < WAIT_S
    assert 0 <= numbers['quantdesk_price_age_seconds{symbol="SOL"}'] < WAIT_S
