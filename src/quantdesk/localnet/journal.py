"""The journal: an append-only file of records, one file per generation, and the mark beside it.

A record is in the file before it is executed, so a killed process loses nothing it acknowledged;
`sync` makes it outlive the machine, and only then may its slot be confirmed. The mark tells which
slot was reached, so that empty slots need no record, and how much of the file was synced.
"""

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from quantdesk.core.errors import Unavailable
from quantdesk.localnet.frames import framed, frames
from quantdesk.localnet.records import Record, decode, encode

MARK = struct.Struct("<QQQI")


class Mark(NamedTuple):
    """The slot reached, and the synced bytes of a generation's file."""

    slot: int
    generation: int
    synced: int


class Journal:
    """The file of one generation, open for appending."""

    def __init__(self, folder: Path, generation: int) -> None:
        self.folder = folder
        self._mark = os.open(folder / "mark", os.O_WRONLY | os.O_CREAT, 0o600)
        self._retired: list[int] = []
        self._open(generation)
        self.synced = self.size
        sync_folder(folder)

    @property
    def is_dirty(self) -> bool:
        """Tell whether something is written that is not synced."""
        return self.synced < self.size or bool(self._retired)

    def rotate(self) -> int:
        """Go on in a new generation's file and return the number of the old one."""
        old = self.generation
        self._retired.append(self._file)
        self._open(old + 1)
        self.synced = 0
        return old

    def append(self, record: Record) -> None:
        """Write a record; raises Unavailable `localnet.disk` when the disk takes it not."""
        frame = framed(encode(record))
        try:
            written = os.write(self._file, frame)
        except OSError as cause:
            raise Unavailable(f"journal: {cause.strerror}", code="localnet.disk") from cause
        if written < len(frame):
            # What was written of it is a torn tail until the next record goes over it.
            os.lseek(self._file, self.size, os.SEEK_SET)
            raise Unavailable("journal: disk full", code="localnet.disk")
        self.size += written
        self.records += 1

    def sync(self) -> None:
        """Make everything written so far outlive the machine; blocks; raises OSError.

        Runs beside `append` and `rotate` in another thread, so it vouches only for what it saw.
        """
        retired, self._retired = self._retired, []
        file, size = self._file, self.size
        for old in retired:
            os.fdatasync(old)
            os.close(old)
        if retired:
            sync_folder(self.folder)
        os.fdatasync(file)
        if self._file == file:
            self.synced = max(self.synced, size)

    def mark(self, slot: int) -> None:
        """Note the slot reached; survives the process, and the machine up to the last sync."""
        body = MARK.pack(slot, self.generation, self.synced, 0)[:-4]
        os.pwrite(self._mark, body + struct.pack("<I", zlib.crc32(body)), 0)

    def close(self) -> None:
        """Close the files."""
        for file in (*self._retired, self._file, self._mark):
            os.close(file)

    def _open(self, generation: int) -> None:
        self.generation = generation
        self.records = 0
        self._file = os.open(path_of(self.folder, generation), os.O_WRONLY | os.O_CREAT, 0o600)
        self.size = os.lseek(self._file, 0, os.SEEK_END)


def path_of(folder: Path, generation: int) -> Path:
    """Return where the journal of a generation lies."""
    return folder / f"journal-{generation:08d}.bin"


def generations(folder: Path) -> list[int]:
    """Return the generations that have a journal, oldest first."""
    return sorted(int(path.stem.split("-")[1]) for path in folder.glob("journal-*.bin"))


def read(folder: Path, generation: int, mark: Mark | None) -> Iterator[Record]:
    """Yield the records of a generation and cut the torn tail off.

    Raises Corrupt when a record inside the synced part does not check out.
    """
    path = path_of(folder, generation)
    is_marked = mark is not None and mark.generation == generation
    synced = mark.synced if mark and is_marked else 0
    end = 0
    for payload, offset in frames(path, synced=synced):
        yield decode(payload)
        end = offset
    if end < path.stat().st_size:
        os.truncate(path, end)


def read_mark(folder: Path) -> Mark | None:
    """Return the mark, None if there is none that checks out."""
    path = folder / "mark"
    raw = path.read_bytes() if path.exists() else b""
    if len(raw) != MARK.size or zlib.crc32(raw[:-4]) != int.from_bytes(raw[-4:], "little"):
        return None
    slot, generation, synced, _ = MARK.unpack(raw)
    return Mark(slot, generation, synced)


def sync_folder(folder: Path) -> None:
    """Make the folder's names outlive the machine."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
