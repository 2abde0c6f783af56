"""Parcels: our own format of frames shared between processes, told here alone.

Many frames travel together, as they came and in their order; written by `ingest.sharing`, read by
`sources.shared`. A parcel is MessagePack (https://msgpack.org): who shares, since when, how many
frames it shared before, when it was sent, and for each frame its source, feed, time and bytes.
"""

from collections.abc import Iterator, Sequence

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame

BYTES_MAX = 256 << 10
"""Of frames that go into one parcel, unless a single one is larger."""
FRAME_BYTES_MAX = 900 << 10
"""Of one frame: NATS takes a megabyte, unless told otherwise."""
FRAME_COST = 64
"""Bytes that a frame takes beside its own, about."""

_Row = tuple[str, str, int, bytes]


class Parcel(msgspec.Struct, frozen=True, array_like=True):
    """Frames of one life of an ingest process; without any it says that the process lives.

    `first` is how many frames that life shared before; times are Unix nanoseconds of its clock.
    """

    life: str
    began_ns: int
    first: int
    sent_ns: int
    rows: Sequence[_Row] = ()

    @property
    def name(self) -> str:
        """Return a name that no other parcel has."""
        return f"{self.life}:{self.first}:{self.sent_ns}"

    def frames(self, known: int = 0) -> Iterator[Frame]:
        """Yield the frames after the first `known`."""
        for row in self.rows[known:]:
            yield Frame(*row)


def rows(frames: Sequence[Frame]) -> list[_Row]:
    """Return frames as a parcel holds them."""
    return [(frame.source, frame.feed, frame.received_ns, frame.data) for frame in frames]


def pack(parcel: Parcel) -> bytes:
    """Return a parcel as it travels."""
    return _ENCODER.encode(parcel)


def unpack(body: bytes) -> Parcel:
    """Return a parcel; raise `Corrupt` (`parcel.unreadable`) for what is none."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as problem:
        raise Corrupt(f"a parcel of frames: {problem}", code="parcel.unreadable") from problem


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Parcel)
