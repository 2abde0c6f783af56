"""Tapes give back every message to the byte, and are read up to wherever they were cut."""

import io
from collections import Counter
from contextlib import suppress
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Frame
from quantdesk.sources import tape

NS = 1_700_000_000_000_000_000  # 2023-11-14T22:13:20Z
HOUR_NS = 3600 * 10**9

names = st.text(st.characters(categories=["Ll", "Nd"], max_codepoint=127), min_size=1, max_size=9)
feeds = st.text(st.characters(exclude_characters="\n", exclude_categories=["Cs"]), max_size=20)
some_frames = st.lists(
    st.builds(Frame, names, feeds, st.integers(0, 2**63 - 1), st.binary(max_size=300)),
    min_size=1,
    max_size=20,
)


def frame(n: int, data: bytes = b'{"a":1}', *, ns: int = NS) -> Frame:
    return Frame("binance", "ws", ns + n, data)


def on_tape(path: Path, *blocks: list[Frame]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(b"".join(tape.pack(block) for block in blocks))
    return path


def heard(path: Path) -> tuple[list[Frame], Counter[str]]:
    counts: Counter[str] = Counter()
    return list(tape.messages(path, counts=counts)), counts


@given(some_frames)
def test_that_a_block_gives_back_what_went_in(frames: list[Frame]) -> None:
    block = tape.pack(frames)
    (index,) = tape.blocks(io.BytesIO(block))
    times = [at.received_ns for at in frames]
    assert index[:3] == (len(frames), min(times), max(times))
    assert tape.unpack(block[index.offset :]) == frames


@given(some_frames, st.data())
def test_that_a_spoiled_block_is_told_or_harmless(frames: list[Frame], data: st.DataObject) -> None:
    block = bytearray(tape.pack(frames))
    (index,) = tape.blocks(io.BytesIO(block))
    at = data.draw(st.integers(index.offset, len(block) - 1))
    block[at] ^= data.draw(st.integers(1, 255))
    with suppress(Corrupt):
        # A bit that means nothing to the packing may change; the messages may not.
        assert tape.unpack(bytes(block[index.offset :])) == frames


@given(st.binary(max_size=200))
def test_that_any_bytes_are_read_or_refused(junk: bytes) -> None:
    with suppress(Corrupt):
        list(tape.blocks(io.BytesIO(junk)))
    with pytest.raises(Corrupt):
        tape.unpack(junk)


def test_that_a_bomb_is_not_unpacked() -> None:
    bomb = zstandard.ZstdCompressor().compress(bytes(tape.BLOCK_BYTES_MAX + 1))
    with pytest.raises(Corrupt, match="claims 16777217 bytes"):
        tape.unpack(bomb)


def test_that_a_tape_is_plain_zstd_to_other_programs(tmp_path: Path) -> None:
    path = on_tape(tmp_path / "t.qdt", [frame(1)], [frame(2, b"two\nlines")])
    with path.open("rb") as file:
        text = zstandard.ZstdDecompressor().stream_reader(file, read_across_frames=True).read()
    assert text == b'%d binance 7 ws\n{"a":1}\n%d binance 9 ws\ntwo\nlines\n' % (NS + 1, NS + 2)


def test_that_a_tape_cut_anywhere_plays_its_whole_blocks(tmp_path: Path) -> None:
    blocks = [[frame(10 * n + m) for m in range(3)] for n in range(4)]
    ends = [0]
    for block in blocks:
        ends.append(ends[-1] + len(tape.pack(block)))
    whole = on_tape(tmp_path / "t.qdt", *blocks).read_bytes()
    for size in range(len(whole)):
        (tmp_path / "cut.qdt").write_bytes(whole[:size])
        frames, counts = heard(tmp_path / "cut.qdt")
        full = max(n for n, end in enumerate(ends) if end <= size)
        assert frames == [at for block in blocks[:full] for at in block]
        assert counts["cut"] == (0 if size in ends else 1)


def test_that_a_damaged_block_costs_itself_alone(tmp_path: Path) -> None:
    blocks = [[frame(n, bytes([n]) * 50)] for n in range(3)]
    path = on_tape(tmp_path / "t.qdt", *blocks)
    spoiled = bytearray(path.read_bytes())
    spoiled[len(tape.pack(blocks[0])) + 60] ^= 0xFF
    path.write_bytes(spoiled)
    assert heard(path) == ([*blocks[0], *blocks[2]], {"damaged": 1})


def test_that_a_message_is_found_by_its_id(tmp_path: Path) -> None:
    late = HOUR_NS  # came in the next hour
    on_tape(tmp_path / "d" / tape.name(tape.hour(NS), 1), [frame(1), frame(5)], [frame(7)])
    on_tape(tmp_path / "d" / tape.name(tape.hour(NS), 2), [Frame("pyth", "sse", NS + 5, b"p")])
    on_tape(tmp_path / "d" / tape.name(tape.hour(NS + late), 1), [frame(late)])
    for wanted in (frame(1), frame(7), Frame("pyth", "sse", NS + 5, b"p"), frame(late)):
        assert tape.find(tmp_path / "d", wanted.id) == wanted
    for missing in (frame(2).id, f"pyth:{NS + 1}", "binance:5", f"binance:{'9' * 19}"):
        assert tape.find(tmp_path / "d", missing) is None


def test_that_a_message_before_a_cut_is_found_and_none_behind_it(tmp_path: Path) -> None:
    path = on_tape(tmp_path / "d" / tape.name(tape.hour(NS), 1), [frame(1)], [frame(2)])
    path.write_bytes(path.read_bytes()[:-1])
    assert tape.find(tmp_path / "d", frame(1).id) == frame(1)
    assert tape.find(tmp_path / "d", frame(2).id) is None


@pytest.mark.parametrize("text", ["", "binance", ":5", "binance:", "binance:x", f"b:{'9' * 20}"])
def test_that_what_is_no_id_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(Refused, match="no message id"):
        tape.find(tmp_path, text)
