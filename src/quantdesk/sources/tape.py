r"""Tapes: our own format of recorded frames, told here alone; written by `ingest.recorder`.

A tape is a row of blocks, each an index and the messages it speaks of. Numbers are little-endian.

    index     zstd skippable frame: u32 0x184D2A5D, u32 32, then "QDT1", u32 count of messages,
              u64 first ns, u64 last ns (of all in the block), u64 bytes of the frame that follows
    messages  zstd frame with content size and checksum; inside, for every message
              "<received ns> <source> <length> <feed>\n", that many bytes, "\n"

So `zstd -dc` prints a tape, a message is found by hopping from index to index, and a tape that was
cut off, by a crash or a full disk, is whole up to its last whole block. Files of a folder are named
after the UTC hour they begin in and a number ("2026-11-21T15.001.qdt"), which sorts them by time.
zstd frames: https://www.rfc-editor.org/rfc/rfc8878.
"""

import re
import struct
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import zstandard

from quantdesk.core.clock import iso
from quantdesk.core.errors import Corrupt, Refused
from quantdesk.core.ticks import Frame

SUFFIX = ".qdt"
FOLDER = "tapes"
"""Where a desk keeps its own, inside its data folder."""
HEAD_BYTES = 12
"""Of a file are enough to tell whether it is a tape."""
BLOCK_BYTES_MAX = 16 << 20
"""Of messages before they are packed; no reader takes more into memory at once."""

_INDEX = struct.Struct("<II4sIQQQ")
_SKIPPABLE = 0x184D2A5D
_WORD = b"QDT1"
_LEVEL = 3
_PACKED_MAX = BLOCK_BYTES_MAX + (1 << 20)
_HEAD_MAX = 512
_FIELDS = 4
_NAME = re.compile(r"\d{4}-\d\d-\d\dT\d\d\.\d{3,4}\.qdt", re.ASCII)
_HOUR = len("2026-11-21T15")
_STAMP_DIGITS = 19  # the year 2286
_HOUR_NS = 3600 * 1_000_000_000
_NS_PER_MS = 1_000_000


class Block(NamedTuple):
    """An index: how many messages, from when to when, and where the packed ones lie."""

    messages: int
    first_ns: int
    last_ns: int
    offset: int
    size: int


def pack(frames: Sequence[Frame]) -> bytes:
    """Return a block of at least one message, index first; feeds hold no line ends."""
    messages = b"".join(
        b"%d %b %d %b\n%b\n"
        % (at.received_ns, at.source.encode(), len(at.data), at.feed.encode(), at.data)
        for at in frames
    )
    times = [at.received_ns for at in frames]
    packed = zstandard.ZstdCompressor(level=_LEVEL, write_checksum=True).compress(messages)
    head = (_SKIPPABLE, _INDEX.size - 8, _WORD, len(frames), min(times), max(times), len(packed))
    return _INDEX.pack(*head) + packed


def unpack(packed: bytes) -> list[Frame]:
    """Return the messages of a block; raise `Corrupt` (`recording.unreadable`) for a damaged one.

    Nothing larger than a block is unpacked, whatever the bytes claim.
    """
    try:
        claimed = zstandard.get_frame_parameters(packed).content_size
        if claimed > BLOCK_BYTES_MAX:
            raise _damaged(f"a block claims {claimed} bytes")
        return list(_messages(zstandard.ZstdDecompressor().decompress(packed)))
    except (zstandard.ZstdError, ValueError) as problem:
        raise _damaged(str(problem)) from problem


def is_tape(head: bytes) -> bool:
    """Return whether a file that begins so is a tape."""
    return head[:4] == _SKIPPABLE.to_bytes(4, "little") and head[8:12] == _WORD


def blocks(file: BinaryIO) -> Iterator[Block]:
    """Yield the whole blocks of a tape in order; the file must not be moved in between.

    Raises `Corrupt` (`recording.cut`) where what follows is no whole block.
    """
    end = file.seek(0, 2)
    at = 0
    while at < end:
        file.seek(at)
        block = _block(file.read(_INDEX.size), at)
        if block is None or block.offset + block.size > end:
            raise Corrupt(f"nothing readable after byte {at}", code="recording.cut")
        yield block
        at = block.offset + block.size


def messages(path: Path, *, counts: Counter[str]) -> Iterator[Frame]:
    """Yield the messages of a tape in order.

    Damaged blocks are passed over and counted (`damaged`), so is a torn end (`cut`).
    """
    with path.open("rb") as file:
        whole = blocks(file)
        while True:
            try:
                block = next(whole, None)
            except Corrupt:
                counts["cut"] += 1
                return
            if block is None:
                return
            try:
                yield from _unpacked(file, block)
            except Corrupt:
                counts["damaged"] += 1


def tapes(folder: Path) -> list[Path]:
    """Return the tapes of a folder, oldest first; files not named as tapes are not among them."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if _NAME.fullmatch(path.name))


def name(hour: str, number: int) -> str:
    """Return the file name of a tape of an hour."""
    return f"{hour}.{number:03d}{SUFFIX}"


def hour(received_ns: int) -> str:
    """Return the UTC hour of a moment as tapes are named, "2026-11-21T15"."""
    return iso(received_ns // _NS_PER_MS)[:_HOUR]


def find(folder: Path, frame_id: str) -> Frame | None:
    """Return the raw message of an id "source:received_ns", None when no tape holds it.

    Looks into the tapes of that hour and the hours beside it (a message may be written just after
    its hour ended). Raises `Refused` (`message.id`) for what is no id.
    """
    source, _, stamp = frame_id.rpartition(":")
    if not (source and stamp.isascii() and stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
        raise Refused(f"{frame_id!r} is no message id: source:nanoseconds", code="message.id")
    received_ns = int(stamp)
    near = {hour(max(0, received_ns + hours * _HOUR_NS)) for hours in (-1, 0, 1)}
    for path in tapes(folder):
        if path.name[:_HOUR] in near and (found := _find(path, source, received_ns)):
            return found
    return None


def _find(path: Path, source: str, received_ns: int) -> Frame | None:
    with path.open("rb") as file:
        try:
            for block in blocks(file):
                if block.first_ns <= received_ns <= block.last_ns:
                    for frame in _unpacked(file, block):
                        if frame.received_ns == received_ns and frame.source == source:
                            return frame
        except Corrupt:
            return None
    return None


def _unpacked(file: BinaryIO, block: Block) -> list[Frame]:
    file.seek(block.offset)
    return unpack(file.read(block.size))


def _block(head: bytes, at: int) -> Block | None:
    if len(head) < _INDEX.size:
        return None
    magic, length, word, count, first_ns, last_ns, size = _INDEX.unpack(head)
    if (magic, length, word) != (_SKIPPABLE, _INDEX.size - 8, _WORD) or size > _PACKED_MAX:
        return None
    return Block(count, first_ns, last_ns, at + _INDEX.size, size)


def _messages(text: bytes) -> Iterator[Frame]:
    at = 0
    while at < len(text):
        end = text.index(b"\n", at, at + _HEAD_MAX)
        stamp, source, length, feed = text[at:end].decode().split(" ", _FIELDS - 1)
        at, size = end + 1, int(length)
        if size < 0 or text[at + size : at + size + 1] != b"\n":
            raise ValueError("a message without its end")
        yield Frame(source, feed, int(stamp), text[at : at + size])
        at += size + 1


def _damaged(detail: str) -> Corrupt:
    return Corrupt(f"a damaged block: {detail}", code="recording.unreadable")
