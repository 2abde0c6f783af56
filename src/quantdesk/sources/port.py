"""Port of the sources family: all that ingest asks of a source of market data or news."""

from collections.abc import Callable, Sequence
from typing import Protocol, runtime_checkable

from quantdesk.core.ticks import Event, Frame

Take = Callable[[Frame], None]
"""Is handed every frame in the order it arrived; returns at once and raises nothing."""


class Source(Protocol):
    """Frames off a wire, and how to read them.

    The two are apart so that a recording of the frames, read again, gives the very same events.
    """

    @property
    def name(self) -> str:
        """Return the short name that frames carry and users see."""

    async def run(self, symbols: Sequence[str], take: Take) -> None:
        """Hand over frames about these assets until cancelled, reconnecting by itself.

        Returns when the source has nothing more to say (a recording). Raises `Unavailable` only
        after giving up for good, `Refused` for what no other try can cure (a bad setting).
        """

    def read(self, frame: Frame) -> Sequence[Event]:
        """Return what a frame says, without I/O; nothing for keep-alives and the like.

        The same frames in the same order give the same events. Raises `Corrupt`
        (`message.unreadable`) for a frame that is not of this source's format.
        """


@runtime_checkable
class BookSource(Source, Protocol):
    """A source of order books, whose snapshots come when asked for."""

    def resync(self, symbol: str) -> None:
        """Fetch a snapshot of this asset's book soon; it arrives as a frame like any other."""
