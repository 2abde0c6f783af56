"""Recordings go through the whole path: each message read, books right, the same every time."""

import gzip
from collections import Counter
from collections.abc import Callable, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest

from quantdesk.core.ticks import Depth, Diff, Event, Frame, Oracle, Quote, Trade
from quantdesk.ingest.board import Board
from quantdesk.ingest.flow import SAMPLES_MAX
from quantdesk.ingest.journal import Journal
from quantdesk.ingest.market_data import MarketData
from quantdesk.ingest.recorder import Keep, Recorder
from quantdesk.ingest.replay import Replay
from quantdesk.sources import recorded
from quantdesk.sources.words import simulated as words
from quantdesk.sources.words.hermes import SYMBOLS

DATA = Path(__file__).parents[3].parent / "shared" / "data"
BINANCE = DATA / "binance_spot_btcusdt_raw_20240808.txt.gz"
HERMES = DATA / "hermes_messages.jsonl.gz"

T0 = 1_700_000_000_000
Line = dict[str, object]


def there(path: Path) -> Path:
    if not path.is_file():
        pytest.skip(f"the real recording {path.name} is not in ../shared/data: NOT TESTED")
    return path


def frames_of(path: Path) -> tuple[list[Frame], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(recorded.frames(there(path), counts=counts, prefix="")), counts


def market(tap: Callable[[Frame], None] | None = None) -> MarketData:
    return MarketData(recorded.READS, board=Board(), resync=lambda _source, _symbol: None, tap=tap)


def replayed(frames: Sequence[Frame], joined: MarketData | None = None) -> bytes:
    out = bytearray()
    joined = joined or market()
    Journal(out.extend).follow(joined)
    driven = Replay(joined.flow)
    for frame in frames:
        driven.take(frame)
    driven.end()
    return bytes(out)


def lines(out: bytes, kind: str) -> list[Line]:
    told = [msgspec.json.decode(line) for line in out.splitlines()]
    return [line for line in told if line["kind"] == kind]


def test_that_every_message_of_the_binance_recording_is_read() -> None:
    frames, counts = frames_of(BINANCE)
    joined, kinds = market(), Counter[type[Event]]()
    for kind in (Quote, Trade, Diff, Depth):
        joined.flow.on(kind, lambda event, _: kinds.update([type(event)]))
    out = replayed(frames, joined)
    assert counts == {"lines": 41_249, "frames": 41_249}
    assert kinds == {Quote: 28_040, Trade: 9_757, Diff: 3_451, Depth: 1}
    passage = joined.flow.sources["binance"]
    assert (passage.frames, passage.events, passage.unreadable) == (41_249, 41_249, 0)
    assert len(lines(out, "accepted")) == 28_040 + 9_757
    assert lines(out, "rejected") == lines(out, "unreadable") == []


def test_that_the_book_of_the_binance_recording_has_no_gap_and_says_what_its_ticker_says() -> None:
    frames, _ = frames_of(BINANCE)
    out = replayed(frames)
    assert [line["said"]["state"] for line in lines(out, "book")] == ["synced"]  # type: ignore[index]
    quotes = {
        said["update_id"]: (said["bid"], said["bid_size"], said["ask"], said["ask_size"])
        for line in lines(out, "accepted")
        if line["event"] == "Quote" and isinstance(said := line["said"], dict)
    }
    tops = {
        line["lastId"]: (*bid, *ask)
        for line in lines(out, "top")
        if isinstance(bid := line["bid"], list) and isinstance(ask := line["ask"], list)
    }
    compared = tops.keys() & quotes.keys()
    assert len(compared) > 500
    assert all(tops[at] == quotes[at] for at in compared)


def test_that_every_message_of_the_hermes_recording_is_read() -> None:
    frames, counts = frames_of(HERMES)
    joined, said = market(), list[Oracle]()
    joined.flow.on(Oracle, lambda event, _: said.append(event))
    replayed(frames, joined)
    assert counts == {"lines": 37, "frames": 37}
    assert joined.flow.sources["pyth"].frames == 37
    assert joined.flow.sources["pyth"].unreadable == 0
    expected = [
        (
            SYMBOLS[one["id"]],
            Decimal(one["price"]["price"]).scaleb(one["price"]["expo"]),
            Decimal(one["price"]["conf"]).scaleb(one["price"]["expo"]),
            one["price"]["publish_time"] * 1000,
        )
        for line in gzip.decompress(HERMES.read_bytes()).splitlines()
        for one in msgspec.json.decode(line)["message"]["parsed"]
        if one["id"] in SYMBOLS
    ]
    assert [(one.symbol, one.value, one.deviation, one.event_ms) for one in said] == expected
    assert {one.symbol for one in said} == {"BTC", "ETH", "SOL", "USDT", "USDC"}


@pytest.mark.parametrize("path", [BINANCE, HERMES], ids=["binance", "hermes"])
def test_that_a_replay_gives_the_same_bytes_again(path: Path, tmp_path: Path) -> None:
    frames, _ = frames_of(path)
    first = replayed(frames)
    assert replayed(frames) == first
    recorder = Recorder(tmp_path / "tapes", keep=Keep()).start()
    taped = market(tap=recorder.tap)
    assert replayed(frames, taped) == first
    recorder.close()
    assert recorder.counts["dropped"] == 0
    # And so does what the recorder made of it, in pieces of its own.
    again = list(recorded.frames(tmp_path / "tapes", counts=Counter(), prefix=""))
    assert again == frames
    assert replayed(again) == first


def simulated(step: int, price: int) -> Frame:
    at_ms = T0 + 40 * step // 1000
    level = [("1", "2")]
    message = words.Step(
        at=at_ms,
        prices=[words.Quoted("BTC", price, 1)],
        trades=[words.Traded("BTC", step + 1, "1.5", "1", sold=True)],
        diffs=[words.Levels("BTC", step + 1, level, [("2", str(step + 1))])],
        books=[words.Levels("BTC", step + 1, level, [("2", "9")])] if step == 0 else [],
    )
    return Frame("simulated", "steps", (T0 * 1000 + 40 * step) * 1000, words.write(message))


def test_that_a_burst_of_25_000_messages_a_second_keeps_to_its_memory(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path, keep=Keep()).start()
    joined = market(tap=recorder.tap)
    driven = Replay(joined.flow)
    held: list[int] = []
    for step in range(50_000):
        frame = simulated(step, 150_000_000 + step % 7)
        driven.take(frame if step % 10 else Frame(frame.source, "steps", frame.received_ns, b"?"))
        if step % 1000 == 0:
            held.append(recorder.waiting_bytes)
    driven.end()
    recorder.close()
    passage = joined.flow.sources["simulated"]
    assert (passage.frames, passage.unreadable) == (50_000, 5_000)
    assert len(passage.samples) == SAMPLES_MAX
    assert recorder.counts["dropped"] == 0
    assert recorder.counts["frames"] == 50_000
    assert max(held) < 32 << 20
    candles = joined.candles.history(("simulated", "BTC", "USD"), "1s", count=100)
    assert [one.trades for one in candles[:2]] == [22_500, 22_500]
