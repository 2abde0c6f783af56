"""Framed records on disk: length, checksum, payload; journal, history and snapshot are made so.

A frame that does not check out at the end of a file is a write that death interrupted; inside the
part that was synced it is damage. The reader is told where that part ends.
"""

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from quantdesk.core.errors import Corrupt

HEAD = struct.Struct("<II")
PAYLOAD_BYTES_MAX = 64 * 1024 * 1024


def framed(payload: bytes) -> bytes:
    """Return the payload behind its length and CRC-32, both little-endian u32."""
    assert len(payload) <= PAYLOAD_BYTES_MAX
    return HEAD.pack(len(payload), zlib.crc32(payload)) + payload


def frames(path: Path, *, start: int = 0, synced: int = 0) -> Iterator[tuple[bytes, int]]:
    """Yield each payload with the offset where its frame ends, up to the torn tail.

    Raises Corrupt when a frame before offset `synced` does not check out.
    """
    with path.open("rb") as file:
        file.seek(start)
        offset = start
        while True:
            payload = _payload(file.read(HEAD.size), file.read)
            if payload is None:
                break
            offset += HEAD.size + len(payload)
            yield payload, offset
    if offset < synced:
        raise Corrupt(
            f"{path.name}: damaged at byte {offset} of {synced} synced", code="localnet.journal"
        )


def frame_at(path: Path, offset: int) -> bytes:
    """Return the payload of the frame that starts at this offset; raises Corrupt if damaged."""
    with path.open("rb") as file:
        file.seek(offset)
        payload = _payload(file.read(HEAD.size), file.read)
    if payload is None:
        raise Corrupt(f"{path.name}: no frame at byte {offset}", code="localnet.history")
    return payload


def _payload(head: bytes, read: Callable[[int], bytes]) -> bytes | None:
    if len(head) < HEAD.size:
        return None
    length, checksum = HEAD.unpack(head)
    # A run of zeros is what a lost page reads as; it would check out as an empty frame.
    if not 0 < length <= PAYLOAD_BYTES_MAX:
        return None
    payload = read(length)
    if len(payload) < length or zlib.crc32(payload) != checksum:
        return None
    return payload
