"""A real recording of Binance is read to the last line, with the messages' own numbers."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from quantdesk.core.ticks import Depth, Diff, Event, Headline, Quote, Trade
from quantdesk.sources.words.binance import pair_named, read

FILE = Path(__file__).parents[4].parent / "shared/data/binance_spot_btcusdt_raw_20240808.txt.gz"
KINDS = {"Quote": 28_040, "Trade": 9_757, "Diff": 3_451, "Depth": 1}


def messages() -> Iterator[bytes]:
    if not FILE.is_file():
        pytest.skip(f"the real recording {FILE.name} is not in ../shared/data: NOT TESTED")
    with gzip.open(FILE) as lines:
        for line in lines:
            yield line.partition(b" ")[2]


def told(event: Event) -> dict[str, object]:
    """Return an event in the exchange's own words."""
    if isinstance(event, Quote):
        top = {"b": event.bid, "B": event.bid_size, "a": event.ask, "A": event.ask_size}
        return {"u": event.update_id, **top}
    if isinstance(event, Trade):
        said: dict[str, object] = {"t": event.trade_id, "p": event.price, "q": event.quantity}
        return said | {"T": event.event_ms, "m": event.buyer_is_maker}
    if isinstance(event, Diff):
        sides = {"b": [*map(list, event.bids)], "a": [*map(list, event.asks)]}
        return {"U": event.first_id, "u": event.last_id, "E": event.event_ms, **sides}
    assert isinstance(event, Depth)
    sides = {"bids": [*map(list, event.bids)], "asks": [*map(list, event.asks)]}
    return {"lastUpdateId": event.last_id, **sides}


def test_that_every_message_gives_its_own_numbers() -> None:
    kinds, last = Counter[str](), 0
    for message in messages():
        (event,) = read(message, "depth:BTCUSDT")
        said = json.loads(message)
        said = said.get("data", said)
        kinds[type(event).__name__] += 1
        assert not isinstance(event, Headline)
        assert (event.symbol, event.currency) == ("BTC", "USDT")
        assert told(event).items() <= said.items()
        assert pair_named(message) == said.get("s", "")
        if isinstance(event, Diff):
            assert last in {0, event.first_id - 1}, "no update is missing"
            last = event.last_id
    assert kinds == KINDS
