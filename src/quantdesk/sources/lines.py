"""Recordings as text: the lines of a file turned into the frames they were; pure.

A line is a message behind the nanosecond it arrived ("<ns> <json>"), or a Hermes message, as it was
sent or wrapped in an object under `message`. Which source sent it is told by what it says:

    a combined stream, a REST depth    binance, or binance.futures where a line of the file holds
                                       what USD-M alone writes
    `binary` and `parsed`              pyth

The bytes of a message are kept as they stand in the line.
"""

from collections.abc import Sequence

import msgspec

from quantdesk.core.errors import Corrupt
from quantdesk.core.ticks import Frame
from quantdesk.sources.words import binance, hermes

PEEK_LINES = 200
"""How many lines of a file are looked at to tell whether USD-M sent it."""

_FUTURES_ALONE = (b'"e":"bookTicker"', b'"pu":', b'"e":"markPriceUpdate"', b'"X":"MARKET"')
_SNAPSHOT = b'"lastUpdateId"'
_HEAD = 80
_STAMP_DIGITS = 19
_STREAMS_MAX = 4096
_NS_PER_S = 1_000_000_000
_SECONDS_MAX = 1 << 33  # year 2242; nanoseconds of it still fit 64 bits


class _Wrapped(msgspec.Struct, frozen=True):
    message: msgspec.Raw


class _Id(msgspec.Struct, frozen=True):
    id: int = msgspec.field(name="u", default=0)


class _Diff(msgspec.Struct, frozen=True):
    data: _Id = _Id()


class _Snapshot(msgspec.Struct, frozen=True):
    id: int = msgspec.field(name="lastUpdateId")


_wrapped = msgspec.json.Decoder(_Wrapped).decode
_diff = msgspec.json.Decoder(_Diff).decode
_snapshot = msgspec.json.Decoder(_Snapshot).decode


class Lines:
    """Turns the lines of one file into frames, in order; `peeked` are its first lines.

    A REST depth does not say whose book it is: of the streams seen so far, the one whose last
    update is nearest to it.
    """

    def __init__(self, peeked: Sequence[bytes]) -> None:
        futures = any(mark in line for line in peeked for mark in _FUTURES_ALONE)
        self._binance = "binance.futures" if futures else "binance"
        self._depths: dict[bytes, bytes] = {}
        self._hermes_ns = 0

    def frame(self, line: bytes) -> Frame:
        """Return the frame of a line; raise `Corrupt` (`message.unreadable`) when it is none.

        Hermes lines without a time are taken to have come as their newest price was published.
        """
        line = line.strip()
        if line.startswith(b"{"):
            return self._bare(line)
        stamp, _, data = line.partition(b" ")
        if not (stamp.isdigit() and len(stamp) <= _STAMP_DIGITS):
            raise Corrupt("a line begins with neither a time nor {", code="message.unreadable")
        if not data.startswith(b"{"):
            raise Corrupt("no message stands behind the time", code="message.unreadable")
        if data.startswith((b'{"binary"', b'{"parsed"')):
            return Frame("pyth", "lines", int(stamp), data)
        return Frame(self._binance, self._feed(data), int(stamp), data)

    def _bare(self, line: bytes) -> Frame:
        try:
            data = _bytes_of(line)
            newest_s = max((said.price.publish_time for said in hermes.updates(data)), default=0)
        except (UnicodeDecodeError, RecursionError) as problem:
            raise Corrupt(f"no Hermes message: {problem}", code="message.unreadable") from problem
        if not 0 <= newest_s < _SECONDS_MAX:
            raise Corrupt(f"not a time: {newest_s}", code="message.unreadable")
        # Two messages of one second came one after the other.
        self._hermes_ns = max(newest_s * _NS_PER_S, self._hermes_ns + 1)
        return Frame("pyth", "lines", self._hermes_ns, data)

    def _feed(self, data: bytes) -> str:
        head = data[:_HEAD]
        if _SNAPSHOT in head:
            return binance.DEPTH_FEED + self._whose(data)
        stream, at, kind = head.partition(b"@")
        if at and kind.startswith(b"depth") and len(self._depths) < _STREAMS_MAX:
            self._depths[stream] = data
        return "ws"

    def _whose(self, data: bytes) -> str:
        try:
            wanted = _snapshot(data).id
            apart = {of: abs(_diff(last).data.id - wanted) for of, last in self._depths.items()}
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as problem:
            detail = f"not a Binance message: {problem}"
            raise Corrupt(detail, code="message.unreadable") from problem
        if not apart:
            return ""
        return binance.pair_named(self._depths[min(apart, key=lambda of: apart[of])])


def _bytes_of(line: bytes) -> bytes:
    """Return the message in a line, out of what it is wrapped in."""
    try:
        return bytes(_wrapped(line).message)
    except msgspec.DecodeError:
        return line
