"""Holes: which windows of a range no candle is stored of, in pieces an exchange can be asked for.

Pure. Ranges are Unix milliseconds that hold their beginning and not their end.
"""

from collections.abc import Iterable, Iterator

Range = tuple[int, int]


def holes(covered: Iterable[Range], *, from_ms: int, to_ms: int) -> Iterator[Range]:
    """Yield what of a range none of these covers; they come in the order of their beginnings."""
    at_ms = from_ms
    for begin_ms, end_ms in covered:
        if begin_ms >= to_ms:
            break
        if begin_ms > at_ms:
            yield at_ms, begin_ms
        at_ms = max(at_ms, end_ms)
    if at_ms < to_ms:
        yield at_ms, to_ms


def pieces(hole: Range, *, length_ms: int) -> Iterator[Range]:
    """Yield a hole in ranges of at most this length, the oldest first."""
    begin_ms, end_ms = hole
    for at_ms in range(begin_ms, end_ms, length_ms):
        yield at_ms, min(at_ms + length_ms, end_ms)


def on_grid(from_ms: int, to_ms: int, *, length_ms: int) -> Range:
    """Return the windows that lie wholly in a range."""
    return -(-from_ms // length_ms) * length_ms, to_ms - to_ms % length_ms
