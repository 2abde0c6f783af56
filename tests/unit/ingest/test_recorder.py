"""The recorder keeps what comes, begins anew each hour, forgets the oldest, and never stalls."""

import errno
import io
import os
from collections import Counter
from pathlib import Path

import pytest
from typing_extensions import Buffer

from quantdesk.core.errors import Unavailable
from quantdesk.core.ticks import Frame
from quantdesk.ingest import recorder
from quantdesk.ingest.recorder import WAITING_BYTES_MAX, Keep, Recorder, Tapes
from quantdesk.sources import tape

NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
HOUR_NS = 3600 * 10**9
KEEP = Keep()


def frame(n: int, *, hours: int = 0, size: int = 20) -> Frame:
    return Frame("binance", "ws", NS + n + hours * HOUR_NS, os.urandom(size))


def kept(folder: Path) -> list[Frame]:
    counts: Counter[str] = Counter()
    frames = [at for path in tape.tapes(folder) for at in tape.messages(path, counts=counts)]
    assert not counts
    return frames


def names(folder: Path) -> list[str]:
    return [path.name for path in tape.tapes(folder)]


def test_that_what_was_tapped_is_on_tape_when_it_closes(tmp_path: Path) -> None:
    frames = [frame(n, size=2000) for n in range(1000)]
    recording = Recorder(tmp_path / "new", keep=KEEP).start()
    for one in frames:
        recording.tap(one)
    recording.close()
    assert kept(tmp_path / "new") == frames
    assert recording.counts["frames"] == 1000
    assert recording.counts["dropped"] == 0
    assert recording.counts["bytes"] == sum(p.stat().st_size for p in (tmp_path / "new").iterdir())
    assert recording.waiting_bytes == 0
    assert recording.probe() == f"1000 messages in {tmp_path / 'new'}"


def test_that_every_hour_and_every_start_has_its_own_tape(tmp_path: Path) -> None:
    first = Tapes(tmp_path, KEEP)
    first.write([frame(1), frame(2, hours=1), frame(3, hours=1)])
    first.write([frame(4, hours=1), frame(5, hours=0)])  # the clock was put back
    first.close()
    again = Tapes(tmp_path, KEEP)
    again.write([frame(6, hours=1)])
    again.close()
    assert names(tmp_path) == [
        "2023-11-14T22.001.qdt", "2023-11-14T23.001.qdt", "2023-11-14T23.002.qdt",
    ]  # fmt: skip
    assert [at.received_ns % 10 for at in kept(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_that_what_is_too_old_is_forgotten(tmp_path: Path) -> None:
    tapes = Tapes(tmp_path, Keep(hours=2))
    for hours in range(5):
        tapes.write([frame(0, hours=hours)])
    tapes.close()
    assert names(tmp_path) == [
        "2023-11-15T00.001.qdt", "2023-11-15T01.001.qdt", "2023-11-15T02.001.qdt",
    ]  # fmt: skip


def test_that_the_oldest_goes_when_the_space_is_used_up(tmp_path: Path) -> None:
    tapes = Tapes(tmp_path, Keep(megabytes=2))
    written = [frame(n, size=100_000) for n in range(60)]
    for one in written:
        tapes.write([one])
    tapes.close()
    left = kept(tmp_path)
    assert left == written[-len(left) :]
    assert 1_500_000 < sum(path.stat().st_size for path in tmp_path.iterdir()) < 2_500_000


def test_that_nothing_is_forgotten_unless_asked(tmp_path: Path) -> None:
    tapes = Tapes(tmp_path, KEEP)
    for hours in range(0, 10_000, 1000):
        tapes.write([frame(0, hours=hours)])
    tapes.close()
    assert len(kept(tmp_path)) == 10


def test_that_other_files_are_let_be(tmp_path: Path) -> None:
    for other in ("notes.txt", "2023-11-14T22.mine.qdt"):
        (tmp_path / other).write_bytes(b"")
    tapes = Tapes(tmp_path, KEEP)
    tapes.write([frame(1)])
    tapes.close()
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "2023-11-14T22.001.qdt", "2023-11-14T22.mine.qdt", "notes.txt",
    ]  # fmt: skip


class FullDisk(io.FileIO):
    """A file on a disk with that much room."""

    def __init__(self, path: Path, room: int) -> None:
        super().__init__(path, "wb")
        self._room = room

    def write(self, data: Buffer) -> int:  # noqa: D102 - as any file
        taken = memoryview(data)[: self._room]
        if not taken:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._room -= len(taken)
        return super().write(taken)


def test_that_a_full_disk_stops_the_recording_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = frame(1)
    room = len(tape.pack([whole])) + 50
    path = tmp_path / "2023-11-14T22.001.qdt"
    monkeypatch.setattr(recorder, "_new", lambda folder, hour: FullDisk(path, room))
    tapes = Tapes(tmp_path, KEEP)
    tapes.write([whole])
    with pytest.raises(OSError, match="No space left"):
        tapes.write([frame(2)])
    tapes.close()
    assert kept(tmp_path) == [whole]


def test_that_a_recorder_says_why_it_stopped(tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file where the folder should be")
    recording = Recorder(tmp_path / "taken", keep=KEEP).start()
    recording.tap(frame(1))
    recording.close()
    assert recording.problem is not None
    assert recording.problem.code == "recording.stopped"
    with pytest.raises(Unavailable, match=r"taken stopped: File exists; make room .* Trading goes"):
        recording.probe()
    recording.tap(frame(2))
    assert recording.counts["dropped"] == 1


def test_that_what_waits_for_the_disk_is_bounded(tmp_path: Path) -> None:
    recording = Recorder(tmp_path, keep=KEEP)  # not started: the slowest of disks
    big = Frame("binance", "ws", NS, bytes(1 << 20))
    for _ in range(100):
        recording.tap(big)
    assert recording.waiting_bytes <= WAITING_BYTES_MAX
    assert recording.counts["dropped"] == 100 - 63
    recording.start().close()
    assert len(kept(tmp_path)) == 63


def test_that_a_frame_larger_than_a_block_is_dropped(tmp_path: Path) -> None:
    recording = Recorder(tmp_path, keep=KEEP).start()
    recording.tap(Frame("rss", "x", NS, bytes(tape.BLOCK_BYTES_MAX)))
    recording.tap(Frame("rss", "x", NS + 1, bytes(recorder.FRAME_BYTES_MAX - 200)))
    recording.close()
    assert [len(at.data) for at in kept(tmp_path)] == [recorder.FRAME_BYTES_MAX - 200]
    assert recording.counts["dropped"] == 1
