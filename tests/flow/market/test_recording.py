"""Recording as a person does it: to tape, played again, stopped, killed, and asked wrongly."""

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.flow.cli.desk import Home, Said

from quantdesk.core.ticks import Frame
from quantdesk.ingest.recorder import FLUSH_S
from quantdesk.sources import tape

LOSS_S_MAX = 1.0
_PATIENCE_S = 120.0

_SENDER = """
import os, sys, time
from pathlib import Path
from quantdesk.core.ticks import Frame
from quantdesk.ingest.recorder import Keep, Recorder
recorder = Recorder(Path(sys.argv[1]), keep=Keep()).start()
while True:
    heard_ns = time.time_ns()
    os.write(1, b"%d\\n" % heard_ns)
    recorder.tap(Frame("binance", "ws", heard_ns, b"x" * 200))
    time.sleep(0.001)
"""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    fresh = Home(tmp_path / "home")
    yield fresh
    fresh.close()


def on_tape(folder: Path) -> tuple[list[Frame], Counter[str]]:
    counts: Counter[str] = Counter()
    frames = [at for path in tape.tapes(folder) for at in tape.messages(path, counts=counts)]
    return frames, counts


def until(holds: object, process: subprocess.Popen[bytes]) -> None:
    assert callable(holds)
    deadline = time.monotonic() + _PATIENCE_S
    while not holds():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)


def lines(path: Path, count: int = 400, *, around: int = 50_000) -> Path:
    ns = 1_723_161_254_000_000_000
    told = [
        f'{ns + n * 10_000_000} {{"stream":"btcusdt@trade","data":{{"s":"BTCUSDT","t":{n},'
        f'"p":"{around + n % 13}.5","q":"0.1","T":{ns // 10**6 + 10 * n},"m":false}}}}'
        for n in range(1, count)
    ]
    path.write_text("\n".join([*told, "torn", f"{ns + count * 10_000_000} {{}}"]))
    return path


def test_that_a_killed_recorder_loses_a_second_at_most_and_leaves_what_can_be_read(
    tmp_path: Path,
) -> None:
    folder, ledger = tmp_path / "tapes", tmp_path / "heard"
    with ledger.open("wb") as told:
        process = subprocess.Popen(
            [sys.executable, "-c", _SENDER, str(folder)],
            env={**os.environ},  # noqa: TID251 - a child
            stdout=told,
        )
    try:
        # Once the second block is there, it has been writing for a while.
        until(lambda: sum(p.stat().st_size for p in folder.glob("*.qdt")) > 0, process)
        first, _ = on_tape(folder)
        until(lambda: len(on_tape(folder)[0]) > len(first) + 100, process)
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
    heard = [int(line) for line in ledger.read_text().splitlines()]
    frames, counts = on_tape(folder)
    assert counts["damaged"] == 0
    lost_s = (heard[-1] - frames[-1].received_ns) / 1e9
    assert lost_s < LOSS_S_MAX, lost_s
    assert FLUSH_S < LOSS_S_MAX
    assert tape.find(folder, frames[len(frames) // 2].id) == frames[len(frames) // 2]
    kept = [frame.received_ns for frame in frames]
    assert kept == heard[: len(kept)], "nothing is missing in between"


def test_that_a_recording_of_a_source_plays_again(home: Home, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    said = home.run(
        "record", "--source", "simulated", "--dir", str(folder), "--for", "1.2s", "--symbols", "btc"
    )
    assert said.code == 0, said.err
    frames, counts = on_tape(folder)
    assert {frame.source for frame in frames} == {"simulated"}
    assert not counts
    assert said.out.startswith(f"recorded {len(frames)} message")
    played = home.run("replay", str(folder))
    assert played.code == 0, played.err
    kinds = Counter(msgspec.json.decode(line)["kind"] for line in played.out.splitlines())
    assert kinds["accepted"] == 2 * len(frames)  # a price and a trade each
    assert kinds["candle"] > 0
    assert f"{len(frames)} messages played: {2 * len(frames)} accepted" in played.err


def test_that_a_raw_message_is_found_by_its_id(home: Home) -> None:
    folder = home.path / "tapes"
    folder.mkdir(parents=True)
    ns = 1_723_161_254_000_000_000
    frames = [Frame("pyth", "sse", ns, b'{"a": 1}'), Frame("rss", "x", ns + 1, b"\xff")]
    (folder / tape.name(tape.hour(ns), 1)).write_bytes(tape.pack(frames))
    said = home.run("raw", f"pyth:{ns}")
    assert (said.code, said.out) == (0, '{"a": 1}\n'), said.err
    assert said.err == "received 2024-08-08T23:54:14.000Z\n"
    told = msgspec.json.decode(home.run("raw", f"rss:{ns + 1}", "--json").out)
    assert told == {"id": f"rss:{ns + 1}", "text": None, "base64": "/w=="}
    for words, code in (([f"pyth:{ns + 1}"], "message.unknown"), (["nothing"], "message.id")):
        missing = home.run("raw", *words, "--dir", str(folder))
        assert missing.code == 1
        assert missing.err.startswith(f"{code}: ")


def test_that_ctrl_c_ends_a_recording_cleanly(home: Home) -> None:
    folder = home.path / "recordings"
    recording = home.start("record", "--source", "simulated")
    recording.until(lambda: bool(tape.tapes(folder)) and bool(on_tape(folder)[0]))
    code, _ = recording.end(signal.SIGINT)
    assert code == 0
    assert "messages in" in recording.said()
    assert "Traceback" not in recording.said()
    assert not on_tape(folder)[1]


def test_that_bytes_do_not_depend_on_speed_or_on_the_run(tmp_path: Path) -> None:
    path = lines(tmp_path / "t")
    outs = []
    for seed, speed in (("1", "max"), ("2", "max"), ("3", "40")):
        out = tmp_path / seed
        command = [sys.executable, "-m", "quantdesk", "replay", str(path), "--speed", speed]
        environment = {**os.environ, "PYTHONHASHSEED": seed}  # noqa: TID251 - a child of the test
        began = time.monotonic()
        subprocess.run([*command, "--out", str(out)], env=environment, check=True)
        if speed == "40":
            assert time.monotonic() - began > 0.1  # four seconds, forty times as fast
        outs.append(out.read_bytes())
    assert outs[0] == outs[1] == outs[2]
    assert len(outs[0].splitlines()) > 400


def test_that_a_count_tells_what_could_not_be_read(home: Home, tmp_path: Path) -> None:
    said = home.run("replay", str(lines(tmp_path / "t")), "--out", str(tmp_path / "out"))
    assert "400 messages played: 399 accepted" in said.err
    assert "1 unreadable" in said.err


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["replay", "nowhere"], "recording.missing", "there is no recording at nowhere"),
        (["replay", "FILE", "--speed", "fast"], "speed.unreadable", "a number above zero, or max"),
        (["replay", "FILE", "--speed", "0"], "speed.unreadable", "a number above zero, or max"),
        (["replay", "FILE", "--out", "/nowhere/x"], "output.refused", "No such file"),
        (["record", "--for", "soon"], "duration.unreadable", "write 90s, 10m, 1h or 2d"),
        (["record", "--for", "0s"], "duration.unreadable", "write 90s, 10m, 1h or 2d"),
        (["record", "--source", "binanse"], "source.unknown", "did you mean binance?"),
        (["record", "--symbols", "DOGE"], "symbol.unknown", "DOGE is not among"),
        (["plot", "nowhere"], "recording.missing", "there is no recording at nowhere"),
        (["plot", "desk"], "recording.missing", "has recorded nothing"),
        (["plot", "FILE", "--symbol", "SOL"], "symbol.unknown", "there is BTC"),
        (["plot", "FILE", "--png", "x.pdf"], "plot.format", "ends in .png"),
    ],
)
def test_that_what_cannot_be_done_is_said_with_its_cure(
    home: Home, tmp_path: Path, words: list[str], code: str, why: str
) -> None:
    path = str(lines(tmp_path / "t"))
    said: Said = home.run(*[path if word == "FILE" else word for word in words])
    assert said.code == 1
    assert said.err.splitlines()[-1].startswith(f"{code}: ")
    assert why in said.err
    assert "Traceback" not in said.err


def test_that_a_plot_shows_the_course_and_what_was_not_taken(home: Home, tmp_path: Path) -> None:
    path = lines(tmp_path / "t")
    with path.open("a") as file:
        file.write('\n1723161259000000000 {"stream":"btcusdt@trade","data":{"s":"BTCUSDT","t":7,')
        file.write('"p":"50001.5","q":"0.1","T":1723161258000,"m":false}}')
    said = home.run("plot", str(path))
    assert said.code == 0, said.err
    shown = said.out.splitlines()
    assert shown[0] == "BTC  400 prices"
    assert any("⣿ binance USDT" in line for line in shown)
    assert any("⣿ not taken: 1 duplicate" in line for line in shown)
    assert "2024-08-08 23:54:14" in said.out
    png = home.run("plot", str(path), "--png", str(tmp_path / "x.png"))
    assert png.code == 0, png.err
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG\r\n")
