"""A recording plays what it holds, at the pace asked for, whatever else is in the file."""

import asyncio
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from quantdesk.core.errors import Refused
from quantdesk.core.prices import Reading
from quantdesk.sources.hermes import FEEDS
from quantdesk.sources.recorded import Recorded, Speed
from quantdesk.testing.clock import ManualClock

T0 = 1_723_161_254_000  # the recorder's clock; Binance's is 1.2 s ahead of it here


def trade(at_ms: int, price: str, event_ms: int | None = None, pair: str = "BTCUSDT") -> str:
    event_ms = at_ms + 1200 if event_ms is None else event_ms
    data = f'{{"e":"trade","E":{event_ms},"s":"{pair}","p":"{price}"}}'
    return f'{at_ms * 1_000_000} {{"stream":"x@trade","data":{data}}}'


def book(at_ms: int, bid: str, ask: str) -> str:
    data = f'{{"u":1,"s":"BTCUSDT","b":"{bid}","a":"{ask}"}}'
    return f'{at_ms * 1_000_000} {{"stream":"x@bookTicker","data":{data}}}'


def pyth(seconds: int, price: int, symbol: str = "BTC") -> str:
    quoted = f'{{"price":"{price}","conf":"1","expo":-2,"publish_time":{seconds}}}'
    return f'{{"message":{{"parsed":[{{"id":"{FEEDS[symbol]}","price":{quoted}}}]}}}}'


def write(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n")
    return path


Played = list[tuple[float, Reading]]


def played(
    path: Path, *symbols: str, speed: Speed = "max", seconds: float = 0
) -> tuple[Played, Recorded]:
    async def run() -> tuple[Played, Recorded]:
        clock = ManualClock()
        source = Recorded(path=path, clock=clock, speed=speed)
        got: Played = []

        async def watch() -> None:
            async for reading in source.stream(symbols or ("BTC", "ETH")):
                got.append((clock.monotonic(), reading))

        task = asyncio.create_task(watch())
        await clock.advance(seconds)
        if seconds == 0:
            await task
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        return got, source

    return asyncio.run(run())


def test_that_a_mixed_file_gives_every_price_in_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "tape",
        trade(T0, "61000.10"),
        book(T0 + 10, "61000.00", "61000.01"),
        pyth(T0 // 1000 + 5, 6_100_001),
        trade(T0 + 20, "3000.5", pair="ETHUSDT"),
    )
    got, source = played(path)
    assert [(at.symbol, at.price, at.currency, at.source) for _, at in got] == [
        ("BTC", Decimal("61000.10"), "USDT", "recorded"),
        ("BTC", Decimal("61000.005"), "USDT", "recorded"),
        ("BTC", Decimal("61000.01"), "USD", "recorded"),
        ("ETH", Decimal("3000.5"), "USDT", "recorded"),
    ]
    assert source.counts == {"lines": 4, "trade": 2, "bookTicker": 1, "hermes": 1}


def test_that_gzip_is_told_by_its_content(tmp_path: Path) -> None:
    path = tmp_path / "tape.txt"
    path.write_bytes(gzip.compress(trade(T0, "61000").encode()))
    assert [at.price for _, at in played(path)[0]] == [61000]


def test_that_unreadable_lines_are_counted_and_passed_over(tmp_path: Path) -> None:
    path = write(
        tmp_path / "tape", "hello", "{", "12", "12 {", trade(T0, "0"), "", trade(T0, "61000")
    )
    got, source = played(path)
    assert [at.price for _, at in got] == [61000]
    assert (source.counts["lines"], source.counts["unreadable"]) == (6, 5)


def test_that_a_file_whose_end_is_missing_plays_as_far_as_it_goes(tmp_path: Path) -> None:
    lines = "\n".join(trade(T0 + i, str(61000 + i * 37 % 1000)) for i in range(3000))
    path = tmp_path / "tape"
    path.write_bytes(gzip.compress(lines.encode())[:-2000])
    got, source = played(path)
    assert len(got) > 100
    assert source.counts["cut"] == 1


def test_that_a_missing_file_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"no recording at .*nothing\.gz") as caught:
        Recorded(path=tmp_path / "nothing.gz", clock=ManualClock())
    assert caught.value.code == "recording.missing"


@pytest.mark.parametrize("speed", ["0", "-1", "NaN", "Infinity"])
def test_that_a_speed_without_sense_is_refused(tmp_path: Path, speed: str) -> None:
    with pytest.raises(Refused, match="above zero"):
        Recorded(path=write(tmp_path / "tape", ""), clock=ManualClock(), speed=Decimal(speed))


@pytest.mark.parametrize(("speed", "moments"), [("1", [0, 1.5, 4]), ("4", [0, 0.375, 1])])
def test_that_lines_keep_their_spacing_over_the_speed(
    tmp_path: Path, speed: str, moments: list[float]
) -> None:
    path = write(
        tmp_path / "tape", trade(T0, "1"), trade(T0 + 1500, "2"), "?", trade(T0 + 4000, "3")
    )
    got, _ = played(path, speed=Decimal(speed), seconds=10)
    assert [at for at, _ in got] == pytest.approx(moments, abs=0.001)


def test_that_a_hole_is_played_as_a_minute(tmp_path: Path) -> None:
    path = write(tmp_path / "tape", pyth(1_690_000_000, 1), pyth(1_760_000_000, 2))
    got, _ = played(path, speed=Decimal(1), seconds=100)
    assert [at for at, _ in got] == [0, 60]


def test_that_an_unchanged_price_is_repeated_once_a_second(tmp_path: Path) -> None:
    lines = [book(T0 + i * 100, "9.99", "10.01") for i in range(25)]
    path = write(tmp_path / "tape", *lines)
    got, source = played(path, speed=Decimal(1), seconds=10)
    assert [at for at, _ in got] == pytest.approx([0, 1, 2], abs=0.001)
    assert source.counts["bookTicker"] == 25


def test_that_a_book_without_time_stands_between_the_trades_around_it(tmp_path: Path) -> None:
    path = write(
        tmp_path / "tape",
        trade(T0, "1"),  # 1200 ms ahead
        trade(T0 + 10, "2", event_ms=T0 + 1260),  # this one was quick: 1250 ms ahead
        book(T0 + 20, "2.9", "3.1"),
        book(T0 + 100, "3.9", "4.1"),
        trade(T0 + 110, "5"),
    )
    got, _ = played(path)
    assert [at.published_ms - T0 for _, at in got] == [1200, 1260, 1260, 1300, 1310]


def test_that_a_book_alone_goes_by_the_recorders_clock(tmp_path: Path) -> None:
    got, _ = played(write(tmp_path / "tape", book(T0, "1", "2")))
    assert [at.published_ms for _, at in got] == [T0]


def test_that_an_older_pyth_update_is_not_told(tmp_path: Path) -> None:
    got, source = played(write(tmp_path / "tape", pyth(100, 1), pyth(99, 2), pyth(101, 3)))
    assert [at.published_ms for _, at in got] == [100_000, 101_000]
    assert source.counts["disordered"] == 1
