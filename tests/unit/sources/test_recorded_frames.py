"""A recording hands over the frames it holds, byte for byte, whichever of the formats it is in."""

import asyncio
import gzip
import json
from collections import Counter
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Depth, Diff, Event, Frame, Oracle, Quote, Trade
from quantdesk.sources import tape
from quantdesk.sources.lines import Lines
from quantdesk.sources.recorded import Recorded, Speed, frames, read
from quantdesk.sources.words.hermes import FEEDS
from quantdesk.testing.clock import ManualClock

T0 = 1_723_161_254_000
NS = T0 * 1_000_000
TRADE = '{"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":7,"p":"61.5","q":"2","T":99,"m":true}}'
TICKER = (
    '{"stream":"ethusdt@bookTicker","data":{"u":5,"s":"ETHUSDT","b":"3","B":"1","a":"4","A":"2"}}'
)
HERMES = (
    '{"binary":{"encoding":"hex","data":["50"]},"parsed":[{"id":"%s","price":{"price":"%d",'
    '"conf":"1","expo":-2,"publish_time":%d},"metadata":{"slot":8}}]}'
)


def depth(pair: str, first: int, last: int, more: str = "") -> str:
    data = f'{{"E":50,"s":"{pair}","U":{first},"u":{last},{more}"b":[["9","1"]],"a":[]}}'
    return f'{{"stream":"{pair.lower()}@depth@100ms","data":{data}}}'


def snapshot(last_id: int) -> str:
    return f'{{"lastUpdateId":{last_id},"bids":[["9","1"]],"asks":[["10","2"]]}}'


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


def held(path: Path) -> tuple[list[Frame], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(frames(path, counts=counts)), counts


def said(path: Path) -> list[Event]:
    return [event for frame in held(path)[0] for event in read(frame)]


def test_that_lines_become_frames_with_their_own_bytes(tmp_path: Path) -> None:
    hermes = HERMES % (FEEDS["BTC"], 6_150, T0 // 1000)
    path = write(
        tmp_path / "t", f"{NS} {TRADE}", f"{NS + 7} {TICKER}", hermes, f'{{"message": {hermes}}}',
        f"{NS + 9} {hermes}",
    )  # fmt: skip
    got, counts = held(path)
    assert got == [
        Frame("recorded.binance", "ws", NS, TRADE.encode()),
        Frame("recorded.binance", "ws", NS + 7, TICKER.encode()),
        Frame("recorded.pyth", "lines", NS, hermes.encode()),
        Frame("recorded.pyth", "lines", NS + 1, hermes.encode()),
        Frame("recorded.pyth", "lines", NS + 9, hermes.encode()),
    ]
    assert counts == {"lines": 5, "frames": 5}


def test_that_frames_are_read_as_their_senders_are(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t", f"{NS} {TRADE}", f"{NS} {TICKER}", HERMES % (FEEDS["SOL"], 15_001, 1_700)
    )
    assert said(path) == [
        Trade("BTC", "USDT", "61.5", "2", 7, 99, buyer_is_maker=True),
        Quote("ETH", "USDT", "3", "1", "4", "2", 5),
        Oracle("SOL", "USD", 15_001, 1, -2, 1_700_000, 8),
    ]


def test_that_a_dead_feed_does_not_silence_the_others(tmp_path: Path) -> None:
    alive = HERMES % (FEEDS["SOL"], 15_001, 1_700)
    dead = alive.replace("15001", "0").partition('"parsed":[')[2].removesuffix("]}")
    both = alive.replace('"parsed":[', f'"parsed":[{dead.replace(FEEDS["SOL"], FEEDS["BTC"])},')
    events = [one for one in said(write(tmp_path / "t", both)) if isinstance(one, Oracle)]
    assert [(one.symbol, one.price) for one in events] == [("BTC", 0), ("SOL", 15_001)]


@given(st.binary(max_size=200))
def test_that_any_hermes_message_is_read_or_refused(junk: bytes) -> None:
    head = (HERMES % (FEEDS["BTC"], 5, 1_700)).encode()
    for tried in (junk, head[: len(junk)] + junk, head[: -len(junk) or None] + junk, head + junk):
        with suppress(Corrupt):
            read(Frame("recorded.pyth", "lines", 1, tried))


def test_that_a_depth_by_rest_goes_to_the_market_whose_updates_are_nearest(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t",
        f"{NS} {depth('BTCUSDT', 9_001, 9_010)}", f"{NS} {depth('ETHUSDT', 101, 104)}",
        f"{NS} {snapshot(103)}", f"{NS} {snapshot(9_004)}",
    )  # fmt: skip
    books = [event for event in said(path) if isinstance(event, Depth)]
    assert [(book.symbol, book.currency, book.last_id) for book in books] == [
        ("ETH", "USDT", 103), ("BTC", "USDT", 9_004),
    ]  # fmt: skip


def test_that_a_depth_of_nobody_knows_whom_is_unreadable(tmp_path: Path) -> None:
    (frame,) = held(write(tmp_path / "t", f"{NS} {snapshot(5)}"))[0]
    with pytest.raises(Corrupt, match="whose is it"):
        read(frame)


@pytest.mark.parametrize(
    "mark",
    [
        depth("BTCUSDT", 1, 2, '"pu":0,'),
        '{"stream":"x@bookTicker","data":{"e":"bookTicker","u":5}}',
        '{"stream":"x@trade","data":{"e":"trade","X":"MARKET"}}',
    ],
)
def test_that_usdm_is_told_by_what_it_alone_writes(tmp_path: Path, mark: str) -> None:
    got, _ = held(write(tmp_path / "t", f"{NS} {TRADE}", f"{NS} {mark}"))
    assert {frame.source for frame in got} == {"recorded.binance.futures"}


def test_that_a_futures_diff_keeps_the_id_before(tmp_path: Path) -> None:
    line = depth("BTCUSDT", 5, 6, '"pu":4,')
    (diff,) = said(write(tmp_path / "t", f"{NS} {line}"))
    assert isinstance(diff, Diff)
    assert (diff.first_id, diff.last_id, diff.previous_id) == (5, 6, 4)


@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, zstandard.ZstdCompressor().compress], ids=["bare", "gzip", "zst"]
)
def test_that_packing_is_told_by_its_content(tmp_path: Path, pack: object) -> None:
    assert callable(pack)
    text = "".join(f"{NS + n} {TRADE}\n" for n in range(5000))
    (tmp_path / "t.txt").write_bytes(pack(text.encode()))
    got, counts = held(tmp_path / "t.txt")
    assert [frame.received_ns for frame in got] == [NS + n for n in range(5000)]
    assert counts == {"lines": 5000, "frames": 5000}


def test_that_a_cut_file_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    text = "".join(f"{NS + n * 7919 % 10**9} {TRADE}\n" for n in range(5000))
    (tmp_path / "t").write_bytes(gzip.compress(text.encode())[:-4000])
    got, counts = held(tmp_path / "t")
    assert 100 < len(got) < 5000
    assert (counts["cut"], counts["frames"]) == (1, len(got))


def test_that_unreadable_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    absurd = HERMES % (FEEDS["BTC"], 1, 1 << 40)
    path = write(
        tmp_path / "t", "hello", "{", "12", "12 x", "-5 {}", "1" * 30 + " {}", absurd,
        f"{NS} {TRADE}", "",
    )  # fmt: skip
    got, counts = held(path)
    assert [frame.received_ns for frame in got] == [NS]
    assert counts == {"lines": 8, "unreadable": 7, "frames": 1}


def test_that_two_lines_of_one_nanosecond_are_two_messages(tmp_path: Path) -> None:
    got, _ = held(write(tmp_path / "t", *[f"{NS} {TRADE}"] * 3, f"{NS - 5} {TICKER}"))
    assert [frame.received_ns - NS for frame in got] == [0, 1, 2, 3]


def test_that_a_folder_of_tapes_plays_in_order_under_its_own_names(tmp_path: Path) -> None:
    first = [Frame("binance", "ws", NS, TRADE.encode()), Frame("pyth", "sse/1", NS, b"{}")]
    second = [Frame("recorded.binance", "ws", NS + 1, TICKER.encode())]
    (tmp_path / "2024-08-08T23.001.qdt").write_bytes(tape.pack(first))
    (tmp_path / "2024-08-08T23.002.qdt").write_bytes(tape.pack(second))
    (tmp_path / "notes.txt").write_text("mine")
    got, counts = held(tmp_path)
    assert got == [
        Frame("recorded.binance", "ws", NS, TRADE.encode()),
        Frame("recorded.pyth", "sse/1", NS, b"{}"),
        Frame("recorded.binance", "ws", NS + 1, TICKER.encode()),
    ]
    assert counts == {"frames": 3}
    assert held(tmp_path / "2024-08-08T23.001.qdt")[0] == got[:2]


def test_that_a_sender_nobody_knows_is_unreadable() -> None:
    with pytest.raises(Corrupt, match=r"nobody reads messages of recorded\.kraken"):
        read(Frame("recorded.kraken", "ws", 1, b"{}"))


def test_that_an_empty_folder_is_no_recording(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no recording"):
        Recorded(path=tmp_path, clock=ManualClock())


def test_that_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no recording at .*nothing\.gz") as caught:
        Recorded(path=tmp_path / "nothing.gz", clock=ManualClock())
    assert caught.value.code == "recording.missing"


@pytest.mark.parametrize("speed", ["0", "-1", "NaN", "Infinity"])
def test_that_a_speed_without_sense_is_refused(tmp_path: Path, speed: str) -> None:
    with pytest.raises(Refused, match="above zero") as caught:
        Recorded(path=write(tmp_path / "t", ""), clock=ManualClock(), speed=Decimal(speed))
    assert caught.value.code == "source.settings"


@given(st.lists(st.binary(max_size=120), max_size=5), st.binary(max_size=200))
def test_that_any_line_is_a_frame_or_refused(peeked: list[bytes], line: bytes) -> None:
    for tried in (
        line, b"5 {" + line, b"5 " + snapshot(3).encode() + line, b'{"parsed":' + line,
        b'{"parsed":[],"x":"\xff' + line, b"{" + b'"a":[' * 5000 + line,
        b'5 {"lastUpdateId":' + line,
    ):  # fmt: skip
        with suppress(Corrupt):
            assert Lines(peeked).frame(tried).data in tried


Heard = list[tuple[float, Frame]]


def run(path: Path, *, speed: Speed, seconds: float) -> tuple[Heard, bool]:
    async def whole() -> tuple[Heard, bool]:
        clock, got = ManualClock(), Heard()
        source = Recorded(path=path, clock=clock, speed=speed)
        task = asyncio.create_task(
            source.run(["BTC"], lambda frame: got.append((clock.monotonic(), frame)))
        )
        await clock.advance(seconds)
        ended = task.done()
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        assert all(source.read(frame) for _, frame in got)
        return got, ended

    return asyncio.run(whole())


@pytest.mark.parametrize(("speed", "moments"), [("1", [0, 1.5, 4]), ("4", [0, 0.375, 1])])
def test_that_frames_keep_their_spacing_and_come_now(
    tmp_path: Path, speed: str, moments: list[float]
) -> None:
    times = [NS, NS + 1_500_000_000, NS + 4_000_000_000]
    path = write(tmp_path / "t", *(f"{ns} {TRADE}" for ns in times))
    got, ended = run(path, speed=Decimal(speed), seconds=5)
    assert ended
    assert [at for at, _ in got] == pytest.approx(moments, abs=0.001)
    now_ns = ManualClock().now_ns()
    assert [(f.received_ns - now_ns) / 1e9 for _, f in got] == pytest.approx(moments, abs=0.001)
    assert {f.data for _, f in got} == {TRADE.encode()}


def test_that_a_hole_is_played_as_a_minute(tmp_path: Path) -> None:
    path = write(tmp_path / "t", f"{NS} {TRADE}", f"{NS + 86_400 * 10**9} {TRADE}")
    got, _ = run(path, speed=Decimal(1), seconds=61)
    assert [at for at, _ in got] == [0, 60]


def test_that_full_speed_waits_for_nothing_and_no_name_is_given_twice(tmp_path: Path) -> None:
    path = write(tmp_path / "t", *(f"{NS + n * 10**9} {TRADE}" for n in range(300)))
    got, ended = run(path, speed="max", seconds=0)
    assert ended
    assert {at for at, _ in got} == {0}
    assert len({frame.id for _, frame in got}) == 300


def test_that_a_snapshot_from_json_survives_unchanged(tmp_path: Path) -> None:
    odd = '{"stream":"btcusdt@trade",  "data" : {"s":"BTCUSDT"}}  '
    ((frame,), _) = held(write(tmp_path / "t", f"{NS} {odd}"))
    assert frame.data == odd.strip().encode()
    assert json.loads(frame.data)["data"] == {"s": "BTCUSDT"}
